// VGA registers: miscellaneous output, sequencer, graphics controller, CRT controller, attribute controller, DAC.
// 3C0h-3CFh; the CRTC and input status 1 at 3D4h, 3D5h, 3DAh or (monochrome) 3B4h, 3B5h, 3BAh. The memory path is
// vga-memory.ts. Nothing is drawn here: whoever shows the screen reads these registers and the planes.
// Reference: IBM PS/2 and PC BIOS Interface / Video Subsystem Technical Reference (1992), "VGA Function".

import { DEV_VGA, VGA_FRAME_BUFFER } from '../layout'
import { VBE_YRES, vbeDac8, vbeEnabled, vbeRegister, vbeReset } from './vbe-dispi'

// State, from DEV_VGA; the display side of the project reads it with the same constants
export const VGA_MISC: usize = 0
export const VGA_FEATURE: usize = 1
export const VGA_SEQUENCER_INDEX: usize = 2
export const VGA_GRAPHICS_INDEX: usize = 3
export const VGA_CRTC_INDEX: usize = 4
export const VGA_ATTRIBUTE_INDEX: usize = 5 // bits 0-4; bit 5: the palette belongs to the screen
export const VGA_ATTRIBUTE_DATA: usize = 6 // the next write to 3C0h is data
export const VGA_DAC_READ: usize = 7
export const VGA_DAC_WRITE: usize = 8
export const VGA_DAC_COMPONENT: usize = 9 // 0 red, 1 green, 2 blue
export const VGA_DAC_STATE: usize = 10 // as read from 3C7h: 0 writing, 3 reading
export const VGA_PEL_MASK: usize = 11
export const VGA_ENABLE: usize = 12 // 3C3h
export const VGA_LATCH: usize = 16 // u32, byte n: latch of plane n
export const VGA_SEQUENCER: usize = 32 // u8[5]
export const VGA_GRAPHICS: usize = 48 // u8[9]
export const VGA_CRTC: usize = 64 // u8[25]
export const VGA_ATTRIBUTE: usize = 96 // u8[21]
export const VGA_PALETTE: usize = 256 // u8[256][3], red green blue, as written: 6 bits each, or 8 (vbe-dispi.ts)

const STATE_SIZE: usize = 1024
const SEQUENCER_COUNT: u32 = 5
const GRAPHICS_COUNT: u32 = 9
const CRTC_COUNT: u32 = 25
const ATTRIBUTE_COUNT: u32 = 21

const MISC_COLOUR: u32 = 0x01
const ATTRIBUTE_PAS: u32 = 0x20
const CRTC_PROTECT: u32 = 0x80
const STATUS_DISABLED: u32 = 0x01
const STATUS_RETRACE: u32 = 0x08

/** Bits that exist in each register; the rest reads 0. */
const SEQUENCER_MASK = memory.data<u8>([0x03, 0x3d, 0x0f, 0x3f, 0x0e])
const GRAPHICS_MASK = memory.data<u8>([0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff])

/** Power-on: all registers clear; the firmware sets a mode. */
export function vgaReset(): void {
  memory.fill(DEV_VGA, 0, STATE_SIZE)
  store<u8>(DEV_VGA, 0xff, VGA_PEL_MASK)
  store<u8>(DEV_VGA, 1, VGA_ENABLE)
  store<u32>(DEV_VGA, 0, VGA_FRAME_BUFFER)
  vbeReset()
}

