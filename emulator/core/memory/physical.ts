// The guest's physical address space: RAM, ROM, and everything else through the bus. Every access from the
// guest, DMA and firmware included, ends here or at a pointer given out here, and is bounded by this map.

import { codeWritten } from '../cpu/trace'
import { frameCount, frames, ram, ramSize } from '../cpu/context'
import { cpuCount, fullFence } from '../machine/smp'
import { deviceRead, deviceWrite } from './device'
import {
  DEV_VGA,
  FRAME_CODE,
  FRAME_FLAGS,
  FRAME_SIZE,
  FRAME_TOUCHED,
  FRAME_WRITTEN,
  HDR_A20,
  HDR_SHADOW,
  HEADER,
  PAGE_SIZE,
  ROM,
  ROM_SIZE,
  VGA_FRAME_BUFFER,
  VRAM,
  VRAM_SIZE,
} from '../layout'

const VIDEO_BASE: u64 = 0xa0000
const SHADOW_BASE: u64 = 0xc0000
const ROM_BASE: u64 = 0x100000 - ROM_SIZE
// HDR_SHADOW of the first 16 KiB
const SHADOW_READ: u32 = 1
const SHADOW_WRITE: u32 = 0x10000
/** I/O APIC, HPET and local APICs */
const BOARD_BASE: u64 = 0xfec00000
const BOARD_SIZE: u64 = 0x300000
const ROM_ALIAS: u64 = 0x100000000 - ROM_SIZE

/** Address line 20 as the board drives it (port 92h, 8042 output port). */
@inline
export function a20(phys: u64): u64 {
  return load<u32>(HEADER, HDR_A20) ? phys : phys & ~(0x100000 as u64)
}

/**
 * WebAssembly address of video memory at `phys` (A20 applied already) where the VGA's PCI function shows all of it, 0
 * elsewhere. No decoded code is kept of it and no frame metadata belongs to it.
 */
export function frameBufferPointer(phys: u64): usize {
  const base: u64 = load<u32>(DEV_VGA, VGA_FRAME_BUFFER)
  if (base == 0 || phys - base >= <u64>VRAM_SIZE) return 0
  // The APICs, the HPET and the ROM are in front of PCI: a BAR that lies over them, while it is sized or for good, hides none.
  if (phys - BOARD_BASE < BOARD_SIZE || phys >= ROM_ALIAS) return 0
  return <usize>VRAM + <usize>(phys - base)
}

/** Address of RAM below C0000h-FFFFFh where the host bridge lets it be what `wanted` says, 0 elsewhere (82441FX 3.2.18, PAM). */
function shadowPointer(phys: u64, wanted: u32): usize {
  if (phys < SHADOW_BASE || phys >= ramSize) return 0
  const allowed = load<u32>(HEADER, HDR_SHADOW) >> (<u32>(phys - SHADOW_BASE) >> 14)
  return (allowed & wanted) == wanted ? ram + <usize>phys : 0
}

/** A write of one byte that nobody else takes: RAM that is written there and not read, as while firmware copies itself. */
export function shadowWrite(phys: u64, value: u8): void {
  if (phys >= 0x100000) return
  const pointer = shadowPointer(phys, SHADOW_WRITE)
  if (pointer) store<u8>(pointer, value)
}

/**
 * WebAssembly address of RAM or the frame buffer at `phys` (A20 applied already), 0 when there is none. Valid to the
 * end of the frame.
 */
@inline
export function ramPointer(phys: u64): usize {
  if (phys >= ramSize) return frameBufferPointer(phys)
  if (phys >= VIDEO_BASE && phys < 0x100000) return shadowPointer(phys, SHADOW_READ | SHADOW_WRITE)
  return ram + (phys as usize)
}

