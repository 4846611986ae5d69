// Finds entries of a table by their names without a map of texts: it takes four bytes per slot, and goes from thread to thread as it is.

/** Names that somebody has made to collide must not cost more than this each. */
const PROBES_MAX = 4096

/** Open addressing, at most half full. */
export class NameIndex {
  /** @param slots 1 + number of an entry, 0: nobody's; a power of two of them */
  constructor(readonly slots: Uint32Array<ArrayBuffer>) {}

  /**
   * @param entries numbers of those that can be found
   * @param nameOf what an entry is called; empty names are left out
   * @param better of two of one name, whether the first is to be found; without it the one that comes first
   */
  static build(
    entries: Iterable<number> & { length: number },
    nameOf: (entry: number) => string,
    better?: (a: number, b: number) => boolean,
  ): NameIndex {
    const slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * entries.length + 2)))
    const index = new NameIndex(slots)
    for (const entry of entries) {
      const name = nameOf(entry)
      if (name === '') continue
      const slot = index.#slot(name, nameOf)
      if (slot === undefined) continue
      if (slots[slot] === 0 || better?.(entry, slots[slot]! - 1)) slots[slot] = entry + 1
    }
    return index
  }

  find(name: string, nameOf: (entry: number) => string): number | undefined {
    const slot = name === '' ? undefined : this.#slot(name, nameOf)
    const found = slot === undefined ? 0 : this.slots[slot]!
    return found === 0 ? undefined : found - 1
  }

  /** Where a name is, or would be. */
  #slot(name: string, nameOf: (entry: number) => string): number | undefined {
    const { slots } = this
    const mask = slots.length - 1
    let at = hash(name) & mask
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      const entry = slots[at]!
      if (entry === 0 || nameOf(entry - 1) === name) return at
      at = (at + 1) & mask
    }
    return undefined
  }
}

/** FNV-1a, with its bits mixed once more, because the low ones are taken. */
function hash(name: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193)
  return (value ^ (value >>> 15)) >>> 0
}
