// What an image is, told from its first bytes and its size.
import { diskGeometry, FLOPPY_FORMATS, floppyFormat, type Geometry } from './geometry'
import { CD_SECTOR, type IsoVolume, isoBootable, readIso } from './iso9660'
import type { MediumKind, MediumProblem } from './medium'
import { hasBootSignature, type ReadBytes, readMbr } from './partitions'

export interface Recognised {
  kind: MediumKind
  sectors: number
  geometry: Geometry
  description: string
  bootable: boolean
  warnings: string[]
}

export interface NotRecognised {
  problem: MediumProblem
  explanation: string
}

const SECTOR = 512

/** Formats told by a magic number at a fixed offset. None of them can be opened yet. */
const FOREIGN: readonly { name: string; at: number; magic: string | number[] }[] = [
  { name: 'a QEMU image (qcow2)', at: 0, magic: 'QFI\xfb' },
  { name: 'a VMware disk (VMDK)', at: 0, magic: 'KDMV' },
  { name: 'a VMware disk (VMDK descriptor)', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'a VirtualBox disk (VDI)', at: 0x40, magic: [0x7f, 0x10, 0xda, 0xbe] },
  { name: 'a Virtual PC disk (VHD)', at: 0, magic: 'conectix' },
  { name: 'a Hyper-V disk (VHDX)', at: 0, magic: 'vhdxfile' },
  { name: 'an ELF file', at: 0, magic: '\x7fELF' },
  { name: 'a gzip archive', at: 0, magic: [0x1f, 0x8b] },
  { name: 'an xz archive', at: 0, magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'a zstd archive', at: 0, magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'a bzip2 archive', at: 0, magic: 'BZh' },
  { name: 'a ZIP archive', at: 0, magic: 'PK\x03\x04' },
  { name: 'a PNG picture', at: 0, magic: '\x89PNG' },
  { name: 'a PDF document', at: 0, magic: '%PDF-' },
]
/** Linux boot protocol: "HdrS" in the set-up header. */
const BZIMAGE = { name: 'a Linux kernel (bzImage)', at: 0x202, magic: 'HdrS' }

function matches(head: Uint8Array, { at, magic }: { at: number; magic: string | number[] }): boolean {
  const bytes = typeof magic === 'string' ? [...magic].map((letter) => letter.charCodeAt(0)) : magic
  return at + bytes.length <= head.length && bytes.every((byte, i) => head[at + i] === byte)
}

/**
 * @param head the first bytes of the file: at least 8006h, or all of a smaller one
 * @param size of the file in bytes, not 0
 * @param as what the user wants it to be, whatever it looks like
 * @param read the rest of the file
 */
export function recognise(
  head: Uint8Array,
  size: number,
  as: MediumKind | undefined,
  read: ReadBytes,
): Recognised | NotRecognised {
  const bootable = hasBootSignature(head)
  const foreign = FOREIGN.find((format) => matches(head, format))
  if (foreign) return unsupported(foreign.name)
  if (matches(head, BZIMAGE)) {
    return {
      problem: 'unsupported-format',
      explanation: `recognised as ${BZIMAGE.name}, not a disk image; start it with ./ringside run FILE`,
    }
  }
  const mbr = readMbr(head, size)
  const volume = as === undefined || as === 'cdrom' ? readIso(read, size) : undefined
  // An isohybrid image has an MBR as well: it is a CD first, and a disk for who asks for one.
  if (volume || as === 'cdrom') return cdrom(volume, size, mbr.partitions.length > 0)
  if (!bootable && isText(head)) {
    return { problem: 'unknown-format', explanation: 'this is a text file, not a disk image' }
  }
  if (size < SECTOR) {
    return {
      problem: 'unknown-format',
      explanation: `${count(size, 'byte')} cannot be a disk image: the smallest is one sector of 512 bytes`,
    }
  }
  const warnings: string[] = []
  if (size % SECTOR !== 0) {
    warnings.push(
      `The last sector is incomplete (${size % SECTOR} of 512 bytes): the image may have been cut off. The rest reads as zeros.`,
    )
  }
  if (!bootable) {
    warnings.push('Sector 0 does not end in 55 AA, so the firmware will not boot it.')
  }
  const floppy =
    floppyFormat(size) ?? cutOffFloppy(head, size) ?? (as === 'floppy' ? largerFloppy(size) : undefined)
  if (as === 'floppy' && !floppy) {
    return {
      problem: 'too-large',
      explanation: `${count(size, 'byte')} do not fit onto a floppy disk: the largest has 2880 KiB`,
    }
  }
  if (floppy && as !== 'disk' && (as === 'floppy' || !mbr.plausible)) {
    const { cylinders, heads, sectorsPerTrack, kib } = floppy
    if (cutOffFloppy(head, size)) {
      warnings.push(
        `The file system says ${kib} KiB, the file has ${Math.floor(size / 1024)}: the image was cut off. The rest reads as zeros.`,
      )
    }
    return {
      kind: 'floppy',
      sectors: kib * 2,
      geometry: { cylinders, heads, sectorsPerTrack },
      description: `floppy image, ${floppy.name}`,
      bootable,
      warnings,
    }
  }
  warnings.push(...mbr.warnings)
  const sectors = Math.ceil(size / SECTOR)
  return {
    kind: 'disk',
    sectors,
    geometry: diskGeometry(sectors),
    description: mbr.plausible ? 'raw hard-disk image' : 'raw hard-disk image without a partition table',
    bootable,
    warnings,
  }
}

