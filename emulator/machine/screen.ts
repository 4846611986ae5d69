// What a monitor on the VGA would show, as data: text cells with their font, or pixels (scan-out.ts). Read from the
// registers and the planes (IBM Video Subsystem Technical Reference, "VGA Function"); drawing is somebody else's work.
import type { ScreenSnapshot, TextScreen } from './api'
import type { MachineMemory } from './memory'
import { type Raster, rasterOf } from './scan-out'
import { VgaRegisters } from './vga-registers'

const GLYPH_SIZE = 32
const FONT_SIZE = 256 * GLYPH_SIZE

/** The moment's screen. While the guest runs, a picture torn between two of its writes is possible, as on a monitor. */
export function screenSnapshot(memory: MachineMemory): ScreenSnapshot {
  const vga = new VgaRegisters(memory)
  const shown = displayed(vga)
  if (shown === undefined || shown === 'text')
    return shown === undefined ? { kind: 'blank' } : textScreen(vga)
  const { kind, width, height, aspect, depth } = shown
  if (kind === 'rgb') {
    const pixels = new Uint32Array(width * height)
    for (let y = 0; y < height; y++) pixels.set(shown.line(y), y * width)
    return { kind, width, height, aspect, depth, pixels }
  }
  const pixels = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) pixels.set(shown.line(y), y * width)
  return { kind, width, height, aspect, depth, pixels, palette: palette256(vga) }
}

/** What is on the screen: nothing, cells of text, or lines of pixels. */
export function displayed(vga: VgaRegisters): 'text' | Raster | undefined {
  // Screen off (clocking mode), the palette in the processor's hands, or the whole CRTC held in reset.
  if ((vga.sequencer(1) & 0x20) !== 0 || !vga.paletteAddressSource) return
  if (!vga.extended && (vga.crtc(0x17) & 0x80) === 0) return
  const raster = rasterOf(vga)
  if (raster !== 'text') return raster
  return textRows(vga) < 1 || vga.columns < 8 || vga.pitch === 0 ? undefined : 'text'
}

export function palette256(vga: VgaRegisters): Uint8Array {
  const palette = new Uint8Array(256 * 3)
  for (let colour = 0; colour < 256; colour++) vga.colour(colour, palette, colour * 3)
  return palette
}

function textRows(vga: VgaRegisters): number {
  return Math.floor(vga.lines / (vga.doubleScan ? 2 : 1) / vga.rowHeight)
}

export function textScreen(vga: VgaRegisters): TextScreen {
  const { columns, pitch, startAddress } = vga
  const cellHeight = vga.rowHeight
  const rows = textRows(vga)
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
    // Attribute bit 3 clear: map B (bits 0, 1, 4); set: map A (bits 2, 3, 5).
    font: font(vga, (map & 3) | ((map >> 2) & 4)),
    font2: font(vga, ((map >> 2) & 3) | ((map >> 3) & 4)),
    cellHeight,
    cellWidth: (vga.sequencer(1) & 1) !== 0 ? 8 : 9,
    lineGraphics: (mode & 4) !== 0,
    blink: (mode & 8) !== 0,
    underline: vga.crtc(0x14) & 0x1f,
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
  if (vga.extended) return readBank(vga, address, length)
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

/** The VBE extension's window, A0000h-AFFFFh. */
function readBank(vga: VgaRegisters, address: number, length: number): Uint8Array {
  const planar = vga.extended?.bits === 4
  return new Uint8Array(length).map((_, i) => {
    const offset = address + i - 0xa0000
    if (offset >= 0x10000) return 0xff
    const at = vga.bank + offset
    return (planar ? vga.bytes[at * 4 + (vga.graphics(4) & 3)] : vga.bytes[at]) ?? 0xff
  })
}
