// What is remembered of documents by path, such as machine settings and panel layouts; those used last are kept.
import { profileFile } from '../paths'
import { SettingsFile } from '../settings-file'

const KEPT = 100

type Entry<T> = [path: string, value: T]

export class DocumentStore<T> {
  readonly #file: SettingsFile<Entry<T>[]>

  /**
   * @param file name in the profile
   * @param check answers a value of the file with its type, or throws an Error: what is damaged is left out
   */
  constructor(file: string, check: (value: unknown) => T) {
    this.#file = new SettingsFile(profileFile(file), (content) => entriesOf(content, check))
  }

  /** undefined when the document has none of its own. */
  of(path: string): T | undefined {
    return this.#file.value.find(([known]) => known === path)?.[1]
  }

  set(path: string, value: T) {
    const others = this.#file.value.filter(([known]) => known !== path)
    this.#file.set([[path, value] as Entry<T>, ...others].slice(0, KEPT))
  }

  /** Of all documents. */
  forget() {
    this.#file.set([])
  }

  flush() {
    this.#file.flush()
  }
}

function entriesOf<T>(content: unknown, check: (value: unknown) => T): Entry<T>[] {
  if (!Array.isArray(content)) return []
  return content.flatMap((entry): Entry<T>[] => {
    try {
      return Array.isArray(entry) && typeof entry[0] === 'string' ? [[entry[0], check(entry[1])]] : []
    } catch {
      return []
    }
  })
}
