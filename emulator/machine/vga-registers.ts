// The VGA's registers as the display side reads them. Where they lie: emulator/core/chipset/vga.ts.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

const VGA_MISC = 0
const VGA_ATTRIBUTE_INDEX = 5
const VGA_PEL_MASK = 11
const VGA_SEQUENCER = 32
const VGA_GRAPHICS = 48
const VGA_CRTC = 64
const VGA_ATTRIBUTE = 96
const VGA_PALETTE = 256
// emulator/core/chipset/vbe-dispi.ts
const VBE_REGISTERS = 1026
const VBE_XRES = 1
const VBE_YRES = 2
const VBE_BPP = 3
const VBE_ENABLE = 4
const VBE_BANK = 5
const VBE_VIRTUAL_WIDTH = 6
const VBE_X_OFFSET = 8
const VBE_Y_OFFSET = 9
const ENABLE_ENABLED = 0x01
const ENABLE_DAC_8BIT = 0x20

/** A picture that lies in video memory line by line. */
export interface ExtendedMode {
  width: number
  height: number
  /** Per pixel: 4 (planes), 8 (DAC), 15, 16, 24 or 32. */
  bits: number
  /** Bytes from line to line. */
  pitch: number
  /** Byte of the first pixel. */
  start: number
}

/** Names and indices are those of the IBM Video Subsystem Technical Reference, "VGA Function". */
export class VgaRegisters {
  readonly #u8: Uint8Array
  /** Video memory: address a of plane p is byte p of word a. */
  readonly words: Uint32Array
  readonly bytes: Uint8Array

  constructor({ u8 }: MachineMemory) {
    this.#u8 = u8
    this.bytes = u8.subarray(L.VRAM, L.VRAM + L.VRAM_SIZE)
    this.words = new Uint32Array(u8.buffer, u8.byteOffset + L.VRAM, L.VRAM_SIZE / 4)
  }

