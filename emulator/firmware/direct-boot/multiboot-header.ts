// The header by which a kernel asks a boot loader for what it needs: Multiboot 0.6.96, section 3.1, and Multiboot2 2.0,
// section 3.1.
import { KernelError } from './kernel-error'

/** Addresses of a kernel that brings its own instead of (or beside) those of ELF. */
export interface LoadAddresses {
  /** File offset of what is loaded first. */
  offset: number
  load: number
  /** First address behind what is loaded from the file; undefined: all of it. */
  loadEnd: number | undefined
  /** First address behind what is zeroed; undefined: nothing is. */
  bssEnd: number | undefined
}

/** 0: the kernel does not care. */
export interface VideoWish {
  graphics: boolean
  width: number
  height: number
  depth: number
}

export interface Relocation {
  min: number
  max: number
  align: number
  /** 0 none, 1 as low, 2 as high as possible */
  preference: number
}

export interface MultibootHeader {
  version: 1 | 2
  /** Offset in the file. */
  offset: number
  addresses: LoadAddresses | undefined
  entry: number | undefined
  video: VideoWish | undefined
  relocation: Relocation | undefined
}

const MAGIC1 = 0x1badb002
const MAGIC2 = 0xe85250d6
/** The header lies completely in the first bytes of the file. */
const ROOM1 = 8192
const ROOM2 = 32768
export const MULTIBOOT_HEAD = ROOM2

const hex = (value: number) => `${value.toString(16).toUpperCase()}h`

/** Magic number and check sum are right somewhere where they may be. @param head the first 32 KiB of the file */
export function multibootVersion(head: Uint8Array): 1 | 2 | undefined {
  if (find(head, 2) !== undefined) return 2
  return find(head, 1) === undefined ? undefined : 1
}

