// What the user has chosen for all documents. Held to its form whether it comes from the page or from the profile.
import type { Preferences } from '../preload/bridge'
import { checkSettings, defaultSettings } from './documents/machine-settings'

export const TEXT_SIZES = [80, 90, 100, 110, 125, 150] as const
const THEMES = ['system', 'light', 'dark'] as const
const MOTIONS = ['system', 'reduced'] as const
const SHELLS = ['ask', 'allow', 'never'] as const

export function defaultPreferences(): Preferences {
  const { memory, cpus, cpu, schedule } = defaultSettings()
  return {
    theme: 'system',
    textSize: 100,
    motion: 'system',
    sound: true,
    shell: 'ask',
    symbolsBeside: true,
    lensBeside: true,
    machine: { memory, cpus, cpu, schedule },
  }
}

/** @throws Error saying what is wrong with which of them */
export function checkPreferences(value: unknown): Preferences {
  const given = record('preferences', value)
  const machine = record('preferences.machine', given['machine'])
  const { memory, cpus, cpu, schedule } = checkSettings({
    ...defaultSettings(),
    ...{ memory: machine['memory'], cpus: machine['cpus'] },
    ...{ cpu: machine['cpu'], schedule: machine['schedule'] },
  })
  return {
    theme: oneOf('theme', THEMES, given['theme']),
    textSize: oneOf('textSize', TEXT_SIZES, given['textSize']),
    motion: oneOf('motion', MOTIONS, given['motion']),
    sound: flag('sound', given['sound']),
    shell: oneOf('shell', SHELLS, given['shell']),
    symbolsBeside: flag('symbolsBeside', given['symbolsBeside']),
    lensBeside: flag('lensBeside', given['lensBeside']),
    machine: { memory, cpus, cpu, schedule },
  }
}

/** What is usable of a file: a value that is damaged is as good as none. */
export function readPreferences(content: unknown): Preferences {
  const found = defaultPreferences()
  if (typeof content !== 'object' || content === null) return found
  const given = content as Record<string, unknown>
  const usable = { ...found } as Record<string, unknown>
  for (const name of Object.keys(found)) {
    if (given[name] === undefined) continue
    try {
      checkPreferences({ ...found, [name]: given[name] })
      usable[name] = given[name]
    } catch {
      // Left at its default.
    }
  }
  return checkPreferences(usable)
}

function record(what: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${what} must be an object`)
  return value as Record<string, unknown>
}

function oneOf<T>(name: string, all: readonly T[], value: unknown): T {
  if (!all.includes(value as T)) throw new TypeError(`${name} must be one of ${all.join(', ')}`)
  return value as T
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`)
  return value
}
