// Lines of pixels as the CRT controller reads them out of video memory: VGA graphics in all their shift modes, text whose
// lines are moved about (split screen, smooth scrolling), and the linear pictures of the VBE extension.
// Reference: IBM Video Subsystem Technical Reference (1992), "CRT Controller Registers", "Attribute Controller Registers".
import type { ExtendedMode, VgaRegisters } from './vga-registers'

/** More is no screen, but registers half way between two modes. */
const WIDTH_MAX = 2048
const LINES_MAX = 1024
const TUBE = 4 / 3
/** Above that many lines the VBE's pixels are square; below, the picture fills a tube as the VGA's do. */
const TUBE_LINES_MAX = 400

interface Shape {
  width: number
  height: number
  /** Width to height as shown. */
  aspect: number
  /** Bits a pixel. */
  depth: number
}
/** DAC indices, or words 00RRGGBB. What `line` answers is valid until it is called again. */
export type Raster =
  | (Shape & { kind: 'indexed'; line(y: number): Uint8Array })
  | (Shape & { kind: 'rgb'; line(y: number): Uint32Array })

/** `text`: cells that lie where cells lie, better told as cells. */
export function rasterOf(vga: VgaRegisters): 'text' | Raster | undefined {
  const { extended } = vga
  if (extended) return extendedRaster(vga, extended)
  const { lines } = vga
  if (lines > LINES_MAX) return
  if ((vga.graphics(6) & 1) === 0) {
    const nine = (vga.sequencer(1) & 1) === 0
    const still = vga.presetRow === 0 && vga.bytePanning === 0 && vga.panning(false, nine) === 0
    return still && vga.lineCompare + 1 >= lines ? 'text' : textRaster(vga, nine)
  }
  return graphicsRaster(vga)
}

// ---------------------------------------------------------------------------------------------------------
// VBE

function extendedRaster(vga: VgaRegisters, mode: ExtendedMode): Raster | undefined {
  const { width, height, bits, pitch, start } = mode
  if (width === 0 || height === 0 || start + height * pitch > vga.bytes.length + pitch) return
  const shape = { width, height, aspect: height <= TUBE_LINES_MAX ? TUBE : width / height, depth: bits }
  const { bytes, words } = vga
  if (bits === 4) {
    const colours = attributeColours(vga)
    const into = new Uint8Array(width)
    const line = (y: number) => planarRow(vga, colours, into, 0, (x) => (start + y * pitch) / 4 + x)
    return { ...shape, kind: 'indexed', line }
  }
  if (bits === 8) {
    const mask = vga.pelMask
    const line = (y: number) => {
      const at = start + y * pitch
      const pixels = bytes.subarray(at, at + width)
      return mask === 0xff ? pixels : pixels.map((pixel) => pixel & mask)
    }
    return { ...shape, kind: 'indexed', line }
  }
  if (bits === 32 && start % 4 === 0) {
    const line = (y: number) => {
      const at = (start + y * pitch) / 4
      return words.subarray(at, at + width)
    }
    return { ...shape, kind: 'rgb', line }
  }
  const into = new Uint32Array(width)
  const line = (y: number) => {
    direct(bytes, start + y * pitch, bits, into)
    return into
  }
  return { ...shape, kind: 'rgb', line }
}

/** Five and six bits to eight, as the DAC does: the high bits again below. */
function direct(bytes: Uint8Array, at: number, bits: number, into: Uint32Array) {
  const size = (bits + 7) >> 3
  for (let x = 0; x < into.length; x++, at += size) {
    if (size > 2) {
      into[x] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
      continue
    }
    const value = bytes[at]! | (bytes[at + 1]! << 8)
    const blue = value & 31
    const green = bits === 15 ? (value >> 5) & 31 : (value >> 5) & 63
    const red = (value >> (bits === 15 ? 10 : 11)) & 31
    into[x] =
      (((red << 3) | (red >> 2)) << 16) |
      ((bits === 15 ? (green << 3) | (green >> 2) : (green << 2) | (green >> 4)) << 8) |
      (blue << 3) |
      (blue >> 2)
  }
}

// ---------------------------------------------------------------------------------------------------------
// The CRT controller's counters

interface ScanLine {
  /** Memory address counter at the first dot. */
  counter: number
  /** Row scan counter. */
  scan: number
  /** Below the line compare. */
  split: boolean
}

/** The counters at the beginning of each displayed scan line. */
function scanLines(vga: VgaRegisters): ScanLine[] {
  const { lines, pitch, rowHeight, lineCompare } = vga
  const twice = vga.doubleScan ? 2 : 1
  const found: ScanLine[] = []
  let row = vga.startAddress + vga.bytePanning
  let scan = vga.presetRow
  let split = false
  for (let line = 0, repeat = 0; line < lines; line++) {
    found.push({ counter: row, scan, split })
    if (line === lineCompare) {
      row = 0
      scan = 0
      repeat = 0
      split = true
      continue
    }
    if (++repeat < twice) continue
    repeat = 0
    if (scan === rowHeight - 1) {
      scan = 0
      row += pitch
    } else scan = (scan + 1) & 31
  }
  return found
}

/** How many scan lines show the same, all through the picture: 2 in modes with 200 lines. */
function repetition(found: ScanLine[], sameRow: boolean): number {
  const same = (a: ScanLine, b: ScanLine) => a.counter === b.counter && (sameRow || a.scan === b.scan)
  let run = 1
  while (run < found.length && same(found[run - 1]!, found[run]!)) run++
  if (run === 1 || found.length % run !== 0) return 1
  for (let at = 0; at < found.length; at += run) {
    for (let i = 1; i < run; i++) if (!same(found[at]!, found[at + i]!)) return 1
  }
  return run
}

