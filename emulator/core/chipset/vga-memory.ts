// The processor's path to video memory, A0000h-BFFFFh: address decoding (chain 4, odd/even, planes), latches, the
// four write modes and the two read modes. Plane p at address a lies at VRAM + a * 4 + p, a in 0..65535.
//
// As on the real chip the addresses are kept, not packed: in chain 4 (mode 13h) the low two address bits select
// the plane and are then 0, so byte i of A0000h is plane i & 3 at address i & ~3; in odd/even (text) byte i of
// B8000h is plane i & 1 at address i & ~1, so the cell c of a text screen is the two bytes at VRAM + c * 8.
// While the VBE extension is on (vbe-dispi.ts), A0000h-AFFFFh shows a bank of 64 KiB: bytes one after the other, or with
// 4 bits a pixel an address of the four planes, of which there are then more than 64 Ki.
// Reference: IBM Video Subsystem Technical Reference (1992), "VGA Function", "Graphics Controller Registers".

import { DEV_VGA, VRAM, VRAM_SIZE } from '../layout'
import { VBE_BANK, VBE_BPP, vbeEnabled, vbeRegister } from './vbe-dispi'
import { VGA_GRAPHICS, VGA_LATCH, VGA_MISC, VGA_SEQUENCER } from './vga'

const APERTURE: u32 = 0xa0000
const OUTSIDE: u32 = 0xffff_ffff

const MISC_RAM: u32 = 0x02
const MEMORY_NO_ODD_EVEN: u32 = 0x04 // sequencer 4
const MEMORY_CHAIN4: u32 = 0x08
const MODE_READ_COMPARE: u32 = 0x08 // graphics 5
const MODE_READ_ODD_EVEN: u32 = 0x10
const MISC_CHAIN_ODD_EVEN: u32 = 0x02 // graphics 6

@inline
function graphics(index: usize): u32 {
  return load<u8>(<usize>DEV_VGA + VGA_GRAPHICS + index)
}

@inline
function sequencer(index: usize): u32 {
  return load<u8>(<usize>DEV_VGA + VGA_SEQUENCER + index)
}

/** A bit per plane to a byte per plane. */
@inline
function expand(planes: u32): u32 {
  return (((planes & 15) * 0x0020_4081) & 0x0101_0101) * 0xff
}

/** Offset in the aperture that graphics register 6 opens, OUTSIDE if `phys` is not in it. */
function decode(phys: u32): u32 {
  if ((load<u8>(DEV_VGA, VGA_MISC) & MISC_RAM) == 0) return OUTSIDE
  const offset = phys - APERTURE
  switch ((graphics(6) >> 2) & 3) {
    case 0:
      return offset
    case 1:
      return offset < 0x10000 ? offset : OUTSIDE
    case 2:
      return offset - 0x10000 < 0x8000 ? offset - 0x10000 : OUTSIDE
    default:
      return offset >= 0x18000 ? offset - 0x18000 : OUTSIDE
  }
}

/** VRAM address of the four planes' bytes at `offset`. */
function planesAt(offset: u32, memoryMode: u32): usize {
  let address = offset
  if (memoryMode & MEMORY_CHAIN4) address &= ~3
  // A0 selects the plane and is replaced, in the 128 KiB map by A16
  else if (graphics(6) & MISC_CHAIN_ODD_EVEN) address = (address & ~1) | (address >> 16)
  return VRAM + ((address & 0xffff) << 2)
}

/** Address in the extension's bank of an access at `phys`, OUTSIDE if the window is not there. */
@inline
function banked(phys: u32): u32 {
  const offset = phys - APERTURE
  return offset < 0x10000 ? offset + (vbeRegister(VBE_BANK) << 16) : OUTSIDE
}

/** The extension's linear window, one byte. */
function linearAt(phys: u32): usize {
  const at = banked(phys)
  return at < <u32>VRAM_SIZE ? VRAM + at : 0
}

