// `ringside info FILE`: what a file is.
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeKernel, KERNEL_HEAD, kernelKind } from '../firmware/direct-boot/kernel'
import { type BootEntry, CD_SECTOR, readIso } from '../media/iso9660'
import { type Medium, MediumError, openMedium, readAt } from '../media/medium'
import { type Partition, readPartitions } from '../media/partitions'
import { FileError, OK, UsageError } from './usage'

const HELP = `usage: ringside info FILE [--json]

Says what FILE is: its format and geometry, its partitions or the volume and boot entries of a CD, and whether the
firmware would boot it.

exit status: 0, or 2 when the file cannot be opened as an image
`
const SECTOR = 512

export async function info(args: string[]): Promise<number> {
  const { values, positionals } = parse(args)
  if (values.help) {
    process.stdout.write(HELP)
    return OK
  }
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new UsageError('info wants one file')
  const kernel = kernelFile(path)
  if (kernel) {
    const { description, size } = kernel
    const words = `${path}\n  ${description}, ${inUnits(size)} (${size} bytes)\n${kernel.kind === 'kernel' ? '  start it with: ringside run FILE\n' : ''}`
    process.stdout.write(values.json ? `${JSON.stringify(kernel, undefined, 2)}\n` : words)
    return OK
  }
  let medium: Medium
  try {
    medium = openMedium(path)
  } catch (error) {
    if (error instanceof MediumError) throw new FileError(error.message)
    throw error
  }
  try {
    const described = describeMedium(medium)
    process.stdout.write(values.json ? `${JSON.stringify(described, undefined, 2)}\n` : inWords(described))
    return OK
  } finally {
    medium.close()
  }
}

/** Undefined when it is none; whether it can be read at all is then the medium's to say. */
function kernelFile(path: string) {
  let descriptor: number | undefined
  try {
    if (!statSync(path).isFile()) return undefined
    descriptor = openSync(path, 'r')
    const head = readAt(descriptor, 0, KERNEL_HEAD)
    const description = describeKernel(head)
    if (description === undefined) return undefined
    const starts = kernelKind(head) !== 'elf'
    return { path, kind: starts ? 'kernel' : 'elf', description, size: fstatSync(descriptor).size }
  } catch {
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function describeMedium(medium: Medium) {
  const { path, kind, size, sectors, geometry, description, bootable } = medium
  const read = (position: number, length: number) => readAt(medium.descriptor, position, length)
  const table = kind !== 'floppy' ? readPartitions(read, size) : { partitions: [], warnings: [] }
  const volume = kind === 'cdrom' ? readIso(read, size) : undefined
  return {
    path,
    kind,
    description,
    size,
    sectors,
    geometry,
    bootable,
    ...(kind === 'cdrom' && {
      volume: volume && { label: volume.label, sectors: volume.sectors },
      boot: volume?.boot,
    }),
    partitions: table.partitions,
    warnings: [...new Set([...medium.warnings, ...table.warnings])],
  }
}

function inWords(described: ReturnType<typeof describeMedium>): string {
  if (described.kind === 'cdrom') return cdInWords(described)
  const { path, description, size, sectors, geometry, bootable, partitions, warnings, kind } = described
  const { cylinders, heads, sectorsPerTrack } = geometry
  const drive = kind === 'floppy' ? 'floppy drive 00h' : 'hard disk 80h'
  return [
    path,
    `  ${description}, ${inUnits(size)} (${size} bytes, ${sectors} sectors)`,
    `  geometry: ${cylinders} cylinders, ${heads} heads, ${sectorsPerTrack} sectors per track`,
    `  boot sector: ${bootable ? `ends in 55 AA; the firmware boots it as ${drive}` : 'no 55 AA; the firmware will not boot it'}`,
    ...partitions.map((partition) => `  ${line(partition)}`),
    ...warnings.map((warning) => `  note: ${warning}`),
    '',
  ].join('\n')
}

function cdInWords(described: ReturnType<typeof describeMedium>): string {
  const { path, description, size, bootable, partitions, warnings, volume, boot } = described
  const sectors = Math.ceil(size / CD_SECTOR)
  return [
    path,
    `  ${description}, ${inUnits(size)} (${size} bytes, ${sectors} sectors of ${CD_SECTOR})`,
    ...(volume
      ? [`  volume: ${volume.label ? `“${volume.label}”` : 'without a label'}, ${volume.sectors} sectors`]
      : []),
    ...(boot
      ? [
          `  boot catalogue: sector ${boot.catalogue}; the firmware ${bootable ? 'boots it' : 'will not boot it'}`,
        ]
      : []),
    ...(boot?.entries ?? []).map((entry, i) => `  boot entry ${i + 1}: ${bootLine(entry)}`),
    ...(partitions.length > 0 ? ['  as a hard disk (--disk):'] : []),
    ...partitions.map((partition) => `  ${line(partition)}`),
    ...warnings.map((warning) => `  note: ${warning}`),
    '',
  ].join('\n')
}

function bootLine({ platform, bootable, emulation, segment, sectors, start }: BootEntry): string {
  const how =
    emulation === undefined
      ? 'unknown media type'
      : emulation === 'none'
        ? 'no emulation'
        : `emulates a ${emulation}`
  const where = segment === 0 ? '' : ` to ${segment.toString(16).toUpperCase().padStart(4, '0')}:0000`
  return `${platform}, ${how}, ${sectors} × 512 bytes from sector ${start}${where}${bootable ? '' : ', not bootable'}`
}

function line({ number, scheme, start, sectors, type, active, name }: Partition): string {
  const label = name ? ` “${name}”` : ''
  const flag = active ? ', active' : ''
  return `partition ${number} (${scheme.toUpperCase()}): ${type}${label}, from sector ${start}, ${inUnits(sectors * SECTOR)}${flag}`
}

export function inUnits(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${Number(value.toFixed(2))} ${units[unit]}`
}
