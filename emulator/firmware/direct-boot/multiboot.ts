// Multiboot: what lies where in guest memory when the firmware hands over to multiboot.asm.
//
//   007C00  multiboot.asm, in the place of a boot sector, 4 KiB
//   009000  what it finds out about the machine, until it is copied behind the information structure
//   010000  or higher, below 90000h: the information structure, in the first room the kernel leaves (else behind all)
//   ......  the kernel, where it says
//   ......  behind it, on pages: its symbols and other sections, the modules, then what of the kernel is to lie below 10000h
import {
  EM_386,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  type Elf,
  ElfError,
  bytesSource,
  isElf,
  machineName,
  PT_LOAD,
  readElf,
  SHF_ALLOC,
  SHT_NOBITS,
  SHT_NULL,
  SHT_STRTAB,
  SHT_SYMTAB,
} from '../../media/elf'
import type { Chunk, DirectBoot, E820Range } from './chunks'
import { KernelError } from './kernel-error'
import { type MultibootHeader, readMultibootHeader } from './multiboot-header'
import { informationStructure, type PlacedModule, type PlacedSections } from './multiboot-info'

const START_ADDRESS = 0x7c00
const START_SIZE = 0x1000
/** multiboot.asm's parameters, in the order it has them: version, entry, information, tail, the video wish, moves. */
const START_PARAMETERS = 4
/** Below that multiboot.asm is at work: what is to lie there is moved there at the very end. */
const START_END = 0x10000
/** Below that are the interrupt vectors and the BIOS data area, which the firmware needs up to the end. */
const KERNEL_MIN = 0x500
const INFO_MIN = 0x10000
const INFO_MAX = 0x90000
/** multiboot.asm's SCRATCH_END - SCRATCH, the end tag, and the code that moves low parts. */
const TAIL_ROOM = 0x5090
const MIB = 0x100000
const PAGE = 4096

const hex = (value: number | bigint) => `${value.toString(16).toUpperCase()}h`
const page = (address: number) => Math.ceil(address / PAGE) * PAGE

/** A part of the kernel: bytes of the file, then zeros up to `size`. */
interface Part {
  name: string
  address: number
  bytes: Uint8Array
  size: number
}

interface Image {
  header: MultibootHeader
  elf: Elf | undefined
  parts: Part[]
  entry: number
  /** Where a kernel that may be moved was put; undefined for all others. */
  loadBase: number | undefined
}

/**
 * @param start multiboot.asm, assembled
 * @param e820 the firmware's memory map
 * @returns what to write to guest memory, disjoint
 * @throws KernelError when the kernel cannot be started, or does not fit into the memory with its modules
 */
export function planMultiboot(boot: DirectBoot, start: Uint8Array, e820: readonly E820Range[]): Chunk[] {
  const usable = e820
    .filter(({ type }) => type === 1)
    .map(({ base, length }) => ({ base, end: base + length }))
  const image = relocate(readMultiboot(boot.kernel), usable, roomBehind(boot))
  checkPlaces(image.parts, usable)
  if (boot.append.includes('\0')) throw new KernelError('the command line has a zero character in it')
  const [low, direct] = [true, false].map((isLow) =>
    image.parts.filter(({ address }) => address < START_END === isLow),
  ) as [Part[], Part[]]
  const chunks: Chunk[] = direct
    .filter(({ size }) => size > 0)
    .map(({ address, bytes, size }) => ({ address, bytes, size }))
  // Everything else goes behind the kernel: programs that take the memory from there on are right to do so only
  // when nothing was handed to them.
  const top = Math.max(MIB, ...image.parts.map(({ address, size }) => address + size))
  const limit = usable.find(({ base, end }) => base <= top && top <= end)?.end ?? top
  const sections = image.elf ? placeSections(boot.kernel, image.elf, page(top), limit) : undefined
  if (sections) chunks.push(...sections.chunks)
  let next = page(sections?.end ?? top)
  const modules: PlacedModule[] = []
  for (const { name, text, bytes } of boot.initrd ?? []) {
    if (next + bytes.length > limit) {
      throw new KernelError(
        `the module ${name} (${bytes.length} bytes) does not fit between ${hex(next)}, behind the kernel, and the end of memory at ${hex(limit)}`,
      )
    }
    if (bytes.length > 0) chunks.push({ address: next, bytes })
    modules.push({ start: next, end: next + bytes.length, name, text })
    next = page(next + bytes.length)
  }
  const moves = low.length > 0 ? placeMoves(low, next, limit) : undefined
  if (moves) {
    chunks.push(...moves.chunks)
    next = page(moves.end)
  }
  const info = informationStructure({
    version: image.header.version,
    name: boot.name ?? 'kernel',
    append: boot.append,
    modules,
    sections,
    loadBase: image.loadBase,
  })
  const room = info.size + TAIL_ROOM
  const infoAddress = lowRoom(image.parts, room) ?? next
  if (infoAddress + room > Math.max(limit, INFO_MAX)) {
    throw new KernelError(
      `there is no room for the Multiboot information (${room} bytes) behind kernel and modules`,
    )
  }
  chunks.push({ address: infoAddress, bytes: info.at(infoAddress) })
  const tail = infoAddress + info.size
  chunks.push({ address: START_ADDRESS, bytes: starter(start, image, infoAddress, tail, moves?.table ?? 0) })
  return chunks
}