function extendedPlanes(phys: u32): usize {
  const at = banked(phys)
  return at < <u32>VRAM_SIZE >> 2 ? VRAM + (at << 2) : 0
}

/** `phys` A0000h-BFFFFh. Loads the latches. */
export function vgaMemoryRead(phys: u32): u32 {
  if (vbeEnabled()) {
    const planar = vbeRegister(VBE_BPP) == 4
    const at = planar ? extendedPlanes(phys) : linearAt(phys)
    if (at == 0) return 0xff
    return planar ? readPlanes(load<u32>(at), 0) : load<u8>(at)
  }
  const offset = decode(phys)
  if (offset == OUTSIDE) return 0xff
  const memoryMode = sequencer(4)
  const latch = load<u32>(planesAt(offset, memoryMode))
  store<u32>(DEV_VGA, latch, VGA_LATCH)
  if (memoryMode & MEMORY_CHAIN4) return (latch >> ((offset & 3) << 3)) & 0xff
  return readPlanes(latch, offset)
}

/** Loads the latches with the bytes of the planes and answers by read mode; `offset`: its bit 0 counts in odd/even. */
function readPlanes(latch: u32, offset: u32): u32 {
  store<u32>(DEV_VGA, latch, VGA_LATCH)
  const mode = graphics(5)
  if (mode & MODE_READ_COMPARE) {
    // Read mode 1: bit n is 1 where all planes that are cared for have the compare colour
    let differs = (latch ^ expand(graphics(2))) & expand(graphics(7))
    differs |= differs >> 16
    differs |= differs >> 8
    return ~differs & 0xff
  }
  let plane = graphics(4)
  if (mode & MODE_READ_ODD_EVEN) plane = (plane & 2) | (offset & 1)
  return (latch >> (plane << 3)) & 0xff
}

/** `phys` A0000h-BFFFFh. */
export function vgaMemoryWrite(phys: u32, value: u32): void {
  if (vbeEnabled()) {
    if (vbeRegister(VBE_BPP) == 4) writePlanes(extendedPlanes(phys), sequencer(2), value)
    else {
      const at = linearAt(phys)
      if (at) store<u8>(at, value)
    }
    return
  }
  const offset = decode(phys)
  if (offset == OUTSIDE) return
  const memoryMode = sequencer(4)
  let planes = sequencer(2)
  if (memoryMode & MEMORY_CHAIN4) planes &= 1 << (offset & 3)
  else if ((memoryMode & MEMORY_NO_ODD_EVEN) == 0) planes &= offset & 1 ? 0x0a : 0x05
  writePlanes(planesAt(offset, memoryMode), planes, value)
}

/** Writes to the planes of the mask; `at` 0: nowhere. */
function writePlanes(at: usize, planes: u32, value: u32): void {
  if (planes == 0 || at == 0) return
  const mask = expand(planes)
  store<u32>(at, (load<u32>(at) & ~mask) | (modify(value) & mask))
}

/** What the graphics controller makes of a byte written: the new bytes of all four planes. */
function modify(value: u32): u32 {
  const latch = load<u32>(DEV_VGA, VGA_LATCH)
  const rotate = graphics(3)
  let bits = graphics(8)
  let data: u32
  switch (graphics(5) & 3) {
    case 0: {
      const setReset = expand(graphics(1))
      data = ((rotated(value, rotate) * 0x0101_0101) & ~setReset) | (expand(graphics(0)) & setReset)
      break
    }
    case 1:
      return latch
    case 2:
      data = expand(value)
      break
    default:
      bits &= rotated(value, rotate)
      data = expand(graphics(0))
  }
  switch (rotate >> 3) {
    case 1:
      data &= latch
      break
    case 2:
      data |= latch
      break
    case 3:
      data ^= latch
  }
  bits *= 0x0101_0101
  return (data & bits) | (latch & ~bits)
}

/** A byte rotated right by the low three bits of graphics register 3. */
@inline
function rotated(value: u32, count: u32): u32 {
  return ((value | (value << 8)) >> (count & 7)) & 0xff
}
