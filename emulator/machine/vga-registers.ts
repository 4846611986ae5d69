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

/** Names and indices are those of the IBM Video Subsystem Technical Reference, "VGA Function". */
export class VgaRegisters {
  readonly #u8: Uint8Array

  constructor({ u8 }: MachineMemory) {
    this.#u8 = u8
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
    for (let component = 0; component < 3; component++) {
      const value = this.#u8[L.DEV_VGA + VGA_PALETTE + index * 3 + component]!
      into[at + component] = (value << 2) | (value >> 4)
    }
  }
}
