// Single pixels in the modes that the planar routines of video-text.ts are not for: the CGA's interleaved ones and those of
// the VBE.
import {
  VBE_BPP,
  VBE_X_OFFSET,
  VBE_XRES,
  VBE_Y_OFFSET,
  VBE_YRES,
  vbePitch,
  vbeRegister,
} from '../chipset/vbe-dispi'
import { VRAM, VRAM_SIZE } from '../layout'
import { physicalRead8, physicalWrite8 } from '../memory/physical'
import { isInterleaved } from './video-modes'

/** Colours 0-15 of text as 00RRGGBB. */
const COLOURS: usize = memory.data<u32>([
  0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa, 0x555555, 0x5555ff,
  0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff,
])

/** Bit 7 of `colour` XORs in the CGA's modes. Outside of the picture nothing happens. */
export function pixelWrite(mode: u32, x: u32, y: u32, colour: u32): void {
  if (isInterleaved(mode)) interleavedWrite(mode, x, y, colour)
  else extendedWrite(x, y, colour)
}

/** 0 outside of the picture. */
export function pixelRead(mode: u32, x: u32, y: u32): u32 {
  return isInterleaved(mode) ? interleavedRead(mode, x, y) : extendedRead(x, y)
}

/** Moves pixels left..right-1 of line `from` to line `to`, or makes them all `colour` (`fresh`). */
export function pixelsMove(
  mode: u32,
  left: u32,
  right: u32,
  from: u32,
  to: u32,
  fresh: bool,
  colour: u32,
): void {
  if (!isInterleaved(mode) && !fresh && vbeRegister(VBE_BPP) >= 8) {
    const bytes = bytesPerPixel()
    const source = pixelAt(left, from)
    const target = pixelAt(left, to)
    if (source && target && right <= vbeRegister(VBE_XRES))
      memory.copy(target, source, (right - left) * bytes)
    return
  }
  for (let x = left; x < right; x++) pixelWrite(mode, x, to, fresh ? colour : pixelRead(mode, x, from))
}

// ---------------------------------------------------------------------------------------------------------
// Modes 04h-06h

/** Two bits a pixel in modes 04h and 05h, one in 06h. */
function interleavedAddress(mode: u32, x: u32, y: u32): u64 {
  return 0xb8000 + (y & 1) * 0x2000 + (y >> 1) * 80 + (mode == 6 ? x >> 3 : x >> 2)
}

function interleavedInside(mode: u32, x: u32, y: u32): bool {
  return x < (mode == 6 ? <u32>640 : <u32>320) && y < 200
}

function interleavedShift(mode: u32, x: u32): u32 {
  return mode == 6 ? 7 - (x & 7) : 6 - (x & 3) * 2
}

function interleavedWrite(mode: u32, x: u32, y: u32, colour: u32): void {
  if (!interleavedInside(mode, x, y)) return
  const at = interleavedAddress(mode, x, y)
  const shift = interleavedShift(mode, x)
  const mask: u32 = (mode == 6 ? 1 : 3) << shift
  const bits = (colour << shift) & mask
  const before: u32 = physicalRead8(at)
  physicalWrite8(at, <u8>(colour & 0x80 ? before ^ bits : (before & ~mask) | bits))
}

function interleavedRead(mode: u32, x: u32, y: u32): u32 {
  if (!interleavedInside(mode, x, y)) return 0
  const byte: u32 = physicalRead8(interleavedAddress(mode, x, y))
  return (byte >> interleavedShift(mode, x)) & (mode == 6 ? 1 : 3)
}

// ---------------------------------------------------------------------------------------------------------
// VBE

function bytesPerPixel(): u32 {
  return (vbeRegister(VBE_BPP) + 7) >> 3
}

/** Address of a pixel in video memory, 0 outside of the picture. */
function pixelAt(x: u32, y: u32): usize {
  if (x >= vbeRegister(VBE_XRES) || y >= vbeRegister(VBE_YRES)) return 0
  const at = (y + vbeRegister(VBE_Y_OFFSET)) * vbePitch() + (x + vbeRegister(VBE_X_OFFSET)) * bytesPerPixel()
  return at + 4 <= <u32>VRAM_SIZE ? VRAM + at : 0
}

/** The planes' bytes with a pixel of four bits, 0 outside of the picture. */
function planesOf(x: u32, y: u32): usize {
  if (x >= vbeRegister(VBE_XRES) || y >= vbeRegister(VBE_YRES)) return 0
  const column = (x + vbeRegister(VBE_X_OFFSET)) >> 3
  const at = (y + vbeRegister(VBE_Y_OFFSET)) * vbePitch() + (column << 2)
  return at + 4 <= <u32>VRAM_SIZE ? VRAM + at : 0
}

/** Colours are those of text, or DAC indices with 8 bits. */
function extendedWrite(x: u32, y: u32, colour: u32): void {
  const bits = vbeRegister(VBE_BPP)
  if (bits == 4) {
    const at = planesOf(x, y)
    if (at == 0) return
    const mask: u32 = 0x80 >> ((x + vbeRegister(VBE_X_OFFSET)) & 7)
    for (let plane: u32 = 0; plane < 4; plane++) {
      const before = load<u8>(at + plane)
      store<u8>(at + plane, (colour >> plane) & 1 ? before | mask : before & ~mask)
    }
    return
  }
  const at = pixelAt(x, y)
  if (at == 0) return
  if (bits == 8) {
    store<u8>(at, colour)
    return
  }
  const rgb = load<u32>(COLOURS + (colour & 15) * 4)
  const red = (rgb >> 16) & 0xff
  const green = (rgb >> 8) & 0xff
  const blue = rgb & 0xff
  if (bits == 15) store<u16>(at, ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3))
  else if (bits == 16) store<u16>(at, ((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3))
  else {
    store<u16>(at, <u16>rgb)
    store<u8>(at, red, 2)
    if (bits == 32) store<u8>(at, 0, 3)
  }
}

/** Direct colours are answered as the nearest of text. */
function extendedRead(x: u32, y: u32): u32 {
  const bits = vbeRegister(VBE_BPP)
  if (bits == 4) {
    const at = planesOf(x, y)
    if (at == 0) return 0
    const shift = 7 - ((x + vbeRegister(VBE_X_OFFSET)) & 7)
    const word = load<u32>(at) >> shift
    return (word & 1) | ((word >> 7) & 2) | ((word >> 14) & 4) | ((word >> 21) & 8)
  }
  const at = pixelAt(x, y)
  if (at == 0) return 0
  if (bits == 8) return load<u8>(at)
  const word: u32 = bits < 24 ? load<u16>(at) : load<u32>(at)
  const red: u32 =
    bits == 15 ? ((word >> 10) & 31) << 3 : bits == 16 ? (word >> 11) << 3 : (word >> 16) & 0xff
  const green: u32 =
    bits == 15 ? ((word >> 5) & 31) << 3 : bits == 16 ? ((word >> 5) & 63) << 2 : (word >> 8) & 0xff
  const blue: u32 = bits < 24 ? (word & 31) << 3 : word & 0xff
  let nearest: u32 = 0
  let least: u32 = 0xffffffff
  for (let colour: u32 = 0; colour < 16; colour++) {
    const rgb = load<u32>(COLOURS + colour * 4)
    const off = square((rgb >> 16) & 0xff, red) + square((rgb >> 8) & 0xff, green) + square(rgb & 0xff, blue)
    if (off < least) {
      least = off
      nearest = colour
    }
  }
  return nearest
}

function square(a: u32, b: u32): u32 {
  const difference = <i32>a - <i32>b
  return <u32>(difference * difference)
}
