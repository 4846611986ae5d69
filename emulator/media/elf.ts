// The container of ELF files: header, program headers, section headers (System V ABI, chapter 4 and 5; gABI 4.1), of either
// class, little-endian. What they say is checked against the file's size before anybody follows it.

/** The file is no ELF file that can be read; the message is a clause that says where and why. */
export class ElfError extends Error {
  override name = 'ElfError'
}

/** Something with bytes at offsets: a file that need not be in memory. */
export interface ByteSource {
  readonly size: number
  /** @returns `length` bytes, fewer only at the end of the source */
  read(at: number, length: number): Uint8Array
}

export interface ElfSegment {
  type: number
  flags: number
  offset: number
  vaddr: bigint
  paddr: bigint
  /** Bytes in the file and in memory. */
  filesz: number
  memsz: number
}

export interface ElfSection {
  name: string
  type: number
  flags: bigint
  addr: bigint
  offset: number
  size: number
  link: number
  info: number
  align: number
  entsize: number
}

export interface Elf {
  bits: 32 | 64
  type: number
  machine: number
  entry: bigint
  segments: ElfSegment[]
  sections: ElfSection[]
  /** Where the section headers lie: file offset, bytes of each, and which one has the names. */
  sectionHeaders: { offset: number; size: number; names: number }
}

export const ET_EXEC = 2
export const ET_DYN = 3
export const EM_386 = 3
export const EM_X86_64 = 62
export const PT_LOAD = 1
export const SHT_NULL = 0
export const SHT_PROGBITS = 1
export const SHT_SYMTAB = 2
export const SHT_STRTAB = 3
export const SHT_NOBITS = 8
export const SHF_ALLOC = 2n
export const SHF_COMPRESSED = 0x800n
const PN_XNUM = 0xffff
const SHN_XINDEX = 0xffff
/** More headers than any tool makes; a number read from a damaged file must not cost gigabytes. */
const HEADERS_MAX = 1 << 20

export function bytesSource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (at, length) => bytes.subarray(at, Math.min(at + length, bytes.length)) }
}

export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46
}

/** What e_machine means, for messages. */
export function machineName(machine: number): string {
  return MACHINES[machine] ?? `machine ${machine}`
}
const MACHINES: Record<number, string> = {
  3: 'i386',
  8: 'MIPS',
  20: 'PowerPC',
  21: '64-bit PowerPC',
  40: 'ARM',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
}

/** @throws ElfError */
export function readElf(source: ByteSource): Elf {
  const ident = source.read(0, 16)
  if (!isElf(ident)) throw new ElfError('it does not begin with 7Fh "ELF"')
  if (ident.length < 16) throw new ElfError(`it ends in its ELF header: the file has ${source.size} bytes`)
  if (ident[4] !== 1 && ident[4] !== 2) throw new ElfError(`its class (byte 4) is ${ident[4]}, not 1 or 2`)
  if (ident[5] !== 1) {
    throw new ElfError(ident[5] === 2 ? 'it is big-endian' : `its byte order (byte 5) is ${ident[5]}`)
  }
  const wide = ident[4] === 2
  const header = new Reader(source, 0, wide ? 64 : 52, wide, 'ELF header')
  const type = header.u16(16)
  const machine = header.u16(18)
  const entry = header.word(24)
  const at = wide ? 52 : 40
  const phentsize = header.u16(at + 2)
  let phnum = header.u16(at + 4)
  const shentsize = header.u16(at + 6)
  let shnum = header.u16(at + 8)
  let names = header.u16(at + 10)
  const phoff = header.word(wide ? 32 : 28)
  const shoff = header.word(wide ? 40 : 32)
  const shdrSize = wide ? 64 : 40
  const phdrSize = wide ? 56 : 32
  if (shoff !== 0n) {
    if (shentsize < shdrSize)
      throw new ElfError(`its section headers have ${shentsize} bytes each (e_shentsize)`)
    // Numbers that do not fit into the header are in section header 0 (gABI, "Extended section header").
    if (shnum === 0 || names === SHN_XINDEX || phnum === PN_XNUM) {
      const first = new Reader(
        source,
        offset(shoff, source, 'section header'),
        shdrSize,
        wide,
        'section header 0',
      )
      if (shnum === 0) shnum = count(first.word(wide ? 32 : 20), 'section headers')
      if (names === SHN_XINDEX) names = first.u32(wide ? 40 : 24)
      if (phnum === PN_XNUM) phnum = count(BigInt(first.u32(wide ? 44 : 28)), 'program headers')
    }
  }
  const segments: ElfSegment[] = []
  if (phnum > 0) {
    if (phentsize < phdrSize)
      throw new ElfError(`its program headers have ${phentsize} bytes each (e_phentsize)`)
    const table = new Reader(
      source,
      offset(phoff, source, 'program headers'),
      phnum * phentsize,
      wide,
      'program headers',
    )
    for (let i = 0; i < phnum; i++) segments.push(segment(table, i * phentsize, wide, i))
  }
  const sections: ElfSection[] = []
  let sectionsAt = 0
  if (shoff !== 0n && shnum > 0) {
    sectionsAt = offset(shoff, source, 'section headers')
    const table = new Reader(source, sectionsAt, shnum * shentsize, wide, 'section headers')
    const nameOffsets: number[] = []
    for (let i = 0; i < shnum; i++) {
      nameOffsets.push(table.u32(i * shentsize))
      sections.push(section(table, i * shentsize, wide, i))
    }
    const strings = sections[names]
    if (strings && strings.type === SHT_STRTAB) {
      const bytes = source.read(strings.offset, Math.min(strings.size, NAMES_MAX))
      sections.forEach((each, i) => {
        each.name = textAt(bytes, nameOffsets[i]!)
      })
    }
  }
  const bits = wide ? 64 : 32
  return {
    bits,
    type,
    machine,
    entry,
    segments,
    sections,
    sectionHeaders: { offset: sectionsAt, size: shentsize, names },
  }
}
const NAMES_MAX = 1 << 24

