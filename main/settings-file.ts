// Small JSON files in the user's profile. A damaged one is as good as none: settings are conveniences.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * @param path of the file; need not exist
 * @param check answers what is usable of the parsed content
 */
export class SettingsFile<T> {
  #value: T
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly path: string,
    check: (content: unknown) => T,
  ) {
    let content: unknown
    try {
      content = JSON.parse(readFileSync(path, 'utf8'))
    } catch {
      content = undefined
    }
    this.#value = check(content)
  }

  get value(): T {
    return this.#value
  }

  /** Written a moment later, so that a window being dragged does not write at every step. */
  set(value: T) {
    this.#value = value
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.flush(), 400)
  }

  /** Writes now what waits to be written. */
  flush() {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const temporary = `${this.path}.${process.pid}.new`
    try {
      mkdirSync(dirname(this.path), { recursive: true })
      writeFileSync(temporary, JSON.stringify(this.#value))
      // A rename replaces the file in one step: a crash leaves the old or the new one, never half of it.
      renameSync(temporary, this.path)
    } catch (error) {
      console.error(`Settings could not be saved to ${this.path}: ${(error as Error).message}`)
    }
  }
}