  #vbe(index: number): number {
    const at = L.DEV_VGA + VBE_REGISTERS + index * 2
    return this.#u8[at]! | (this.#u8[at + 1]! << 8)
  }

  /** The picture of the VBE extension, undefined while it is off. */
  get extended(): ExtendedMode | undefined {
    if ((this.#vbe(VBE_ENABLE) & ENABLE_ENABLED) === 0) return undefined
    const bits = this.#vbe(VBE_BPP)
    const bytesPerPixel = bits === 4 ? 0.5 : (bits + 7) >> 3
    const pitch = this.#vbe(VBE_VIRTUAL_WIDTH) * bytesPerPixel
    return {
      width: this.#vbe(VBE_XRES),
      height: this.#vbe(VBE_YRES),
      bits,
      pitch,
      start: this.#vbe(VBE_Y_OFFSET) * pitch + this.#vbe(VBE_X_OFFSET) * bytesPerPixel,
    }
  }
  /** First byte of video memory in the extension's window at A0000h. */
  get bank(): number {
    return this.#vbe(VBE_BANK) << 16
  }
  get #dac8(): boolean {
    return (this.#vbe(VBE_ENABLE) & ENABLE_DAC_8BIT) !== 0
  }

  get miscellaneous(): number {
    return this.#u8[L.DEV_VGA + VGA_MISC]!
  }
  /** The screen uses the palette (PAS); 0 while the processor loads it, and before a mode is set. */
  get paletteAddressSource(): boolean {
    return (this.#u8[L.DEV_VGA + VGA_ATTRIBUTE_INDEX]! & 0x20) !== 0
  }
  sequencer(index: number): number {
    return this.#u8[L.DEV_VGA + VGA_SEQUENCER + index]!
  }
  graphics(index: number): number {
    return this.#u8[L.DEV_VGA + VGA_GRAPHICS + index]!
  }
  crtc(index: number): number {
    return this.#u8[L.DEV_VGA + VGA_CRTC + index]!
  }
  attribute(index: number): number {
    return this.#u8[L.DEV_VGA + VGA_ATTRIBUTE + index]!
  }

  /** Byte of a plane. @param address 0..65535 */
  plane(plane: number, address: number): number {
    return this.#u8[L.VRAM + (address & 0xffff) * 4 + plane]!
  }

  /** Scan lines displayed. */
  get lines(): number {
    const overflow = this.crtc(7)
    return (this.crtc(0x12) | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3)) + 1
  }
  /** Character clocks displayed in a line. */
  get columns(): number {
    return this.crtc(1) + 1
  }
  /** Scan lines each row of characters, or of pixels, is drawn for. */
  get rowHeight(): number {
    return (this.crtc(9) & 0x1f) + 1
  }
  get doubleScan(): boolean {
    return (this.crtc(9) & 0x80) !== 0
  }
  get startAddress(): number {
    return (this.crtc(0x0c) << 8) | this.crtc(0x0d)
  }
  /** What the memory address counter grows by from row to row. */
  get pitch(): number {
    return this.crtc(0x13) * 2
  }
  /** The scan line behind which the picture goes on at address 0. */
  get lineCompare(): number {
    return this.crtc(0x18) | ((this.crtc(7) & 0x10) << 4) | ((this.crtc(9) & 0x40) << 3)
  }
  /** Scan line of the first row that the picture begins with. */
  get presetRow(): number {
    return this.crtc(8) & 0x1f
  }
  /** Addresses that the picture begins further on. */
  get bytePanning(): number {
    return (this.crtc(8) >> 5) & 3
  }
  /** Dots that the picture is shifted to the left, 0..8. @param chunky 256 colours: two clocks a dot */
  panning(chunky: boolean, nineDots: boolean): number {
    const value = this.attribute(0x13) & 15
    if (chunky) return (value >> 1) & 3
    if (nineDots) return value >= 8 ? 0 : value + 1
    return value & 7
  }
  /** Panning does not move what is below the line compare. */
  get panningStops(): boolean {
    return (this.attribute(0x10) & 0x20) !== 0
  }

  /**
   * Address in the planes for a value of the CRTC's memory address counter.
   * @param scan line within the row: CGA-compatible modes use its bits as address bits
   */
  planeAddress(counter: number, scan: number): number {
    const mode = this.crtc(0x17)
    let address: number
    if ((this.crtc(0x14) & 0x40) !== 0) address = (counter << 2) | ((counter >> 14) & 3)
    else if ((mode & 0x40) === 0)
      address = (counter << 1) | ((counter >> ((mode & 0x20) !== 0 ? 15 : 13)) & 1)
    else address = counter
    if ((mode & 1) === 0) address = (address & ~0x2000) | ((scan & 1) << 13)
    if ((mode & 2) === 0) address = (address & ~0x4000) | ((scan & 2) << 13)
    return address & 0xffff
  }

  /** DAC colour of a 4-bit attribute, through the palette registers and the colour select register. */
  dacIndex(colour: number): number {
    const entry = this.attribute(colour & this.attribute(0x12) & 15)
    const select = this.attribute(0x14)
    const low = (this.attribute(0x10) & 0x80) !== 0 ? (entry & 0x0f) | ((select & 3) << 4) : entry & 0x3f
    return (low | ((select & 0x0c) << 4)) & this.pelMask
  }
  get pelMask(): number {
    return this.#u8[L.DEV_VGA + VGA_PEL_MASK]!
  }

  /** Red, green, blue of a DAC colour, 8 bits each. */
  colour(index: number, into: Uint8Array, at: number) {
    const wide = this.#dac8
    for (let component = 0; component < 3; component++) {
      const value = this.#u8[L.DEV_VGA + VGA_PALETTE + index * 3 + component]!
      into[at + component] = wide ? value : ((value & 0x3f) << 2) | ((value & 0x3f) >> 4)
    }
  }
}