/** Of a kernel without an ELF header: where it is loaded it says itself. */
export function isRawMultiboot(head: Uint8Array): boolean {
  const at = find(head, 1)
  if (at !== undefined) return (viewOf(head).getUint32(at + 4, true) & KLUDGE) !== 0
  return find(head, 2) !== undefined
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function find(file: Uint8Array, version: 1 | 2): number | undefined {
  const view = viewOf(file)
  const [magic, room, size, step] = version === 1 ? [MAGIC1, ROOM1, 12, 4] : [MAGIC2, ROOM2, 16, 8]
  for (let at = 0; at + size <= Math.min(file.length, room); at += step) {
    if (view.getUint32(at, true) !== magic) continue
    let sum = 0
    for (let i = 0; i < size; i += 4) sum = (sum + view.getUint32(at + i, true)) >>> 0
    if (sum === 0) return at
  }
  return undefined
}

/**
 * @param file all of it
 * @throws KernelError when there is none, or it asks for what this loader does not have
 */
export function readMultibootHeader(file: Uint8Array): MultibootHeader {
  const at2 = find(file, 2)
  if (at2 !== undefined) return readHeader2(file, at2)
  const at1 = find(file, 1)
  if (at1 !== undefined) return readHeader1(file, at1)
  throw new KernelError(whyNone(file))
}

/** A magic number without the rest is worth a word: most kernels that do not start have a wrong sum. */
function whyNone(file: Uint8Array): string {
  const view = viewOf(file)
  for (let at = 0; at + 4 <= Math.min(file.length, ROOM2); at += 4) {
    const magic = view.getUint32(at, true)
    if (magic !== MAGIC1 && magic !== MAGIC2) continue
    const name = magic === MAGIC1 ? 'Multiboot' : 'Multiboot 2'
    const size = magic === MAGIC1 ? 12 : 16
    if (at + size > file.length) return `its ${name} header at ${hex(at)} is cut off by the end of the file`
    if (magic === MAGIC2 && at % 8 !== 0) return `its ${name} header at ${hex(at)} is not aligned to 8 bytes`
    if (magic === MAGIC1 && at + size > ROOM1)
      return `its ${name} header at ${hex(at)} lies behind the first 8192 bytes of the file`
    let sum = 0
    for (let i = 0; i < size - 4; i += 4) sum = (sum + view.getUint32(at + i, true)) >>> 0
    const right = (0x1_0000_0000 - sum) % 0x1_0000_0000
    return `its ${name} header at ${hex(at)} has the check sum ${hex(view.getUint32(at + size - 4, true))}; ${hex(right)} would be right`
  }
  return 'there is no Multiboot header in its first 8 KiB and no Multiboot 2 header in its first 32 KiB'
}

// ---------------------------------------------------------------------------------------------------------
// Multiboot

const VIDEO = 1 << 2
const KLUDGE = 1 << 16
/** Bits 0-15 are demands, 16-31 are offers; known demands: aligned modules, memory size, video. */
const KNOWN_DEMANDS = 0x0007

function readHeader1(file: Uint8Array, at: number): MultibootHeader {
  const view = viewOf(file)
  const flags = view.getUint32(at + 4, true)
  const unknown = flags & 0xffff & ~KNOWN_DEMANDS
  if (unknown !== 0) {
    const bits = Array.from({ length: 16 }, (_, bit) => bit).filter((bit) => unknown & (1 << bit))
    throw new KernelError(
      `its Multiboot header at ${hex(at)} demands what no boot loader knows: flag${bits.length > 1 ? 's' : ''} ${bits.join(', ')} (flags ${hex(flags)})`,
    )
  }
  const size = (flags & VIDEO) !== 0 ? 48 : (flags & KLUDGE) !== 0 ? 32 : 12
  if (at + size > file.length) {
    throw new KernelError(
      `its Multiboot header at ${hex(at)} is cut off: ${size} bytes are promised by its flags`,
    )
  }
  const field = (offset: number) => view.getUint32(at + offset, true)
  const header: MultibootHeader = {
    version: 1,
    offset: at,
    addresses: undefined,
    entry: undefined,
    video: undefined,
    relocation: undefined,
  }
  if ((flags & KLUDGE) !== 0) {
    header.addresses = loadAddresses(at, field(12), field(16), field(20), field(24), 'Multiboot')
    header.entry = field(28)
  }
  if ((flags & VIDEO) !== 0) {
    header.video = { graphics: field(32) === 0, width: field(36), height: field(40), depth: field(44) }
  }
  return header
}

function loadAddresses(
  at: number,
  headerAddress: number,
  load: number,
  loadEnd: number,
  bssEnd: number,
  name: string,
): LoadAddresses {
  if (load > headerAddress) {
    throw new KernelError(
      `its ${name} header says it lies at ${hex(headerAddress)}, below what is loaded (from ${hex(load)})`,
    )
  }
  const offset = at - (headerAddress - load)
  if (offset < 0) {
    throw new KernelError(
      `its ${name} header, at ${hex(at)} of the file, says it lies ${hex(headerAddress - load)} bytes behind what is loaded first: that is before the file begins`,
    )
  }
  if (loadEnd !== 0 && loadEnd < load)
    throw new KernelError(
      `its ${name} header ends the load at ${hex(loadEnd)}, before its begin at ${hex(load)}`,
    )
  if (bssEnd !== 0 && bssEnd < Math.max(loadEnd, load))
    throw new KernelError(`its ${name} header ends what is zeroed at ${hex(bssEnd)}, before it begins`)
  return { offset, load, loadEnd: loadEnd || undefined, bssEnd: bssEnd || undefined }
}

// ---------------------------------------------------------------------------------------------------------
// Multiboot 2

const TAG_END = 0
const TAG_INFORMATION = 1
const TAG_ADDRESS = 2
const TAG_ENTRY = 3
const TAG_CONSOLE = 4
const TAG_FRAMEBUFFER = 5
const TAG_MODULE_ALIGN = 6
const TAG_EFI_BOOT_SERVICES = 7
const TAG_ENTRY_EFI32 = 8
const TAG_ENTRY_EFI64 = 9
const TAG_RELOCATABLE = 10
const OPTIONAL = 1
/** Types of information tags that the specification knows (3.6); what of them does not exist on this PC is not there. */
const INFORMATION_LAST = 21

function readHeader2(file: Uint8Array, at: number): MultibootHeader {
  const view = viewOf(file)
  const architecture = view.getUint32(at + 4, true)
  if (architecture !== 0) {
    throw new KernelError(`its Multiboot 2 header is for architecture ${architecture}; this PC is 0 (i386)`)
  }
  const length = view.getUint32(at + 8, true)
  if (length < 16 || at + length > file.length || at + length > ROOM2) {
    throw new KernelError(
      `its Multiboot 2 header at ${hex(at)} has ${length} bytes, which is not inside the first 32 KiB of the file`,
    )
  }
  const header: MultibootHeader = {
    version: 2,
    offset: at,
    addresses: undefined,
    entry: undefined,
    video: undefined,
    relocation: undefined,
  }
  const end = at + length
  let tag = at + 16
  while (true) {
    if (tag + 8 > end) throw new KernelError(`its Multiboot 2 header at ${hex(at)} ends without an end tag`)
    const type = view.getUint16(tag, true)
    const optional = (view.getUint16(tag + 2, true) & OPTIONAL) !== 0
    const size = view.getUint32(tag + 4, true)
    if (size < 8 || tag + size > end) {
      throw new KernelError(`tag ${type} of its Multiboot 2 header (at ${hex(tag)}) has ${size} bytes`)
    }
    if (type === TAG_END) return header
    const needed = TAG_SIZES[type]
    if (needed !== undefined && size < needed) {
      throw new KernelError(
        `tag ${type} of its Multiboot 2 header (at ${hex(tag)}) has ${size} bytes instead of ${needed}`,
      )
    }
    readTag(header, view, tag, type, size, optional)
    tag += Math.ceil(size / 8) * 8
  }
}

const TAG_SIZES: Record<number, number> = {
  [TAG_ADDRESS]: 24,
  [TAG_ENTRY]: 12,
  [TAG_CONSOLE]: 12,
  [TAG_FRAMEBUFFER]: 20,
  [TAG_RELOCATABLE]: 24,
}

function readTag(
  header: MultibootHeader,
  view: DataView,
  tag: number,
  type: number,
  size: number,
  optional: boolean,
) {
  const field = (offset: number) => view.getUint32(tag + offset, true)
  switch (type) {
    case TAG_INFORMATION:
      for (let i = 8; i + 4 <= size; i += 4) {
        if (field(i) > INFORMATION_LAST && !optional) {
          throw new KernelError(
            `its Multiboot 2 header demands information of type ${field(i)}, which is unknown`,
          )
        }
      }
      return
    case TAG_ADDRESS: {
      const load = field(12) === 0xffffffff ? field(8) - header.offset : field(12)
      if (load < 0) throw new KernelError('its Multiboot 2 header puts the begin of the file below address 0')
      header.addresses = loadAddresses(header.offset, field(8), load, field(16), field(20), 'Multiboot 2')
      return
    }
    case TAG_ENTRY:
      header.entry = field(8)
      return
    case TAG_FRAMEBUFFER:
      header.video = { graphics: true, width: field(8), height: field(12), depth: field(16) }
      return
    case TAG_RELOCATABLE:
      header.relocation = { min: field(8), max: field(12), align: field(16), preference: field(20) }
      return
    case TAG_CONSOLE: // there is a console, and it is EGA text
    case TAG_MODULE_ALIGN: // modules always are
    case TAG_EFI_BOOT_SERVICES: // these three count on EFI only
    case TAG_ENTRY_EFI32:
    case TAG_ENTRY_EFI64:
      return
    default:
      if (!optional)
        throw new KernelError(
          `its Multiboot 2 header has a tag of type ${type}, which is not optional and unknown`,
        )
  }
}
