// The symbols that a Linux kernel carries in itself (kernel/kallsyms.c, scripts/kallsyms.c of 6.1), found in the guest's memory whatever
// KASLR has done to addresses: the token table has an entry per byte, and digits stand for themselves, one behind the other.
import type { MachineMemory } from '../../../machine/memory'
import { NameIndex } from '../../symbols/name-index'

const SYMBOLS_MAX = 1 << 20
const TOKENS = 256
/** Bytes of RAM between two words about progress. */
const STEP = 32 << 20

/** What it takes to look names up: made once, on any thread. */
export interface KallsymsParts {
  bytes: Uint8Array<ArrayBuffer>
  /** Offset of each symbol's name in `bytes`. */
  names: Uint32Array<ArrayBuffer>
  tokens: string[]
  /** Address of each symbol. */
  all: BigUint64Array<ArrayBuffer>
  /** Those at addresses of the kernel, by address. */
  order: Uint32Array<ArrayBuffer>
  slots: Uint32Array<ArrayBuffer>
}

export class Kallsyms {
  readonly #index: NameIndex

  constructor(readonly parts: KallsymsParts) {
    this.#index = new NameIndex(parts.slots)
  }

  static #from(
    bytes: Uint8Array<ArrayBuffer>,
    names: Uint32Array<ArrayBuffer>,
    tokens: string[],
    all: BigUint64Array<ArrayBuffer>,
  ): Kallsyms {
    // What is not an address of the kernel is an offset in the per-CPU area.
    const order = Uint32Array.from(names.keys()).filter((i) => all[i]! >> 63n === 1n)
    // The kernel sorts them itself, all but a few: what is in order already costs little.
    order.sort((a, b) => (all[a]! < all[b]! ? -1 : all[a]! > all[b]! ? 1 : a - b))
    const parts = { bytes, names, tokens, all, order, slots: new Uint32Array(1) }
    const nameless = new Kallsyms(parts)
    const everything = Uint32Array.from(names.keys())
    parts.slots = NameIndex.build(everything, (i) => nameless.#name(i)).slots
    return new Kallsyms(parts)
  }

  get size(): number {
    return this.parts.names.length
  }

  /**
   * @param progress is told now and then how much of RAM is done, 0 to 1
   * @returns undefined when there is none; takes as long as going through the guest's RAM once
   */
  static find(memory: MachineMemory, progress?: (done: number) => void): Kallsyms | undefined {
    const ram = Buffer.from(memory.wasm.buffer, memory.ram, memory.ramSize)
    const digits = Buffer.from([...'0123456789'].map((digit) => `${digit}\0`).join(''), 'latin1')
    for (let from = 0; from < ram.length; from += STEP) {
      // A match that begins here may end in the next part.
      const part = ram.subarray(from, Math.min(ram.length, from + STEP + digits.length - 1))
      for (let at = part.indexOf(digits); at >= 0; at = part.indexOf(digits, at + 1)) {
        const found = Kallsyms.#at(ram, from + at)
        if (found) return found
      }
      progress?.(Math.min(1, (from + STEP) / ram.length))
    }
    return undefined
  }

  /** @param digits where the tokens of the digits are */
  static #at(ram: Buffer, digits: number): Kallsyms | undefined {
    // Behind the tokens lies where each begins: 256 offsets of 16 bits, from 0, ascending.
    for (
      let index = (digits + 20 + 7) & ~7;
      index < digits + 8192 && index + 2 * TOKENS <= ram.length;
      index += 8
    ) {
      if (ram.readUInt16LE(index) !== 0) continue
      const zero = ram.readUInt16LE(index + 2 * 0x30)
      if (ram.readUInt16LE(index + 2 * 0x39) !== zero + 18 || zero === 0) continue
      const table = digits - zero
      const tokens: string[] = []
      let last = table
      for (let i = 0; i < TOKENS; i++) {
        const from = table + ram.readUInt16LE(index + 2 * i)
        const end = ram.indexOf(0, from)
        if (from < 0 || end < from || end - from > 64) break
        tokens.push(ram.toString('latin1', from, end))
        last = end + 1
      }
      // The offsets begin where the tokens end, at the next multiple of 8.
      if (tokens.length < TOKENS || table < 0 || index < last || index - last >= 8) continue
      const found = Kallsyms.#before(ram, table, tokens)
      if (found) return found
    }
    return undefined
  }

  /** In front of the tokens lie offsets, their base, the number of symbols, and the names. */
  static #before(ram: Buffer, table: number, tokens: string[]): Kallsyms | undefined {
    for (let at = table & ~7; at > Math.max(16, table - (16 << 20)); at -= 8) {
      const count = ram.readUInt32LE(at)
      if (count < 1000 || count > SYMBOLS_MAX || ram.readUInt32LE(at + 4) !== 0) continue
      // The base is where the kernel begins: in the top 2 GiB, at a multiple of 2 MiB.
      if (ram.readUInt32LE(at - 4) !== 0xffff_ffff || (ram.readUInt32LE(at - 8) & 0x1f_ffff) !== 0) continue
      const base = ram.readBigUInt64LE(at - 8)
      const offsets = at - 8 - ((count * 4 + 7) & ~7)
      if (offsets < 0) continue
      const names = new Uint32Array(count)
      let name = at + 8
      let good = true
      for (let i = 0; i < count && good; i++) {
        names[i] = name - (at + 8)
        let length = ram[name]!
        // Of 128 and more, in two bytes.
        if (length & 0x80) length = (length & 0x7f) | (ram[name + 1]! << 7)
        name += length + (ram[name]! & 0x80 ? 2 : 1)
        if (length === 0 || name > table) good = false
      }
      if (!good) continue
      const all = new BigUint64Array(count)
      for (let i = 0; i < count; i++) {
        const offset = ram.readInt32LE(offsets + 4 * i)
        // KALLSYMS_ABSOLUTE_PERCPU: what is not negative is itself.
        all[i] = offset >= 0 ? BigInt(offset) : BigInt.asUintN(64, base - 1n - BigInt(offset))
      }
      return Kallsyms.#from(Uint8Array.from(ram.subarray(at + 8, name)), names, tokens, all)
    }
    return undefined
  }

  /** Without the letter of its kind that stands in front. */
  #name(i: number): string {
    const { bytes, names, tokens } = this.parts
    let at = names[i]!
    let length = bytes[at++]!
    if (length & 0x80) length = (length & 0x7f) | (bytes[at++]! << 7)
    let name = ''
    for (let n = 0; n < length; n++) name += tokens[bytes[at + n]!]
    return name.slice(1)
  }

  address(name: string): bigint | undefined {
    const found = this.#index.find(name, (i) => this.#name(i))
    return found === undefined ? undefined : this.parts.all[found]!
  }

  label(address: bigint): string | undefined {
    const { all, order } = this.parts
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (all[order[middle]!]! <= address) low = middle + 1
      else high = middle
    }
    if (low === 0 || low === order.length) return undefined
    const offset = address - all[order[low - 1]!]!
    const name = this.#name(order[low - 1]!)
    return offset === 0n ? name : `${name}+${offset.toString(16).toUpperCase()}h`
  }
}