function graphicsRaster(vga: VgaRegisters): Raster | undefined {
  const chunky = (vga.graphics(5) & 0x40) !== 0
  const interleaved = (vga.graphics(5) & 0x20) !== 0
  // 256 colours take two dot clocks a pixel.
  const width = vga.columns * (chunky ? 4 : 8)
  // Where the row scan counter is no part of the address, all scan lines of a row show the same.
  const scans = scanLines(vga)
  const run = repetition(scans, (vga.crtc(0x17) & 3) === 3)
  const height = Math.floor(scans.length / run)
  if (width < 64 || width > WIDTH_MAX || height < 1) return
  const into = new Uint8Array(width)
  const pan = vga.panning(chunky, false)
  const { panningStops } = vga
  const colours = attributeColours(vga)
  const row = chunky ? chunkyRow : interleaved ? interleavedRow : planarRow
  const line = (y: number) => {
    const { counter, scan, split } = scans[y * run]!
    const dots = split && panningStops ? 0 : pan
    return row(vga, colours, into, dots, (x) => vga.planeAddress((counter + x) & 0xffff, scan))
  }
  const planes = [0, 1, 2, 3].filter((plane) => (vga.attribute(0x12) >> plane) & 1).length
  return { kind: 'indexed', width, height, aspect: TUBE, depth: chunky ? 8 : Math.max(1, planes), line }
}

function attributeColours(vga: VgaRegisters): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, colour) => vga.dacIndex(colour))
}

/** @param pan dots skipped @param address of the planes at character clock x */
type Row = (
  vga: VgaRegisters,
  colours: Uint8Array,
  into: Uint8Array,
  pan: number,
  address: (x: number) => number,
) => Uint8Array

/** Mode 13h and its unchained relatives: a byte a pixel, pixel x in plane x & 3. */
const chunkyRow: Row = (vga, _colours, into, pan, address) => {
  const mask = vga.pelMask
  const { words } = vga
  for (let x = -pan, clock = 0; x < into.length; clock++) {
    const word = words[address(clock)]!
    for (let plane = 0; plane < 4; plane++, x++) if (x >= 0) into[x] = (word >>> (plane * 8)) & mask
  }
  return into
}

/** 16 colours: a bit of each plane a pixel. */
const planarRow: Row = (vga, colours, into, pan, address) => {
  const { words } = vga
  for (let x = -pan, clock = 0; x < into.length; clock++) {
    const word = words[address(clock)]!
    for (let bit = 7; bit >= 0; bit--, x++) {
      const dots = word >>> bit
      if (x < 0) continue
      into[x] = colours[(dots & 1) | ((dots >>> 7) & 2) | ((dots >>> 14) & 4) | ((dots >>> 21) & 8)]!
    }
  }
  return into
}

/** CGA's four colours: two bits a pixel, even bytes in plane 0, odd ones in plane 1. */
const interleavedRow: Row = (vga, colours, into, pan, address) => {
  const { words } = vga
  for (let x = -pan, clock = 0; x < into.length; clock++) {
    const word = words[address(clock)]!
    for (let pixel = 0; pixel < 8; pixel++, x++) {
      if (x < 0) continue
      const shift = (pixel >> 2) * 8 + 6 - 2 * (pixel & 3)
      into[x] = colours[((word >>> shift) & 3) | (((word >>> (shift + 16)) & 3) << 2)]!
    }
  }
  return into
}

// ---------------------------------------------------------------------------------------------------------
// Text that does not stand where cells stand

function textRaster(vga: VgaRegisters, nine: boolean): Raster | undefined {
  const cell = nine ? 9 : 8
  const width = vga.columns * cell
  const scans = scanLines(vga)
  const run = repetition(scans, false)
  const height = Math.floor(scans.length / run)
  if (width < 64 || width > WIDTH_MAX || height < 1) return
  const into = new Uint8Array(width)
  const colours = attributeColours(vga)
  const { words, panningStops } = vga
  const mode = vga.attribute(0x10)
  const pan = vga.panning(false, nine)
  const map = vga.sequencer(3)
  const base = (select: number) => (select & 3) * 0x4000 + (select >> 2) * 0x2000
  const fonts = [base((map & 3) | ((map >> 2) & 4)), base(((map >> 2) & 3) | ((map >> 3) & 4))]
  const cursorAt = (vga.crtc(0x0e) << 8) | vga.crtc(0x0f)
  const cursorOn = (vga.crtc(0x0a) & 0x20) === 0
  const line = (y: number) => {
    const { counter, scan, split } = scans[y * run]!
    for (let x = split && panningStops ? 0 : -pan, clock = 0; x < width; clock++) {
      const address = (counter + clock) & 0xffff
      const word = words[vga.planeAddress(address, 0)]!
      const code = word & 0xff
      const attribute = (word >>> 8) & 0xff
      let dots = ((words[fonts[(attribute >> 3) & 1]! + code * 32 + scan]! >>> 16) & 0xff) << 1
      if ((mode & 4) !== 0 && code >= 0xc0 && code <= 0xdf) dots |= (dots >> 1) & 1
      const cursor = cursorOn && address === cursorAt
      if (cursor && scan >= (vga.crtc(0x0a) & 31) && scan <= (vga.crtc(0x0b) & 31)) dots = 0x1ff
      const foreground = colours[attribute & 15]!
      const background = colours[(attribute >> 4) & ((mode & 8) !== 0 ? 7 : 15)]!
      for (let dot = 0; dot < cell; dot++, x++)
        if (x >= 0) into[x] = (dots & (0x100 >> dot)) !== 0 ? foreground : background
    }
    return into
  }
  return { kind: 'indexed', width, height, aspect: width / height, depth: 4, line }
}
