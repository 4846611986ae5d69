// What a monitor on the VGA would show, as data: text cells with their font, or palette indices of pixels. Read from the
// registers and the planes (IBM Video Subsystem Technical Reference, "VGA Function"); drawing is somebody else's work.
import type { IndexedScreen, ScreenSnapshot, TextScreen } from './api'
import type { MachineMemory } from './memory'
import { VgaRegisters } from './vga-registers'

const GLYPH_SIZE = 32
const FONT_SIZE = 256 * GLYPH_SIZE
/** More is no screen, but registers half way between two modes. */
const WIDTH_MAX = 2048
const LINES_MAX = 1024

/** The moment's screen. While the guest runs, a picture torn between two of its writes is possible, as on a monitor. */
export function screenSnapshot(memory: MachineMemory): ScreenSnapshot {
  const vga = new VgaRegisters(memory)
  const off = (vga.sequencer(1) & 0x20) !== 0 || !vga.paletteAddressSource || (vga.crtc(0x17) & 0x80) === 0
  if (off || vga.lines > LINES_MAX) return { kind: 'blank' }
  return (vga.graphics(6) & 1) === 0 ? textScreen(vga) : graphicsScreen(vga)
}

function textScreen(vga: VgaRegisters): ScreenSnapshot {
  const { columns, pitch, startAddress } = vga
  const cellHeight = vga.rowHeight
  const rows = Math.floor(vga.lines / (vga.doubleScan ? 2 : 1) / cellHeight)
  if (columns < 8 || rows < 1 || pitch === 0) return { kind: 'blank' }
  const cells = new Uint8Array(columns * rows * 2)
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += 2) {
      const address = vga.planeAddress((startAddress + row * pitch + column) & 0xffff, 0)
      cells[at] = vga.plane(0, address)
      cells[at + 1] = vga.plane(1, address)
    }
  }
  const mode = vga.attribute(0x10)
  const map = vga.sequencer(3)
  const palette = new Uint8Array(16 * 3)
  for (let colour = 0; colour < 16; colour++) vga.colour(vga.dacIndex(colour), palette, colour * 3)
  return {
    kind: 'text',
    columns,
    rows,
    cells,
    font: font(vga, (map & 3) | ((map >> 2) & 4)),
    font2: font(vga, ((map >> 2) & 3) | ((map >> 3) & 4)),
    cellHeight,
    cellWidth: (vga.sequencer(1) & 1) !== 0 ? 8 : 9,
    lineGraphics: (mode & 4) !== 0,
    blink: (mode & 8) !== 0,
    cursor: cursor(vga, columns, rows),
    palette,
  } satisfies TextScreen
}

function cursor(vga: VgaRegisters, columns: number, rows: number): TextScreen['cursor'] {
  const start = vga.crtc(0x0a) & 0x1f
  const end = vga.crtc(0x0b) & 0x1f
  const offset = (((vga.crtc(0x0e) << 8) | vga.crtc(0x0f)) - vga.startAddress) & 0xffff
  const row = Math.floor(offset / vga.pitch)
  const column = offset % vga.pitch
  const off = (vga.crtc(0x0a) & 0x20) !== 0
  return { visible: !off && start <= end && row < rows && column < columns, column, row, start, end }
}

/** @param map character map select, 0..7: maps 4-7 lie between maps 0-3 */
function font(vga: VgaRegisters, map: number): Uint8Array {
  const base = (map & 3) * 0x4000 + (map >> 2) * 0x2000
  return new Uint8Array(FONT_SIZE).map((_, i) => vga.plane(2, base + i))
}