/** WebAssembly address of RAM, ROM or the frame buffer at `phys`, 0 for devices and holes. Valid to the end of the frame. */
export function physicalPointer(phys: u64): usize {
  const address = a20(phys)
  const pointer = ramPointer(address)
  if (pointer) return pointer
  if (address >= SHADOW_BASE && address < 0x100000) {
    const shadow = shadowPointer(address, SHADOW_READ)
    if (shadow) return shadow
  }
  if (address >= ROM_BASE && address < 0x100000) return ROM + <usize>(address - ROM_BASE)
  if (address >= ROM_ALIAS && address < 0x100000000) return ROM + <usize>(address - ROM_ALIAS)
  return 0
}

/** True when `phys` is answered by the ROM, where the firmware's own instructions are valid. */
export function isRom(phys: u64): bool {
  const address = a20(phys)
  return (address >= ROM_BASE && address < 0x100000) || (address >= ROM_ALIAS && address < 0x100000000)
}

/**
 * To be called after RAM was written by pointer (DMA, firmware): drops decoded code that lay there and marks
 * the frames. `phys` and `length` in bytes, within RAM.
 */
export function frameWritten(phys: u64, length: u32): void {
  let at = a20(phys)
  let left = length
  // The bytes must be there before the marks are looked at (cpu/code-marks.ts).
  if (cpuCount() > 1) fullFence()
  while (left > 0) {
    const offset = <u32>at & (PAGE_SIZE - 1)
    let run: u32 = PAGE_SIZE - offset
    if (run > left) run = left
    const frame = <u32>(at >> 12)
    if (frame < frameCount) {
      const meta = frames + frame * FRAME_SIZE
      const seen: u32 = FRAME_TOUCHED | FRAME_WRITTEN
      if ((load<u32>(meta, FRAME_FLAGS) & seen) != seen) atomic.or<u32>(meta, seen, FRAME_FLAGS)
      if (load<u64>(meta, FRAME_CODE)) codeWritten(frame, offset, run)
    }
    at += run
    left -= run
  }
}

@inline
function read<T>(phys: u64): T {
  const offset = <u32>phys & (PAGE_SIZE - 1)
  if (offset + sizeof<T>() <= <u32>PAGE_SIZE) {
    const pointer = physicalPointer(phys)
    if (pointer) return load<T>(pointer)
    return deviceRead(a20(phys), sizeof<T>() as u32) as T
  }
  let value: u64 = 0
  for (let i: u32 = 0; i < sizeof<T>(); i++) value |= (physicalRead8(phys + i) as u64) << (i * 8)
  return value as T
}

@inline
function write<T>(phys: u64, value: T): void {
  const offset = <u32>phys & (PAGE_SIZE - 1)
  if (offset + sizeof<T>() <= <u32>PAGE_SIZE) {
    const pointer = ramPointer(a20(phys))
    if (pointer) {
      store<T>(pointer, value)
      frameWritten(phys, sizeof<T>() as u32)
    } else {
      deviceWrite(a20(phys), sizeof<T>() as u32, value as u64)
    }
    return
  }
  for (let i: u32 = 0; i < sizeof<T>(); i++) physicalWrite8(phys + i, <u8>((value as u64) >> (i * 8)))
}

export function physicalRead8(phys: u64): u8 {
  const pointer = physicalPointer(phys)
  return pointer ? load<u8>(pointer) : (deviceRead(a20(phys), 1) as u8)
}

export function physicalRead16(phys: u64): u16 {
  return read<u16>(phys)
}

export function physicalRead32(phys: u64): u32 {
  return read<u32>(phys)
}

export function physicalRead64(phys: u64): u64 {
  return read<u64>(phys)
}

export function physicalWrite8(phys: u64, value: u8): void {
  const pointer = ramPointer(a20(phys))
  if (pointer) {
    store<u8>(pointer, value)
    frameWritten(phys, 1)
  } else {
    deviceWrite(a20(phys), 1, value)
  }
}

export function physicalWrite16(phys: u64, value: u16): void {
  write<u16>(phys, value)
}

export function physicalWrite32(phys: u64, value: u32): void {
  write<u32>(phys, value)
}

export function physicalWrite64(phys: u64, value: u64): void {
  write<u64>(phys, value)
}