/** `port` 3B0h-3DFh. */
export function vgaRead(port: u32, now: u64): u32 {
  switch (port) {
    case 0x3c0:
      return load<u8>(DEV_VGA, VGA_ATTRIBUTE_INDEX)
    case 0x3c1: {
      const index = <u32>load<u8>(DEV_VGA, VGA_ATTRIBUTE_INDEX) & 0x1f
      return index < ATTRIBUTE_COUNT ? load<u8>(DEV_VGA + index, VGA_ATTRIBUTE) : 0
    }
    case 0x3c2:
      return 0x10 // input status 0: a monitor is connected (switch sense)
    case 0x3c3:
      return load<u8>(DEV_VGA, VGA_ENABLE)
    case 0x3c4:
      return load<u8>(DEV_VGA, VGA_SEQUENCER_INDEX)
    case 0x3c5: {
      const index = <u32>load<u8>(DEV_VGA, VGA_SEQUENCER_INDEX)
      return index < SEQUENCER_COUNT ? load<u8>(DEV_VGA + index, VGA_SEQUENCER) : 0
    }
    case 0x3c6:
      return load<u8>(DEV_VGA, VGA_PEL_MASK)
    case 0x3c7:
      return load<u8>(DEV_VGA, VGA_DAC_STATE)
    case 0x3c8:
      return load<u8>(DEV_VGA, VGA_DAC_WRITE)
    case 0x3c9:
      return dacRead()
    case 0x3ca:
      return load<u8>(DEV_VGA, VGA_FEATURE)
    case 0x3cc:
      return load<u8>(DEV_VGA, VGA_MISC)
    case 0x3ce:
      return load<u8>(DEV_VGA, VGA_GRAPHICS_INDEX)
    case 0x3cf: {
      const index = <u32>load<u8>(DEV_VGA, VGA_GRAPHICS_INDEX)
      return index < GRAPHICS_COUNT ? load<u8>(DEV_VGA + index, VGA_GRAPHICS) : 0
    }
  }
  if (!crtcDecodes(port)) return 0xff
  switch (port & 0x0f) {
    case 4:
      return load<u8>(DEV_VGA, VGA_CRTC_INDEX)
    case 5: {
      const index = <u32>load<u8>(DEV_VGA, VGA_CRTC_INDEX)
      return index < CRTC_COUNT ? load<u8>(DEV_VGA + index, VGA_CRTC) : 0
    }
    case 0xa:
      store<u8>(DEV_VGA, 0, VGA_ATTRIBUTE_DATA)
      return inputStatus1(now)
    default:
      return 0xff
  }
}

/** `port` 3B0h-3DFh. */
export function vgaWrite(port: u32, value: u32): void {
  switch (port) {
    case 0x3c0:
      attributeWrite(value)
      return
    case 0x3c2:
      store<u8>(DEV_VGA, value & 0xef, VGA_MISC)
      return
    case 0x3c3:
      store<u8>(DEV_VGA, value & 1, VGA_ENABLE)
      return
    case 0x3c4:
      store<u8>(DEV_VGA, value & 0x07, VGA_SEQUENCER_INDEX)
      return
    case 0x3c5: {
      const index = <u32>load<u8>(DEV_VGA, VGA_SEQUENCER_INDEX)
      if (index < SEQUENCER_COUNT)
        store<u8>(DEV_VGA + index, value & load<u8>(SEQUENCER_MASK + index), VGA_SEQUENCER)
      return
    }
    case 0x3c6:
      store<u8>(DEV_VGA, value, VGA_PEL_MASK)
      return
    case 0x3c7:
      store<u8>(DEV_VGA, value, VGA_DAC_READ)
      store<u8>(DEV_VGA, 0, VGA_DAC_COMPONENT)
      store<u8>(DEV_VGA, 3, VGA_DAC_STATE)
      return
    case 0x3c8:
      store<u8>(DEV_VGA, value, VGA_DAC_WRITE)
      store<u8>(DEV_VGA, 0, VGA_DAC_COMPONENT)
      store<u8>(DEV_VGA, 0, VGA_DAC_STATE)
      return
    case 0x3c9:
      dacWrite(value)
      return
    case 0x3ce:
      store<u8>(DEV_VGA, value & 0x0f, VGA_GRAPHICS_INDEX)
      return
    case 0x3cf: {
      const index = <u32>load<u8>(DEV_VGA, VGA_GRAPHICS_INDEX)
      if (index < GRAPHICS_COUNT)
        store<u8>(DEV_VGA + index, value & load<u8>(GRAPHICS_MASK + index), VGA_GRAPHICS)
      return
    }
  }
  if (!crtcDecodes(port)) return
  switch (port & 0x0f) {
    case 4:
      store<u8>(DEV_VGA, value & 0x1f, VGA_CRTC_INDEX)
      return
    case 5:
      crtcWrite(load<u8>(DEV_VGA, VGA_CRTC_INDEX), value)
      return
    case 0xa:
      store<u8>(DEV_VGA, value & 0x0b, VGA_FEATURE)
  }
}

/** Miscellaneous output bit 0 places the CRTC at 3Dxh (1) or 3Bxh (0). */
function crtcDecodes(port: u32): bool {
  const base: u32 = load<u8>(DEV_VGA, VGA_MISC) & MISC_COLOUR ? 0x3d0 : 0x3b0
  return (port & 0xfff0) == base
}

function crtcWrite(index: u32, value: u32): void {
  if (index >= CRTC_COUNT) return
  if (index <= 7 && (load<u8>(DEV_VGA + 0x11, VGA_CRTC) & CRTC_PROTECT) != 0) {
    // Registers 0-7 are write-protected, but for bit 8 of the line compare in register 7
    if (index != 7) return
    value = (<u32>load<u8>(DEV_VGA + 7, VGA_CRTC) & 0xef) | (value & 0x10)
  }
  store<u8>(DEV_VGA + index, value, VGA_CRTC)
}

