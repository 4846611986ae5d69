// Reading numbers from bytes that nobody has checked.
import { SymbolError } from '../symbol-error'

export class Cursor {
  readonly #view: DataView
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    /** Where the bytes lie in their section, for messages. */
    readonly where = '',
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }
  u8(): number {
    this.#need(1)
    return this.bytes[this.at++]!
  }
  u16(): number {
    this.#need(2)
    this.at += 2
    return this.#view.getUint16(this.at - 2, true)
  }
  u24(): number {
    return this.u16() | (this.u8() << 16)
  }
  u32(): number {
    this.#need(4)
    this.at += 4
    return this.#view.getUint32(this.at - 4, true)
  }
  u64(): bigint {
    this.#need(8)
    this.at += 8
    return this.#view.getBigUint64(this.at - 8, true)
  }
  i8(): number {
    return (this.u8() << 24) >> 24
  }
  /** An offset: 4 bytes in 32-bit DWARF, else 8. */
  offset(wide: boolean): number {
    return wide ? this.#safe(this.u64()) : this.u32()
  }
  address(size: number): bigint {
    switch (size) {
      case 8:
        return this.u64()
      case 4:
        return BigInt(this.u32())
      case 2:
        return BigInt(this.u16())
      default:
        throw new SymbolError(`addresses of ${size} bytes${this.where}`)
    }
  }
  /** @returns a number where it fits, else the bits above 2^53 are lost in it */
  uleb(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 16; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new SymbolError(`a number without an end${this.where}`)
  }
  ulebBig(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 112n; shift += 7n) {
      const byte = this.u8()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new SymbolError(`a number without an end${this.where}`)
  }
  sleb(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 16; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - scale : value
    }
    throw new SymbolError(`a number without an end${this.where}`)
  }
  skipLeb() {
    for (let i = 0; i < 16; i++) if (this.u8() < 0x80) return
    throw new SymbolError(`a number without an end${this.where}`)
  }
  text(): string {
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0) throw new SymbolError(`a text without an end${this.where}`)
    const { buffer, byteOffset } = this.bytes
    const text = Buffer.from(buffer, byteOffset + this.at, end - this.at).toString('utf8')
    this.at = end + 1
    return text
  }
  skipText() {
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0) throw new SymbolError(`a text without an end${this.where}`)
    this.at = end + 1
  }
  block(length: number): Uint8Array {
    this.#need(length)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
  skip(length: number) {
    this.#need(length)
    this.at += length
  }
  #need(count: number) {
    if (!(count >= 0) || this.at + count > this.bytes.length) {
      throw new SymbolError(
        `${count} bytes at ${this.at} go beyond the ${this.bytes.length} that are there${this.where}`,
      )
    }
  }
  #safe(value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new SymbolError(`an offset of ${value}${this.where}`)
    return Number(value)
  }
}
