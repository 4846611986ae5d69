// The machine settings of documents, by path; the last ones used are kept.
import type { MachineSettings } from '../../preload/bridge'
import { profileFile } from '../paths'
import { SettingsFile } from '../settings-file'
import { checkSettings, defaultSettings } from './machine-settings'

const KEPT = 100

type Entry = [path: string, settings: MachineSettings]

export class SettingsStore {
  readonly #file = new SettingsFile<Entry[]>(profileFile('machines.json'), check)

  /** Those of last time; undefined when the document has none of its own. */
  of(path: string): MachineSettings | undefined {
    return this.#file.value.find(([known]) => known === path)?.[1]
  }

  orDefault(path: string): MachineSettings {
    return this.of(path) ?? defaultSettings()
  }

  set(path: string, settings: MachineSettings) {
    const others = this.#file.value.filter(([known]) => known !== path)
    this.#file.set([[path, settings] as Entry, ...others].slice(0, KEPT))
  }

  flush() {
    this.#file.flush()
  }
}

/** What is damaged is left out. */
function check(content: unknown): Entry[] {
  if (!Array.isArray(content)) return []
  return content.flatMap((entry): Entry[] => {
    try {
      return Array.isArray(entry) && typeof entry[0] === 'string' ? [[entry[0], checkSettings(entry[1])]] : []
    } catch {
      return []
    }
  })
}
