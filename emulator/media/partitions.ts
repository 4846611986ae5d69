// Partition tables, read-only: the MBR (with its extended partitions) and the GPT (UEFI 2.10, chapter 5).

const SECTOR = 512
const TABLE = 446
const ENTRY_SIZE = 16
const GPT_PROTECTIVE = 0xee
const EXTENDED = new Set([0x05, 0x0f, 0x85])
/** More logical partitions than this are a loop or garbage. */
const LOGICAL_MAX = 128
const GPT_ENTRIES_MAX = 1024

export interface Partition {
  /** 1-4 primary, 5 and up logical; in a GPT the number of the entry. */
  number: number
  scheme: 'mbr' | 'gpt'
  /** First sector. */
  start: number
  sectors: number
  /** What it is for, in words. */
  type: string
  /** 'active' in an MBR; the name in a GPT. */
  active: boolean
  name: string
}

export interface MbrTable {
  /** The table could be one: signature, status bytes 00h or 80h, no overlap, at least one entry. */
  plausible: boolean
  partitions: Partition[]
  warnings: string[]
}

/** Random access to an image: fewer bytes than asked only at its end. */
export type ReadBytes = (position: number, length: number) => Uint8Array

export function hasBootSignature(sector: Uint8Array): boolean {
  return sector.length >= SECTOR && sector[510] === 0x55 && sector[511] === 0xaa
}

interface Entry {
  status: number
  type: number
  start: number
  sectors: number
}

function readEntries(sector: Uint8Array): Entry[] {
  const view = new DataView(sector.buffer, sector.byteOffset, SECTOR)
  return [0, 1, 2, 3].map((i) => {
    const at = TABLE + i * ENTRY_SIZE
    return {
      status: view.getUint8(at),
      type: view.getUint8(at + 4),
      start: view.getUint32(at + 8, true),
      sectors: view.getUint32(at + 12, true),
    }
  })
}

/**
 * The four entries of sector 0.
 * @param head the first sector at least; shorter ones have no table
 * @param size of the image in bytes
 */
export function readMbr(head: Uint8Array, size: number): MbrTable {
  const none: MbrTable = { plausible: false, partitions: [], warnings: [] }
  if (!hasBootSignature(head)) return none
  const entries = readEntries(head)
  const used = entries.filter(({ type, sectors }) => type !== 0 && sectors !== 0)
  // Boot code that runs on through the table area shows itself by impossible status bytes.
  if (used.length === 0 || entries.some(({ status }) => status !== 0 && status !== 0x80)) return none
  const sorted = [...used].sort((a, b) => a.start - b.start)
  if (sorted.some((entry, i) => i > 0 && entry.start < sorted[i - 1]!.start + sorted[i - 1]!.sectors))
    return none
  if (used.some(({ start }) => start === 0)) return none
  const warnings: string[] = []
  const partitions: Partition[] = []
  entries.forEach((entry, i) => {
    if (entry.type === 0 || entry.sectors === 0) return
    partitions.push(partition(i + 1, entry, entry.start))
    const end = (entry.start + entry.sectors) * SECTOR
    if (end > size && entry.type !== GPT_PROTECTIVE) {
      warnings.push(`Partition ${i + 1} ends behind the end of the image: the image may have been cut off.`)
    }
  })
  return { plausible: true, partitions, warnings }
}

function partition(number: number, { status, type, sectors }: Entry, start: number): Partition {
  return { number, scheme: 'mbr', start, sectors, type: mbrType(type), active: status === 0x80, name: '' }
}

/**
 * All partitions of a disk: the GPT's when there is a valid one behind a protective MBR, else the MBR's with the
 * logical ones.
 * @param size of the image in bytes
 */
export function readPartitions(
  read: ReadBytes,
  size: number,
): { partitions: Partition[]; warnings: string[] } {
  const head = read(0, SECTOR)
  const mbr = readMbr(head, size)
  if (!mbr.plausible) return { partitions: [], warnings: [] }
  const entries = readEntries(head)
  if (entries.some(({ type }) => type === GPT_PROTECTIVE)) {
    const gpt = readGpt(read, size)
    if ('partitions' in gpt) return gpt
    mbr.warnings.push(gpt.problem)
  }
  const logical = entries
    .filter(({ type }) => EXTENDED.has(type))
    .flatMap(({ start }) => readLogical(read, start))
  logical.forEach((entry, i) => {
    entry.number = 5 + i
  })
  return { partitions: [...mbr.partitions, ...logical], warnings: mbr.warnings }
}

/** The chain of extended boot records: entry 0 is a partition relative to its record, entry 1 the next record
 *  relative to the first. */