/** @param hybrid it has a partition table too */
function cdrom(volume: IsoVolume | undefined, size: number, hybrid: boolean): Recognised {
  const bootable = isoBootable(volume)
  const warnings = [...(volume?.warnings ?? [])]
  if (!volume) warnings.push('There is no ISO 9660 volume on this CD image.')
  else if (!volume.boot)
    warnings.push('There is no boot record on this CD, so the firmware will not boot it.')
  else if (!bootable && !volume.boot.problem)
    warnings.push(`The CD boots on ${volume.boot.entries[0]!.platform} only, not with a BIOS.`)
  if (size % CD_SECTOR !== 0) {
    warnings.push(
      `The last sector is incomplete (${size % CD_SECTOR} of 2048 bytes): the image may have been cut off. The rest reads as zeros.`,
    )
  }
  const sectors = Math.ceil(size / CD_SECTOR) * (CD_SECTOR / SECTOR)
  const what = volume ? 'CD image (ISO 9660)' : 'CD image'
  return {
    kind: 'cdrom',
    sectors,
    geometry: diskGeometry(sectors),
    description: hybrid ? `${what}, a hard-disk image as well` : what,
    bootable,
    warnings,
  }
}

/** The smallest format that has room for an image somebody says is a floppy. */
function largerFloppy(size: number) {
  return FLOPPY_FORMATS.find(({ kib }) => kib >= 360 && kib * 1024 >= size)
}

/** A floppy whose FAT BIOS parameter block (FAT specification 1.03, 3.1) promises more than the file has. */
function cutOffFloppy(head: Uint8Array, size: number) {
  if (head.length < SECTOR) return undefined
  const view = new DataView(head.buffer, head.byteOffset, SECTOR)
  const jump = view.getUint8(0) === 0xeb || view.getUint8(0) === 0xe9
  const sectors = view.getUint16(0x13, true)
  const format = floppyFormat(sectors * SECTOR)
  if (!jump || view.getUint16(0x0b, true) !== SECTOR || !format || size >= sectors * SECTOR) return undefined
  const { heads, sectorsPerTrack } = format
  return view.getUint16(0x18, true) === sectorsPerTrack && view.getUint16(0x1a, true) === heads
    ? format
    : undefined
}

function unsupported(name: string): NotRecognised {
  return {
    problem: 'unsupported-format',
    explanation: `recognised as ${name}, which this version cannot open yet; it opens raw disk, floppy and CD images`,
  }
}

/** Nothing but printable text (ASCII or UTF-8) in the first sectors. */
function isText(head: Uint8Array): boolean {
  const sample = head.subarray(0, 4096)
  if (sample.some((byte) => byte === 0 || byte === 0x7f || (byte < 0x20 && !WHITE.has(byte)))) return false
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: true })
    return true
  } catch {
    return false
  }
}
/** Tab, line feed, form feed, carriage return, escape (a terminal log). */
const WHITE = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b])

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`
}