/** Lays the parts that multiboot.asm moves to their place at `from`, and a table of them behind (`mover`). */
function placeMoves(low: readonly Part[], from: number, limit: number) {
  const chunks: Chunk[] = []
  const entries: number[] = []
  let end = from
  for (const { address, bytes, size } of low) {
    entries.push(address, end, bytes.length, size - bytes.length)
    if (bytes.length > 0) chunks.push({ address: end, bytes })
    end = Math.ceil((end + bytes.length) / 16) * 16
  }
  const table = Uint32Array.from([...entries, 0, 0, 0, 0])
  const place = end
  chunks.push({ address: place, bytes: new Uint8Array(table.buffer) })
  end += table.byteLength
  if (end > limit) {
    throw new KernelError(
      `there is no room behind kernel and modules (${hex(limit)}) for what is to lie below ${hex(START_END)} in the end`,
    )
  }
  return { chunks, table: place, end }
}

/**
 * The kernel as its file has it.
 * @throws KernelError
 */
export function readMultiboot(file: Uint8Array): Image {
  const header = readMultibootHeader(file)
  const elf = isElf(file) ? readKernelElf(file) : undefined
  const { addresses } = header
  const parts = addresses ? [addressed(file, header)] : elf ? loadSegments(file, elf) : undefined
  if (!parts) {
    throw new KernelError(
      header.version === 1
        ? 'it is no ELF file, and its Multiboot header does not say where it is to be loaded (flag 16)'
        : 'it is no ELF file, and its Multiboot 2 header has no address tag',
    )
  }
  const entry = header.entry ?? (elf && !addresses ? elfEntry(elf) : undefined)
  if (entry === undefined)
    throw new KernelError('its Multiboot 2 header has an address tag but no entry address tag')
  if (!parts.some(({ address, size }) => entry >= address && entry < address + size)) {
    throw new KernelError(`its entry point ${hex(entry)} is in none of the parts that are loaded`)
  }
  return { header, elf, parts, entry, loadBase: undefined }
}

function readKernelElf(file: Uint8Array): Elf {
  let elf: Elf
  try {
    elf = readElf(bytesSource(file))
  } catch (error) {
    if (error instanceof ElfError) throw new KernelError(`its ELF header is no good: ${error.message}`)
    throw error
  }
  if (elf.type !== ET_EXEC && elf.type !== ET_DYN) {
    throw new KernelError(
      `it is an ELF file of type ${elf.type}, not a linked program (2); an object file has to be linked`,
    )
  }
  if (elf.machine !== EM_X86_64 && !(elf.machine === EM_386 && elf.bits === 32)) {
    throw new KernelError(`it is for ${machineName(elf.machine)}; this PC is an x86-64`)
  }
  return elf
}

