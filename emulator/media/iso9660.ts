// CD images, read-only: the volume descriptor of ISO 9660 (ECMA-119, 8.4) and the boot catalogue of the El Torito
// specification 1.0. What is wrong with either is said, never thrown.
import type { ReadBytes } from './partitions'

export const CD_SECTOR = 2048
const FIRST_DESCRIPTOR = 16
const BOOT_RECORD = 17
/** 32 bytes each; a catalogue of more sectors than these is a mistake. */
const ENTRY = 32
const ENTRIES_MAX = 256

export const EMULATIONS = ['none', 'floppy 1.2 MB', 'floppy 1.44 MB', 'floppy 2.88 MB', 'hard disk'] as const
export type Emulation = (typeof EMULATIONS)[number]

export interface BootEntry {
  /** 'x86' (BIOS), 'PowerPC', 'Macintosh', 'UEFI', or the number. */
  platform: string
  bootable: boolean
  /** What the BIOS plays; undefined for a type that the specification does not know. */
  emulation: Emulation | undefined
  /** Real-mode segment it is loaded to; 0 stands for 07C0h. */
  segment: number
  /** 512-byte sectors that are loaded. */
  sectors: number
  /** 2048-byte sector where the image begins. */
  start: number
}

export interface IsoVolume {
  label: string
  /** 2048-byte sectors that the volume descriptor promises. */
  sectors: number
  /** Undefined when the CD does not claim to be bootable. */
  boot: { catalogue: number; entries: BootEntry[]; problem: string | undefined } | undefined
  warnings: string[]
}

/** @returns undefined when it is no ISO 9660 volume */
export function readIso(read: ReadBytes, size: number): IsoVolume | undefined {
  const primary = descriptor(read, FIRST_DESCRIPTOR)
  if (!primary) return undefined
  const view = viewOf(primary)
  const block = view.getUint16(128, true)
  const sectors = Math.ceil((view.getUint32(80, true) * (block || CD_SECTOR)) / CD_SECTOR)
  const warnings: string[] = []
  if (sectors * CD_SECTOR > size) {
    warnings.push(
      `The volume has ${sectors} sectors of 2048 bytes, the file ${Math.floor(size / CD_SECTOR)}: the image was cut off.`,
    )
  }
  const boot = readCatalogue(read, size)
  if (boot?.problem) warnings.push(`The firmware cannot boot it: ${boot.problem}.`)
  return { label: text(primary, 40, 32), sectors, boot, warnings }
}

/** A CD that the BIOS can start. */
export function isoBootable(volume: IsoVolume | undefined): boolean {
  const first = volume?.boot?.entries[0]
  return volume?.boot?.problem === undefined && first?.bootable === true && first.platform === 'x86'
}

function descriptor(read: ReadBytes, sector: number): Uint8Array | undefined {
  const bytes = read(sector * CD_SECTOR, CD_SECTOR)
  return bytes.length === CD_SECTOR && text(bytes, 1, 5) === 'CD001' ? bytes : undefined
}

function readCatalogue(read: ReadBytes, size: number): IsoVolume['boot'] {
  const record = descriptor(read, BOOT_RECORD)
  if (record?.[0] !== 0 || text(record, 7, 32) !== 'EL TORITO SPECIFICATION') return undefined
  const catalogue = viewOf(record).getUint32(0x47, true)
  const bad = (problem: string) => ({ catalogue, entries: [], problem })
  const bytes = read(catalogue * CD_SECTOR, ENTRY * ENTRIES_MAX)
  if (bytes.length < 2 * ENTRY)
    return bad(`its boot catalogue, in sector ${catalogue}, lies behind the end of the CD`)
  if (bytes[0] !== 1 || bytes[30] !== 0x55 || bytes[31] !== 0xaa)
    return bad(`sector ${catalogue} is no boot catalogue: the validation entry is not there`)
  const words = new Uint16Array(16).map((_, i) => viewOf(bytes).getUint16(i * 2, true))
  const sum = words.reduce((total, word) => (total + word) & 0xffff, 0)
  if (sum !== 0) return bad('the checksum of its boot catalogue is wrong')
  const entries = readEntries(bytes)
  const [first] = entries
  const beyond = entries.find(({ start }) => start * CD_SECTOR >= size)
  let problem: string | undefined
  if (!first?.bootable) problem = 'the first entry of its boot catalogue is marked as not bootable'
  else if (first.emulation === undefined)
    problem = 'the first entry of its boot catalogue has an unknown media type'
  else if (first.start === 0 || first === beyond)
    problem = `its boot image, at sector ${first.start}, is not on the CD`
  return { catalogue, entries, problem }
}

function readEntries(bytes: Uint8Array): BootEntry[] {
  const found = [entry(bytes, ENTRY, platformName(bytes[1]!))]
  let at = 2 * ENTRY
  for (let more = true; more && at + ENTRY <= bytes.length; ) {
    const header = bytes[at]!
    if (header !== 0x90 && header !== 0x91) break
    more = header === 0x90
    const platform = platformName(bytes[at + 1]!)
    const count = viewOf(bytes).getUint16(at + 2, true)
    at += ENTRY
    for (let i = 0; i < count && at + ENTRY <= bytes.length; i++, at += ENTRY) {
      found.push(entry(bytes, at, platform))
      // Selection criteria may go on in extension records (44h, bit 5 of byte 1: another one follows).
      let extended = (bytes[at + 1]! & 0x20) !== 0
      while (extended && bytes[at + ENTRY] === 0x44) {
        at += ENTRY
        extended = (bytes[at + 1]! & 0x20) !== 0
      }
    }
  }
  return found
}

function entry(bytes: Uint8Array, at: number, platform: string): BootEntry {
  const view = viewOf(bytes)
  return {
    platform,
    bootable: bytes[at] === 0x88,
    emulation: EMULATIONS[bytes[at + 1]! & 15],
    segment: view.getUint16(at + 2, true),
    sectors: view.getUint16(at + 6, true),
    start: view.getUint32(at + 8, true),
  }
}

function platformName(id: number): string {
  const names: Record<number, string> = { 0: 'x86', 1: 'PowerPC', 2: 'Macintosh', 239: 'UEFI' }
  return names[id] ?? `platform ${id.toString(16).toUpperCase().padStart(2, '0')}h`
}

/** Blanks and zeros at the end are padding. */
function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length)).replace(/[ \0]+$/, '')
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
