// The sections of an ELF file that hold symbols, unpacked where they are compressed.
import * as zlib from 'node:zlib'
import {
  type ByteSource,
  bytesSource,
  type Elf,
  type ElfSection,
  SHF_COMPRESSED,
  SHT_NOBITS,
} from '../../media/elf'
import { hex, SymbolError } from './symbol-error'

/** Sections of one name that are read. */
const JOINED_MAX = 1 << 16
/** What one section may take in memory when it is unpacked. */
export const SECTION_MAX = 2 ** 30
const ELFCOMPRESS_ZLIB = 1
const ELFCOMPRESS_ZSTD = 2

type Unpack = (packed: Uint8Array, options: { maxOutputLength: number }) => Buffer
/** Node.js has it from version 22.15 on. */
const zstd = (zlib as { zstdDecompressSync?: Unpack }).zstdDecompressSync

export class Sections {
  readonly #found = new Map<string, ByteSource>()

  constructor(
    readonly file: ByteSource,
    readonly elf: Elf,
  ) {}

  /**
   * @param name `.debug_info`; `.zdebug_info` is found by that name as well
   * @returns an empty source when there is none
   * @throws SymbolError when it is there and cannot be read
   */
  get(name: string): ByteSource {
    let source = this.#found.get(name)
    if (!source) {
      source = this.#open(name)
      this.#found.set(name, source)
    }
    return source
  }

  readonly #unpacked = new Map<string, Uint8Array<ArrayBuffer>>()

  /** Sections that were packed, as they are unpacked so far. */
  unpacked(): [name: string, bytes: Uint8Array<ArrayBuffer>][] {
    return [...this.#unpacked]
  }

  /** Takes sections that another thread has unpacked. */
  adopt(unpacked: [name: string, bytes: Uint8Array<ArrayBuffer>][]) {
    for (const [name, bytes] of unpacked) this.#found.set(name, bytesSource(bytes))
  }

  #open(name: string): ByteSource {
    // An object file has a section for each type of its own (COMDAT).
    const all = name.endsWith('.dwo') ? this.elf.sections.filter((section) => section.name === name) : []
    if (all.length > 1) return joined(all.slice(0, JOINED_MAX).map((each) => this.#plain(each)))
    const plain = this.elf.sections.find((section) => section.name === name)
    if (plain) return this.#plain(plain)
    const old = this.elf.sections.find((section) => section.name === name.replace('.debug', '.zdebug'))
    return old && name.startsWith('.debug') ? this.#keep(name, this.#oldInflated(old)) : EMPTY
  }

  #plain(section: ElfSection): ByteSource {
    if ((section.flags & SHF_COMPRESSED) === 0n) return this.#raw(section)
    return this.#keep(section.name, this.#inflated(section))
  }

  #keep(name: string, bytes: Uint8Array<ArrayBuffer>): ByteSource {
    this.#unpacked.set(name, bytes)
    return bytesSource(bytes)
  }

  #raw({ name, offset, size, type }: ElfSection): ByteSource {
    if (type === SHT_NOBITS) return EMPTY
    if (offset + size > this.file.size) {
      throw new SymbolError(
        `section ${name} was cut off: it ends at ${hex(offset + size)}, the file has ${hex(this.file.size)} bytes`,
      )
    }
    const { file } = this
    return {
      size,
      read: (at, length) =>
        at >= size || at < 0 ? new Uint8Array(0) : file.read(offset + at, Math.min(length, size - at)),
    }
  }

  /** Chdr (gABI, "Section Compression"): type, size, alignment, then the packed bytes. */
  #inflated(section: ElfSection): Uint8Array<ArrayBuffer> {
    const wide = this.elf.bits === 64
    const head = wide ? 24 : 12
    const raw = this.#raw(section)
    const bytes = raw.read(0, raw.size)
    if (bytes.length < head)
      throw new SymbolError(`section ${section.name} is too short for its compression header`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const type = view.getUint32(0, true)
    const method = type === ELFCOMPRESS_ZLIB ? zlib.inflateSync : type === ELFCOMPRESS_ZSTD ? zstd : undefined
    if (!method) {
      const what = type === ELFCOMPRESS_ZSTD ? 'zstd, which this Node.js cannot unpack' : `method ${type}`
      throw new SymbolError(`section ${section.name} is compressed by ${what}`)
    }
    return unpack(
      section.name,
      bytes.subarray(head),
      wide ? view.getBigUint64(8, true) : BigInt(view.getUint32(4, true)),
      method,
    )
  }

  /** GNU's form before that: "ZLIB", the size as eight bytes, big-endian. */
  #oldInflated(section: ElfSection): Uint8Array<ArrayBuffer> {
    const raw = this.#raw(section)
    const bytes = raw.read(0, raw.size)
    if (bytes.length < 12 || Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== 'ZLIB') {
      throw new SymbolError(`section ${section.name} does not begin with ZLIB`)
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return unpack(section.name, bytes.subarray(12), view.getBigUint64(4, false), zlib.inflateSync)
  }
}

/** One behind the other. */
function joined(parts: ByteSource[]): ByteSource {
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  return {
    size,
    read: (at, length) => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)))
      let from = 0
      for (const part of parts) {
        const begin = Math.max(at, from)
        const end = Math.min(at + bytes.length, from + part.size)
        if (begin < end) bytes.set(part.read(begin - from, end - begin), begin - at)
        from += part.size
      }
      return bytes
    },
  }
}

const EMPTY: ByteSource = bytesSource(new Uint8Array(0))

function unpack(name: string, packed: Uint8Array, size: bigint, method: Unpack): Uint8Array<ArrayBuffer> {
  if (size > BigInt(SECTION_MAX))
    throw new SymbolError(`section ${name} would have ${size} bytes when it is unpacked`)
  let bytes: Buffer
  try {
    // One byte more than promised is enough to see that the promise is wrong.
    bytes = method(packed, { maxOutputLength: Number(size) + 1 })
  } catch (error) {
    throw new SymbolError(`section ${name} cannot be unpacked: ${(error as Error).message}`)
  }
  if (bytes.length !== Number(size))
    throw new SymbolError(`section ${name} unpacks to ${bytes.length} bytes instead of ${size}`)
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
}
