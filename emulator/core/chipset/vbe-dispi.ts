// The Bochs VBE extension ("DISPI"): an index register at 1CEh and 16-bit data at 1CFh (1D0h is a second address of it).
// While it is enabled the picture comes from video memory as one line after the other, and A0000h-AFFFFh shows
// a bank of 64 KiB of it; the VGA's own registers stay as they are and count again once it is disabled.
// Reference: Bochs, iodev/display/vbe.h, "VBE_DISPI"; QEMU, docs/specs/standard-vga.rst. Interface version 5.

import { DEV_VGA, VRAM, VRAM_SIZE } from '../layout'

// State, from DEV_VGA, behind vga.ts's
export const VBE_INDEX: usize = 1024 // u16
export const VBE_REGISTERS: usize = 1026 // u16[11]

export const VBE_ID: u32 = 0
export const VBE_XRES: u32 = 1
export const VBE_YRES: u32 = 2
export const VBE_BPP: u32 = 3
export const VBE_ENABLE: u32 = 4
export const VBE_BANK: u32 = 5
export const VBE_VIRTUAL_WIDTH: u32 = 6
export const VBE_VIRTUAL_HEIGHT: u32 = 7
export const VBE_X_OFFSET: u32 = 8
export const VBE_Y_OFFSET: u32 = 9
export const VBE_MEMORY_64K: u32 = 10
const VBE_COUNT: u32 = 11

export const ENABLE_ENABLED: u32 = 0x01
const ENABLE_GETCAPS: u32 = 0x02
export const ENABLE_DAC_8BIT: u32 = 0x20
export const ENABLE_LFB: u32 = 0x40
export const ENABLE_NO_CLEAR: u32 = 0x80
const ENABLE_BITS: u32 = 0xe3

const ID_FIRST: u32 = 0xb0c0
const ID_LAST: u32 = 0xb0c5
export const VBE_XRES_MAX: u32 = 2560
export const VBE_YRES_MAX: u32 = 1600
const BANKS: u32 = VRAM_SIZE >> 16

/** Power-on: disabled, the newest interface version. */
export function vbeReset(): void {
  memory.fill(DEV_VGA + VBE_INDEX, 0, 2 + VBE_COUNT * 2)
  setRegister(VBE_ID, ID_LAST)
  setRegister(VBE_BPP, 8)
}

@inline
export function vbeRegister(index: u32): u32 {
  return load<u16>(DEV_VGA + VBE_REGISTERS + index * 2)
}

@inline
function setRegister(index: u32, value: u32): void {
  store<u16>(DEV_VGA + VBE_REGISTERS + index * 2, <u16>value)
}

/** The picture and the window at A0000h are the extension's. */
@inline
export function vbeEnabled(): bool {
  return (vbeRegister(VBE_ENABLE) & ENABLE_ENABLED) != 0
}

/** Colours of the DAC have eight bits instead of six. */
export function vbeDac8(): bool {
  return (vbeRegister(VBE_ENABLE) & ENABLE_DAC_8BIT) != 0
}

/** Bytes of video memory from one line to the next. Four planes of a bit each (4 bits a pixel) take half a byte too. */
export function vbePitch(): u32 {
  const width = vbeRegister(VBE_VIRTUAL_WIDTH)
  const bits = vbeRegister(VBE_BPP)
  return bits == 4 ? (width >> 3) << 2 : width * ((bits + 7) >> 3)
}

/** Ports 1CEh-1D1h; an 8-bit access reaches the low half of a register. */
export function vbeRead(port: u32, size: u32): u32 {
  if (size == 4 && port == 0x1ce) return load<u16>(DEV_VGA, VBE_INDEX) | (dataRead() << 16)
  const value: u32 = port == 0x1ce ? load<u16>(DEV_VGA, VBE_INDEX) : dataRead()
  return size == 1 ? value & 0xff : value
}

