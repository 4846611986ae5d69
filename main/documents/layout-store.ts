// How each document's panels were laid out last, by path; those of the documents used last are kept.
import { profileFile } from '../paths'
import { SettingsFile } from '../settings-file'

const KEPT = 100
/** As the page's own limit for one, main/ipc/checks.ts. */
const LENGTH_MAX = 1 << 16

type Entry = [path: string, layout: string]

export class LayoutStore {
  readonly #file = new SettingsFile<Entry[]>(profileFile('layouts.json'), checkLayouts)

  of(path: string): string | undefined {
    return this.#file.value.find(([known]) => known === path)?.[1]
  }

  set(path: string, layout: string) {
    const others = this.#file.value.filter(([known]) => known !== path)
    this.#file.set([[path, layout] as Entry, ...others].slice(0, KEPT))
  }

  flush() {
    this.#file.flush()
  }
}

/** What is damaged is left out. */
export function checkLayouts(content: unknown): Entry[] {
  if (!Array.isArray(content)) return []
  return content.filter(
    (entry): entry is Entry =>
      Array.isArray(entry) &&
      entry.length === 2 &&
      entry.every((part) => typeof part === 'string' && part.length <= LENGTH_MAX),
  )
}