function addressed(file: Uint8Array, { addresses, version }: MultibootHeader): Part {
  const { offset, load, loadEnd, bssEnd } = addresses!
  const length = loadEnd === undefined ? file.length - offset : loadEnd - load
  if (offset + length > file.length) {
    throw new KernelError(
      `it was cut off: its Multiboot${version === 2 ? ' 2' : ''} header loads ${length} bytes from ${hex(offset)} of the file, which has ${file.length}`,
    )
  }
  const size = Math.max(length, bssEnd === undefined ? 0 : bssEnd - load)
  return {
    name: 'the part its Multiboot header loads',
    address: load,
    bytes: file.subarray(offset, offset + length),
    size,
  }
}

function loadSegments(file: Uint8Array, elf: Elf): Part[] {
  const parts: Part[] = []
  elf.segments.forEach(({ type, offset, paddr, filesz, memsz }, index) => {
    if (type !== PT_LOAD || memsz === 0) return
    const name = `segment ${index}`
    if (filesz > memsz)
      throw new KernelError(`${name} has ${filesz} bytes in the file but ${memsz} in memory`)
    if (offset + filesz > file.length) {
      throw new KernelError(
        `it was cut off: ${name} ends at ${hex(offset + filesz)} of the file, which has ${hex(file.length)} bytes`,
      )
    }
    if (paddr + BigInt(memsz) > 0x1_0000_0000n) {
      throw new KernelError(
        `${name} wants to lie at the physical address ${hex(paddr)} (${memsz} bytes), beyond 4 GiB; if that is its virtual address, the linker script lacks an AT()`,
      )
    }
    parts.push({ name, address: Number(paddr), bytes: file.subarray(offset, offset + filesz), size: memsz })
  })
  if (parts.length === 0) throw new KernelError('it has no segment to load (PT_LOAD)')
  return parts
}

/** e_entry is a virtual address in most kernels, a physical one in some. */
function elfEntry({ segments, entry }: Elf): number {
  const home = segments.find(
    ({ type, vaddr, memsz }) => type === PT_LOAD && entry >= vaddr && entry < vaddr + BigInt(memsz),
  )
  const physical = home ? entry - home.vaddr + home.paddr : entry
  if (physical >= 0x1_0000_0000n)
    throw new KernelError(`its entry point ${hex(entry)} is in none of its segments`)
  return Number(physical)
}

interface Range {
  base: number
  end: number
}

/** Bytes that are enough for what is put behind the kernel: sections (never more than the file), modules, information. */
function roomBehind({ kernel, initrd }: DirectBoot): number {
  const modules = (initrd ?? []).reduce((sum, { bytes }) => sum + page(bytes.length), 0)
  return page(kernel.length) + modules + INFO_MAX
}

/**
 * A kernel with the relocatable tag goes where the tag wants it (Multiboot2 2.0, 3.1.12): "as high as possible" (Xen) with
 * room for its modules `behind` it.
 */
function relocate(image: Image, usable: readonly Range[], behind: number): Image {
  const { relocation } = image.header
  if (!relocation) return image
  const { min, max, preference } = relocation
  const align = Math.max(relocation.align, 1)
  const low = Math.min(...image.parts.map(({ address }) => address))
  const size = Math.max(...image.parts.map((part) => part.address + part.size)) - low
  const places = usable
    .map(({ base, end }) => {
      const first = Math.ceil(Math.max(base, min, MIB) / align) * align
      const last = Math.floor((Math.min(end - behind, max + 1) - size) / align) * align
      return { first, last }
    })
    .filter(({ first, last }) => last >= first)
  const place = preference === 2 ? places.at(-1) : places[0]
  if (!place) {
    throw new KernelError(
      `it asks to be put between ${hex(min)} and ${hex(max)}, where this machine has no ${size} bytes in one piece`,
    )
  }
  const loadBase = preference === 2 ? place.last : place.first
  const by = loadBase - low
  return {
    ...image,
    parts: image.parts.map((part) => ({ ...part, address: part.address + by })),
    entry: image.entry + by,
    loadBase,
  }
}