/** The zero-terminated text at an offset of a string table; empty where there is none. */
export function textAt(bytes: Uint8Array, at: number): string {
  if (at >= bytes.length) return ''
  const zero = bytes.indexOf(0, at)
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, (zero < 0 ? bytes.length : zero) - at).toString(
    'utf8',
  )
}

function segment(table: Reader, at: number, wide: boolean, index: number): ElfSegment {
  const size = (value: bigint, what: string) => safe(value, `segment ${index}: ${what}`)
  return wide
    ? {
        type: table.u32(at),
        flags: table.u32(at + 4),
        offset: size(table.word(at + 8), 'p_offset'),
        vaddr: table.word(at + 16),
        paddr: table.word(at + 24),
        filesz: size(table.word(at + 32), 'p_filesz'),
        memsz: size(table.word(at + 40), 'p_memsz'),
      }
    : {
        type: table.u32(at),
        offset: table.u32(at + 4),
        vaddr: table.word(at + 8),
        paddr: table.word(at + 12),
        filesz: table.u32(at + 16),
        memsz: table.u32(at + 20),
        flags: table.u32(at + 24),
      }
}

function section(table: Reader, at: number, wide: boolean, index: number): ElfSection {
  const size = (value: bigint, what: string) => safe(value, `section ${index}: ${what}`)
  return wide
    ? {
        name: '',
        type: table.u32(at + 4),
        flags: table.word(at + 8),
        addr: table.word(at + 16),
        offset: size(table.word(at + 24), 'sh_offset'),
        size: size(table.word(at + 32), 'sh_size'),
        link: table.u32(at + 40),
        info: table.u32(at + 44),
        align: size(table.word(at + 48), 'sh_addralign'),
        entsize: size(table.word(at + 56), 'sh_entsize'),
      }
    : {
        name: '',
        type: table.u32(at + 4),
        flags: table.word(at + 8),
        addr: table.word(at + 12),
        offset: table.u32(at + 16),
        size: table.u32(at + 20),
        link: table.u32(at + 24),
        info: table.u32(at + 28),
        align: table.u32(at + 32),
        entsize: table.u32(at + 36),
      }
}

function safe(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new ElfError(`${what} is ${value.toString(16).toUpperCase()}h`)
  return Number(value)
}

function count(value: bigint, what: string): number {
  if (value > BigInt(HEADERS_MAX)) throw new ElfError(`it claims to have ${value} ${what}`)
  return Number(value)
}

function offset(value: bigint, source: ByteSource, what: string): number {
  if (value >= BigInt(source.size)) {
    throw new ElfError(
      `it was cut off: its ${what} would lie at ${value.toString(16).toUpperCase()}h; the file has ${source.size} bytes`,
    )
  }
  return Number(value)
}

/** A table of the file, all of which is there. */
class Reader {
  readonly #view: DataView
  constructor(
    source: ByteSource,
    at: number,
    length: number,
    readonly wide: boolean,
    what: string,
  ) {
    const bytes = length > source.size ? undefined : source.read(at, length)
    if (bytes === undefined || bytes.length < length) {
      throw new ElfError(
        `it was cut off: the ${what} (${length} bytes at ${at.toString(16).toUpperCase()}h) goes beyond the file’s ${source.size} bytes`,
      )
    }
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  u16(at: number): number {
    return this.#view.getUint16(at, true)
  }
  u32(at: number): number {
    return this.#view.getUint32(at, true)
  }
  /** An address or a size: 64 bits in class 64, else 32. */
  word(at: number): bigint {
    return this.wide ? this.#view.getBigUint64(at, true) : BigInt(this.#view.getUint32(at, true))
  }
}