export function vbeWrite(port: u32, size: u32, value: u32): void {
  if (port == 0x1ce) {
    store<u16>(DEV_VGA, <u16>value, VBE_INDEX)
    if (size == 4) vbeRegisterWrite(load<u16>(DEV_VGA, VBE_INDEX), value >> 16)
  } else vbeRegisterWrite(load<u16>(DEV_VGA, VBE_INDEX), value & 0xffff)
}

function dataRead(): u32 {
  return vbeRegisterRead(load<u16>(DEV_VGA, VBE_INDEX))
}

/** Register `index` as the guest reads it; registers that are not there read 0. */
export function vbeRegisterRead(index: u32): u32 {
  if (index >= VBE_COUNT) return 0
  if (index == VBE_MEMORY_64K) return BANKS
  if (index <= VBE_BPP && vbeRegister(VBE_ENABLE) & ENABLE_GETCAPS) {
    if (index == VBE_XRES) return VBE_XRES_MAX
    if (index == VBE_YRES) return VBE_YRES_MAX
    if (index == VBE_BPP) return 32
  }
  if (index == VBE_VIRTUAL_HEIGHT) {
    const pitch = vbePitch()
    return pitch ? min<u32>(VRAM_SIZE / pitch, 0xffff) : 0
  }
  return vbeRegister(index)
}

/** A write to register `index`. What does not fit is brought into range, as the extension does; it has no errors. */
export function vbeRegisterWrite(index: u32, value: u32): void {
  switch (index) {
    case VBE_ID:
      if (value >= ID_FIRST && value <= ID_LAST) setRegister(VBE_ID, value)
      return
    case VBE_XRES:
    case VBE_YRES:
    case VBE_BPP:
    case VBE_VIRTUAL_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
      setRegister(index, value)
      if (vbeEnabled()) fit()
      return
    case VBE_BANK:
      setRegister(VBE_BANK, value & (BANKS - 1))
      return
    case VBE_ENABLE:
      enable(value & ENABLE_BITS)
      return
    default:
  }
}

function enable(value: u32): void {
  const before = vbeEnabled()
  setRegister(VBE_ENABLE, value)
  if (!(value & ENABLE_ENABLED)) {
    setRegister(VBE_BANK, 0)
    return
  }
  if (before) return
  setRegister(VBE_VIRTUAL_WIDTH, 0)
  setRegister(VBE_X_OFFSET, 0)
  setRegister(VBE_Y_OFFSET, 0)
  setRegister(VBE_BANK, 0)
  fit()
  if (!(value & ENABLE_NO_CLEAR)) memory.fill(VRAM, 0, vbePitch() * vbeRegister(VBE_YRES))
}

/** Brings a mode into what there is: known depths, whole bytes, and every line shown within video memory. */
function fit(): void {
  const bits = vbeRegister(VBE_BPP)
  if (bits != 4 && bits != 8 && bits != 15 && bits != 16 && bits != 24 && bits != 32) setRegister(VBE_BPP, 8)
  let width = min<u32>(vbeRegister(VBE_XRES) & ~7, VBE_XRES_MAX)
  if (width == 0) width = 8
  setRegister(VBE_XRES, width)
  let virtual = vbeRegister(VBE_VIRTUAL_WIDTH) & ~7
  if (virtual < width) virtual = width
  setRegister(VBE_VIRTUAL_WIDTH, virtual)
  const lines: u32 = VRAM_SIZE / vbePitch()
  let height = min<u32>(vbeRegister(VBE_YRES), min<u32>(lines, VBE_YRES_MAX))
  if (height == 0) height = 1
  setRegister(VBE_YRES, height)
  if (vbeRegister(VBE_Y_OFFSET) > lines - height) setRegister(VBE_Y_OFFSET, lines - height)
  // A line may begin anywhere in memory and run on into the next one, as long as there is one for the last.
  const x = vbeRegister(VBE_X_OFFSET)
  if (x > virtual - width && (x >= virtual || vbeRegister(VBE_Y_OFFSET) == lines - height))
    setRegister(VBE_X_OFFSET, virtual - width)
}