function attributeWrite(value: u32): void {
  if (load<u8>(DEV_VGA, VGA_ATTRIBUTE_DATA) == 0) {
    store<u8>(DEV_VGA, value & 0x3f, VGA_ATTRIBUTE_INDEX)
    store<u8>(DEV_VGA, 1, VGA_ATTRIBUTE_DATA)
    return
  }
  store<u8>(DEV_VGA, 0, VGA_ATTRIBUTE_DATA)
  const selected = <u32>load<u8>(DEV_VGA, VGA_ATTRIBUTE_INDEX)
  const index = selected & 0x1f
  if (index >= ATTRIBUTE_COUNT) return
  // While the screen uses the palette (PAS = 1) the processor cannot load it
  if (index < 16 && (selected & ATTRIBUTE_PAS) != 0) return
  store<u8>(DEV_VGA + index, index < 16 ? value & 0x3f : value, VGA_ATTRIBUTE)
}

function dacRead(): u32 {
  const colour = <u32>load<u8>(DEV_VGA, VGA_DAC_READ)
  const component = <u32>load<u8>(DEV_VGA, VGA_DAC_COMPONENT)
  const value = load<u8>(DEV_VGA + colour * 3 + component, VGA_PALETTE)
  if (component == 2) store<u8>(DEV_VGA, colour + 1, VGA_DAC_READ)
  store<u8>(DEV_VGA, component == 2 ? 0 : component + 1, VGA_DAC_COMPONENT)
  return value
}

function dacWrite(value: u32): void {
  const colour = <u32>load<u8>(DEV_VGA, VGA_DAC_WRITE)
  const component = <u32>load<u8>(DEV_VGA, VGA_DAC_COMPONENT)
  store<u8>(DEV_VGA + colour * 3 + component, vbeDac8() ? value : value & 0x3f, VGA_PALETTE)
  if (component == 2) store<u8>(DEV_VGA, colour + 1, VGA_DAC_WRITE)
  store<u8>(DEV_VGA, component == 2 ? 0 : component + 1, VGA_DAC_COMPONENT)
}

function crtc(index: u32): u32 {
  return load<u8>(DEV_VGA + index, VGA_CRTC)
}

/** The extension's pictures: 60 a second, 45 lines of vertical blanking (as 640x480 has), retrace for two of them. */
function extendedStatus(now: u64): u32 {
  const height = vbeRegister(VBE_YRES)
  const lines: u64 = height + 45
  const position = ((now % 1_000_000_000) * 60 * lines) / 1_000_000
  const line = <u32>((position / 1000) % lines)
  // A fifth of each line is horizontal blanking.
  let status: u32 = line >= height || position % 1000 >= 800 ? STATUS_DISABLED : 0
  if (line - height - 10 < 2) status |= STATUS_RETRACE
  return status
}

/** Where the beam is follows from the time and the programmed frame: it is at the first dot at machine time 0. */
function inputStatus1(now: u64): u32 {
  if (vbeEnabled()) return extendedStatus(now)
  const clocking = <u32>load<u8>(DEV_VGA + 1, VGA_SEQUENCER)
  const overflow = crtc(7)
  const dots: u64 = (clocking & 1 ? 8 : 9) * (clocking & 8 ? 2 : 1)
  const columns: u64 = crtc(0) + 5
  const lines: u64 = (crtc(6) | ((overflow & 1) << 8) | ((overflow & 0x20) << 4)) + 2
  const kilohertz: u64 = load<u8>(DEV_VGA, VGA_MISC) & 0x04 ? 28_322 : 25_175
  const dot = (now / 1_000_000_000) * kilohertz * 1000 + ((now % 1_000_000_000) * kilohertz) / 1_000_000
  const position = (dot / dots) % (columns * lines)
  const column = <u32>(position % columns)
  const line = <u32>(position / columns)
  const displayed = (crtc(0x12) | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3)) + 1
  const retrace = crtc(0x10) | ((overflow & 0x04) << 6) | ((overflow & 0x80) << 2)
  // The end of the vertical retrace is where the low four bits of the line counter match (CR11 bits 0-3)
  const length = (crtc(0x11) - retrace) & 0x0f
  let status: u32 = 0
  if (column > crtc(1) || line >= displayed) status |= STATUS_DISABLED
  if (line >= retrace && line < retrace + length) status |= STATUS_DISABLED | STATUS_RETRACE
  return status
}