function graphicsScreen(vga: VgaRegisters): ScreenSnapshot {
  const chunky = (vga.graphics(5) & 0x40) !== 0
  // 256 colours take two dot clocks a pixel.
  const width = vga.columns * (chunky ? 4 : 8)
  const repeat = vga.doubleScan ? 2 : 1
  // Modes with the row scan counter in the address show every scan line; others repeat a line rowHeight times.
  const scans = (vga.crtc(0x17) & 3) === 3 ? 1 : vga.rowHeight
  const lineHeight = (repeat * vga.rowHeight) / scans
  const height = Math.floor(vga.lines / lineHeight)
  if (width < 64 || width > WIDTH_MAX || height < 1) return { kind: 'blank' }
  const pixels = new Uint8Array(width * height)
  const row = chunky ? chunkyRow : (vga.graphics(5) & 0x20) !== 0 ? interleavedRow : planarRow
  const colours = Array.from({ length: 16 }, (_, colour) => vga.dacIndex(colour))
  for (let line = 0; line < height; line++) {
    const counter = vga.startAddress + Math.floor(line / scans) * vga.pitch
    row(vga, counter, line % scans, pixels.subarray(line * width, (line + 1) * width), colours)
  }
  const palette = new Uint8Array(256 * 3)
  for (let colour = 0; colour < 256; colour++) vga.colour(colour, palette, colour * 3)
  return { kind: 'indexed', width, height, pixels, palette } satisfies IndexedScreen
}

type Row = (vga: VgaRegisters, counter: number, scan: number, into: Uint8Array, colours: number[]) => void

/** Mode 13h and its unchained relatives: a byte a pixel, pixel x in plane x & 3. */
const chunkyRow: Row = (vga, counter, scan, into) => {
  const mask = vga.pelMask
  for (let x = 0; x < into.length; x += 4) {
    const address = vga.planeAddress((counter + x / 4) & 0xffff, scan)
    for (let plane = 0; plane < 4; plane++) into[x + plane] = vga.plane(plane, address) & mask
  }
}

/** 16 colours: a bit of each plane a pixel. */
const planarRow: Row = (vga, counter, scan, into, colours) => {
  for (let x = 0; x < into.length; x += 8) {
    const address = vga.planeAddress((counter + x / 8) & 0xffff, scan)
    const bytes = [0, 1, 2, 3].map((plane) => vga.plane(plane, address))
    for (let bit = 0; bit < 8; bit++) {
      let colour = 0
      for (let plane = 0; plane < 4; plane++) colour |= ((bytes[plane]! >> (7 - bit)) & 1) << plane
      into[x + bit] = colours[colour]!
    }
  }
}

/** CGA's four colours: two bits a pixel, even bytes in plane 0, odd ones in plane 1. */
const interleavedRow: Row = (vga, counter, scan, into, colours) => {
  for (let x = 0; x < into.length; x += 8) {
    const address = vga.planeAddress((counter + x / 8) & 0xffff, scan)
    for (let pixel = 0; pixel < 8; pixel++) {
      const plane = pixel >> 2
      const shift = 6 - 2 * (pixel & 3)
      const low = (vga.plane(plane, address) >> shift) & 3
      const high = (vga.plane(plane + 2, address) >> shift) & 3
      into[x + pixel] = colours[low | (high << 2)]!
    }
  }
}

/**
 * Bytes of A0000h-BFFFFh as the processor would read them, without loading the latches. FFh where the aperture is not
 * open. (Read mode 1, colour compare, is read as mode 0.)
 */
export function readVideo(memory: MachineMemory, address: number, length: number): Uint8Array {
  const vga = new VgaRegisters(memory)
  const bytes = new Uint8Array(length)
  const map = (vga.graphics(6) >> 2) & 3
  const [start, size] = [
    [0xa0000, 0x20000],
    [0xa0000, 0x10000],
    [0xb0000, 0x8000],
    [0xb8000, 0x8000],
  ][map] as [number, number]
  const open = (vga.miscellaneous & 2) !== 0
  const chain4 = (vga.sequencer(4) & 8) !== 0
  const oddEven = (vga.graphics(6) & 2) !== 0
  for (let i = 0; i < length; i++) {
    const offset = address + i - start
    if (!open || offset < 0 || offset >= size) {
      bytes[i] = 0xff
    } else if (chain4) {
      bytes[i] = vga.plane(offset & 3, offset & ~3)
    } else {
      const at = oddEven ? (offset & ~1) | (offset >> 16) : offset
      const plane = vga.graphics(4)
      bytes[i] = vga.plane((vga.graphics(5) & 0x10) !== 0 ? (plane & 2) | (offset & 1) : plane, at)
    }
  }
  return bytes
}