function checkPlaces(parts: readonly Part[], usable: readonly Range[]) {
  const sorted = parts.toSorted((a, b) => a.address - b.address)
  sorted.forEach(({ name, address, size }, i) => {
    const end = address + size
    const next = sorted[i + 1]
    if (next && next.address < end) {
      throw new KernelError(
        `${name} (${hex(address)} to ${hex(end)}) and ${next.name} (from ${hex(next.address)}) overlap`,
      )
    }
    if (usable.some((range) => address >= Math.max(range.base, KERNEL_MIN) && end <= range.end)) return
    const where = `${name} wants to lie at ${hex(address)} to ${hex(end)}`
    if (address < KERNEL_MIN)
      throw new KernelError(
        `${where}; below ${hex(KERNEL_MIN)} are the interrupt vectors and the BIOS data area`,
      )
    if (address < MIB) throw new KernelError(`${where}, where video memory and the ROM are`)
    const most = Math.max(...usable.map((range) => range.end))
    throw new KernelError(`${where}; the machine’s memory ends at ${hex(most)}`)
  })
}

/** Room for the information structure in conventional memory, where every kernel can read it. */
function lowRoom(parts: readonly Part[], size: number): number | undefined {
  let at = INFO_MIN
  for (const part of parts.toSorted((a, b) => a.address - b.address)) {
    if (at + size <= part.address) break
    if (part.address + part.size > at) at = page(part.address + part.size)
  }
  return at + size <= INFO_MAX ? at : undefined
}

/**
 * Symbols, strings and whatever else the file has and the kernel does not load itself (Multiboot 0.6.96 3.3, syms;
 * Multiboot2 2.0 3.6.7). Sections that do not fit are left where they are: in the file.
 */
function placeSections(file: Uint8Array, elf: Elf, from: number, limit: number): PlacedSections | undefined {
  const { sections, sectionHeaders } = elf
  if (sections.length === 0) return undefined
  const { offset: first, size: headerSize } = sectionHeaders
  const headers = new Uint8Array(file.subarray(first, first + sections.length * headerSize))
  const view = new DataView(headers.buffer)
  const chunks: Chunk[] = []
  let end = from
  const wanted = sections
    .map((section, index) => ({ ...section, index }))
    .filter(({ type, flags, addr, offset, size }) => {
      const loaded = (flags & SHF_ALLOC) !== 0n || addr !== 0n
      return type !== SHT_NULL && type !== SHT_NOBITS && !loaded && size > 0 && offset + size <= file.length
    })
    // What names the kernel's functions comes first, debugging information last.
    .toSorted((a, b) => rank(a.type, a.name) - rank(b.type, b.name))
  for (const { index, offset, size, align } of wanted) {
    const step = align > 1 && align <= PAGE ? align : 16
    const address = Math.ceil(end / step) * step
    if (address + size > limit) continue
    chunks.push({ address, bytes: file.subarray(offset, offset + size) })
    end = address + size
    const at = index * sectionHeaders.size
    if (elf.bits === 64) view.setBigUint64(at + 16, BigInt(address), true)
    else view.setUint32(at + 12, address, true)
  }
  return {
    chunks,
    headers,
    end,
    count: sections.length,
    size: sectionHeaders.size,
    names: sectionHeaders.names,
  }
}

function rank(type: number, name: string): number {
  if (type === SHT_SYMTAB) return 0
  if (type === SHT_STRTAB) return 1
  return name.startsWith('.debug') ? 3 : 2
}

function starter(
  start: Uint8Array,
  { header, entry }: Image,
  info: number,
  tail: number,
  moves: number,
): Uint8Array {
  if (start.length !== START_SIZE)
    throw new RangeError(`multiboot.bin has ${start.length} bytes instead of ${START_SIZE}`)
  const bytes = new Uint8Array(start)
  const view = new DataView(bytes.buffer)
  const { graphics = false, width = 0, height = 0, depth = 0 } = header.video ?? {}
  const parameters = [header.version, entry, info, tail, graphics ? 1 : 0, width, height, depth, moves]
  parameters.forEach((value, i) => {
    view.setUint32(START_PARAMETERS + i * 4, value, true)
  })
  return bytes
}
