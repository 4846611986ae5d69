// What a document's machine is made of, as the user chose it and the profile remembers it.
import { closeSync, openSync } from 'node:fs'
import { describeKernel, KERNEL_HEAD, kernelKind } from '@emulator/firmware/direct-boot/kernel'
import type { DirectBoot } from '@emulator/firmware/direct-boot/chunks'
import { directBootSteps, openDirectBoot, type Reading } from '@emulator/firmware/direct-boot/files'
import { defaultConfig, type MachineConfig, MEMORY_MAX, MEMORY_MIN } from '@emulator/machine/api'
import { CPU_DEFAULT, cpuWithheld } from '@emulator/machine/cpu-model'
import { placeDrives } from '@emulator/machine/drive-plan'
import { type Medium, openMedium, readAt } from '@emulator/media/medium'
import type { KernelSummary, MachineSettings, Preferences } from '../../preload/bridge'

const CPUS_MAX = 16
const IMAGES_MAX = 6
const TEXT_MAX = 4096
const KINDS = ['floppy', 'disk', 'cdrom'] as const
const SCHEDULES = ['deterministic', 'parallel'] as const

export function defaultSettings(): MachineSettings {
  const { memory, cpus, schedule } = defaultConfig()
  return { cpus, memory, cpu: CPU_DEFAULT, schedule, seed: '0', boot: [], images: [], initrd: [], append: '' }
}

/** Of a document that has none of its own. */
export const settingsBy = ({ machine }: Preferences): MachineSettings => ({
  ...defaultSettings(),
  ...machine,
})

/**
 * Holds settings from the page or from the profile to their form.
 * @throws Error saying which of them cannot be
 */
export function checkSettings(value: unknown): MachineSettings {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('machine settings must be an object')
  const given = value as Record<string, unknown>
  const number = (name: string, min: number, max: number): number => {
    const found = given[name]
    if (typeof found !== 'number' || !Number.isInteger(found) || found < min || found > max)
      throw new RangeError(`${name} must be a whole number from ${min} to ${max}`)
    return found
  }
  const text = (name: string, found: unknown): string => {
    if (typeof found !== 'string' || found.length > TEXT_MAX || found.includes('\0'))
      throw new TypeError(`${name} must be text of at most ${TEXT_MAX} characters`)
    return found
  }
  const list = <T>(name: string, max: number, each: (item: unknown) => T): T[] => {
    const found = given[name]
    if (!Array.isArray(found) || found.length > max)
      throw new RangeError(`${name} must be a list of at most ${max}`)
    return found.map(each)
  }
  const oneOf = <T extends string>(name: string, all: readonly T[], found: unknown): T => {
    if (!all.includes(found as T)) throw new TypeError(`${name} must be one of ${all.join(', ')}`)
    return found as T
  }
  const memory = number('memory', MEMORY_MIN, MEMORY_MAX)
  if (memory % 65536 !== 0) throw new RangeError('memory must be a multiple of 64 KiB')
  const cpu = text('cpu', given['cpu'])
  try {
    cpuWithheld(cpu)
  } catch (error) {
    throw new RangeError((error as Error).message)
  }
  const seed = text('seed', given['seed'])
  if (!/^\d{1,20}$/.test(seed) || BigInt(seed) >= 2n ** 64n)
    throw new RangeError('the seed must be a whole number of at most 64 bits')
  return {
    cpus: number('cpus', 1, CPUS_MAX),
    memory,
    cpu,
    schedule: oneOf('schedule', SCHEDULES, given['schedule']),
    seed,
    boot: list('boot', KINDS.length, (item) => oneOf('boot', KINDS, item)),
    images: list('images', IMAGES_MAX, (item) => {
      const { kind, path } = (item ?? {}) as Record<string, unknown>
      return { kind: oneOf('images', KINDS, kind), path: text('a path', path) }
    }),
    initrd: list('initrd', 16, (item) => text('initrd', item)),
    append: text('append', given['append']),
  }
}

/** The kernel in a file, undefined when it is none. */
export function kernelSummary(path: string): KernelSummary | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const head = readAt(descriptor, 0, KERNEL_HEAD)
    const kind = kernelKind(head)
    if (kind === undefined) return
    return { linux: kind === 'bzimage', description: describeKernel(head) ?? 'kernel' }
  } catch {
    return
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/**
 * Opens the files and puts the machine's configuration together.
 * @param path of the document: a kernel when `kernel`, else an image
 * @param read what was read of the kernel and its initial RAM disks already
 * @throws MediumError, DirectBootError, Error: what cannot be opened or does not fit; nothing is left open then
 */
export function configOf(
  path: string,
  kernel: boolean,
  settings: MachineSettings,
  read?: DirectBoot,
): MachineConfig {
  const opened: { kind: Medium['kind']; medium: Medium }[] = []
  try {
    const open = (file: string, as?: Medium['kind']) => {
      const medium = openMedium(file, as)
      opened.push({ kind: as ?? medium.kind, medium })
    }
    const direct =
      read ?? (kernel ? openDirectBoot(path, initrdOf(path, settings), settings.append) : undefined)
    if (!kernel) open(path)
    for (const image of settings.images) open(image.path, image.kind)
    const of = (kind: Medium['kind']) => opened.filter((one) => one.kind === kind).map(({ medium }) => medium)
    const drives = placeDrives({ floppies: of('floppy'), disks: of('disk'), cdroms: of('cdrom') })
    return {
      ...defaultConfig(),
      cpus: settings.cpus,
      memory: settings.memory,
      cpu: settings.cpu,
      schedule: settings.schedule,
      seed: BigInt(settings.seed),
      boot: settings.boot.length > 0 ? settings.boot : 'auto',
      drives,
      ...(direct ? { direct } : {}),
    }
  } catch (error) {
    for (const { medium } of opened) medium.close()
    throw error
  }
}

/**
 * Reads a kernel and what it is given, and lets others have their turn between pieces.
 * @param progress is told what is read; false: it is not wanted any more
 * @returns undefined when it was not wanted any more
 * @throws DirectBootError
 */
export async function readKernel(
  path: string,
  settings: MachineSettings,
  progress: (reading: Reading) => boolean,
): Promise<DirectBoot | undefined> {
  const steps = directBootSteps(path, initrdOf(path, settings), settings.append)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (!progress(value)) {
      steps.return(undefined as never)
      return undefined
    }
    await new Promise((go) => setImmediate(go))
  }
}

/** Multiboot takes a list of modules with commas; a comma in a path is told by two. */
function initrdOf(path: string, { initrd }: MachineSettings): string[] {
  return kernelSummary(path)?.linux ? initrd : initrd.map((file) => file.replaceAll(',', ',,'))
}
