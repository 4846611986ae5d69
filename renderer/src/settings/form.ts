// What the settings form edits, and how it goes to and from the machine's settings.
import type { MachineSettings } from '../../../preload/bridge'

const MIB = 1024 * 1024
export const MEMORY_MIN_MIB = 1
export const MEMORY_MAX_MIB = 3072
export const CPUS_MAX = 16

export interface SettingsForm {
  cpus: number
  /** MiB */
  memory: number
  model: string
  features: string
  schedule: MachineSettings['schedule']
  seed: string
  boot: string
  images: MachineSettings['images']
  initrd: string[]
  append: string
}

/** Orders that are worth a choice: what is asked first; the rest follows as without a wish. */
export const BOOT_ORDERS: readonly [value: string, label: string][] = [
  ['', 'Whatever boots: floppy, disk, CD'],
  ['disk', 'Hard disk first'],
  ['cdrom', 'CD first'],
  ['floppy', 'Floppy first'],
]

export function toForm(settings: MachineSettings): SettingsForm {
  const [model = 'v3', ...features] = settings.cpu.split(',')
  return {
    cpus: settings.cpus,
    memory: settings.memory / MIB,
    model,
    features: features.join(','),
    schedule: settings.schedule,
    seed: settings.seed,
    boot: settings.boot[0] ?? '',
    images: settings.images.map((image) => ({ ...image })),
    initrd: [...settings.initrd],
    append: settings.append,
  }
}

export function fromForm(form: SettingsForm): MachineSettings {
  const kinds = ['floppy', 'disk', 'cdrom'] as const
  const first = kinds.find((kind) => kind === form.boot)
  const features = form.features.replaceAll(' ', '')
  return {
    cpus: form.cpus,
    memory: Math.round(form.memory * MIB),
    cpu: features === '' ? form.model : `${form.model},${features}`,
    schedule: form.schedule,
    seed: form.seed.trim(),
    boot: first ? [first, ...kinds.filter((kind) => kind !== first)] : [],
    images: form.images.map(({ kind, path }) => ({ kind, path })),
    initrd: [...form.initrd],
    append: form.append,
  }
}

/** What cannot be, in words; undefined when all is well. */
export function problemOf(form: SettingsForm): string | undefined {
  if (!Number.isInteger(form.cpus) || form.cpus < 1 || form.cpus > CPUS_MAX)
    return `A machine has 1 to ${CPUS_MAX} CPUs.`
  if (!(form.memory >= MEMORY_MIN_MIB && form.memory <= MEMORY_MAX_MIB))
    return `Memory is ${MEMORY_MIN_MIB} to ${MEMORY_MAX_MIB} MiB.`
  if (!/^\d{1,20}$/.test(form.seed.trim()) || BigInt(form.seed.trim()) >= 2n ** 64n)
    return 'The seed is a whole number of at most 64 bits.'
  const feature = form.features
    .split(',')
    .find((word) => word.trim() !== '' && !/^[+-]\S+$/.test(word.trim()))
  if (feature !== undefined) return `A feature is added or taken away, such as +avx or -pcid: ${feature}`
  return undefined
}