function readLogical(read: ReadBytes, first: number): Partition[] {
  const found: Partition[] = []
  const seen = new Set<number>()
  for (let at = first; !seen.has(at) && found.length < LOGICAL_MAX; ) {
    seen.add(at)
    const sector = read(at * SECTOR, SECTOR)
    if (!hasBootSignature(sector)) break
    const [here, next] = readEntries(sector)
    if (here && here.type !== 0 && here.sectors !== 0) found.push(partition(0, here, at + here.start))
    if (!next || next.sectors === 0 || !EXTENDED.has(next.type)) break
    at = first + next.start
  }
  return found
}

function readGpt(
  read: ReadBytes,
  size: number,
): { partitions: Partition[]; warnings: string[] } | { problem: string } {
  const sector = read(SECTOR, SECTOR)
  if (sector.length < SECTOR || text(sector, 0, 8) !== 'EFI PART') {
    return { problem: 'The MBR protects a GPT, but sector 1 has no GPT header.' }
  }
  const view = new DataView(sector.buffer, sector.byteOffset, SECTOR)
  const entryLba = Number(view.getBigUint64(72, true))
  const count = Math.min(view.getUint32(80, true), GPT_ENTRIES_MAX)
  const entrySize = view.getUint32(84, true)
  if (entrySize < 128 || entrySize > 4096 || entryLba * SECTOR > size) {
    return { problem: 'The GPT header in sector 1 is damaged.' }
  }
  const warnings: string[] = []
  const headerSize = view.getUint32(12, true)
  if (headerSize >= 92 && headerSize <= SECTOR) {
    const copy = sector.slice(0, headerSize)
    copy.fill(0, 16, 20)
    if (crc32(copy) !== view.getUint32(16, true)) warnings.push('The checksum of the GPT header is wrong.')
  }
  const table = read(entryLba * SECTOR, count * entrySize)
  const partitions: Partition[] = []
  for (let i = 0; (i + 1) * entrySize <= table.length; i++) {
    const entry = new DataView(table.buffer, table.byteOffset + i * entrySize, entrySize)
    const guid = guidText(entry)
    if (guid === '00000000-0000-0000-0000-000000000000') continue
    const start = Number(entry.getBigUint64(32, true))
    const last = Number(entry.getBigUint64(40, true))
    const units = new Uint16Array(36).map((_, k) => entry.getUint16(56 + 2 * k, true))
    const name = String.fromCharCode(...units).replace(/\0.*$/s, '')
    partitions.push({
      number: i + 1,
      scheme: 'gpt',
      start,
      sectors: last - start + 1,
      type: GPT_TYPES[guid] ?? guid,
      active: (entry.getUint8(48) & 4) !== 0,
      name,
    })
    if ((last + 1) * SECTOR > size) {
      warnings.push(`Partition ${i + 1} ends behind the end of the image: the image may have been cut off.`)
    }
  }
  return { partitions, warnings }
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

/** The first three fields are little-endian, the last two are not (UEFI 2.10 appendix A). */
function guidText(view: DataView): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')
  const rest = Array.from({ length: 8 }, (_, i) => hex(view.getUint8(8 + i), 2)).join('')
  return [
    hex(view.getUint32(0, true), 8),
    hex(view.getUint16(4, true), 4),
    hex(view.getUint16(6, true), 4),
    rest.slice(0, 4),
    rest.slice(4),
  ].join('-')
}

/** CRC-32 as in the GPT, PNG and zip (polynomial EDB88320h). */
export function crc32(bytes: Uint8Array, start = 0): number {
  let crc = ~start
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

const GPT_TYPES: Record<string, string> = {
  'C12A7328-F81F-11D2-BA4B-00A0C93EC93B': 'EFI system partition',
  '21686148-6449-6E6F-744E-656564454649': 'BIOS boot partition',
  'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7': 'Microsoft basic data',
  'E3C9E316-0B5C-4DB8-817D-F92DF00215AE': 'Microsoft reserved',
  '0FC63DAF-8483-4772-8E79-3D69D8477DE4': 'Linux file system',
  '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F': 'Linux swap',
}

const MBR_TYPES: Record<number, string> = {
  1: 'FAT12',
  4: 'FAT16 below 32 MiB',
  5: 'extended',
  6: 'FAT16',
  7: 'NTFS or exFAT',
  11: 'FAT32',
  12: 'FAT32 (LBA)',
  14: 'FAT16 (LBA)',
  15: 'extended (LBA)',
  130: 'Linux swap',
  131: 'Linux',
  133: 'Linux extended',
  165: 'FreeBSD',
  168: 'macOS UFS',
  238: 'GPT protective',
  239: 'EFI system partition',
}

function mbrType(type: number): string {
  return MBR_TYPES[type] ?? `type ${type.toString(16).toUpperCase().padStart(2, '0')}h`
}
