// Slab caches: objects of one size in slabs cut from frames.
import type { Value } from './evaluate'
import type { SlabLens } from './lens'
import { type Reader, WALK_MAX } from './reader'
import type { FrameColumns, Slab, SlabCache } from './reading'

const PAGE = 4096
const OBJECTS_MAX = 1 << 16
const CACHES_MAX = 4096

type Object = Value & { at: bigint }

/** @param columns get the number of the cache in the frames of its slabs; `offset`: caches that are known already */
export function readSlabCaches(
  reader: Reader,
  lens: SlabLens,
  columns: FrameColumns,
  offset: number,
): SlabCache[] {
  const caches: SlabCache[] = []
  for (const object of reader.walk(lens.caches)) {
    if (caches.length >= CACHES_MAX) break
    const cache = describe(reader, lens, object)
    if (!cache) continue
    caches.push(cache)
    for (const slab of slabsOf(reader, lens, object, cache)) {
      cache.slabs++
      cache.objects += cache.perSlab
      cache.inUse += slab.inUse
      if (slab.frame === undefined) continue
      const first = slab.frame - (slab.frame % 2 ** cache.order)
      columns.cache.fill(offset + caches.length, first, Math.min(columns.count, first + 2 ** cache.order))
    }
  }
  return caches
}

/** The slabs of one cache with their objects, by its place in the list; at most `most`. */
export function readSlabs(reader: Reader, lens: SlabLens, index: number, most: number): Slab[] {
  let i = 0
  for (const object of reader.walk(lens.caches)) {
    if (i++ !== index) continue
    const cache = describe(reader, lens, object)
    const slabs: Slab[] = []
    if (cache) for (const slab of slabsOf(reader, lens, object, cache)) if (slabs.push(slab) >= most) break
    return slabs
  }
  return []
}

function describe(reader: Reader, { cache: lens }: SlabLens, object: Object): SlabCache | undefined {
  const size = reader.number(lens.size, object, undefined, 2 ** 30)
  const name = reader.text(lens.name, object) ?? `cache at ${object.at.toString(16).toUpperCase()}`
  const order = lens.order === undefined ? 0 : reader.number(lens.order, object, undefined, 20)
  const perSlab =
    lens.perSlab === undefined ? undefined : reader.number(lens.perSlab, object, undefined, OBJECTS_MAX)
  if (size === undefined || size <= 0 || order === undefined || order < 0) return undefined
  const cache: SlabCache = {
    ...{ name, size, order, slabs: 0, objects: 0, inUse: 0 },
    perSlab: perSlab ?? Math.min(OBJECTS_MAX, Math.floor((PAGE * 2 ** order) / size)),
  }
  const claimed = lens.inUse === undefined ? undefined : reader.number(lens.inUse, object)
  if (claimed !== undefined) cache.claimed = claimed
  return cache
}

function* slabsOf(
  reader: Reader,
  lens: SlabLens,
  cache: Object,
  { perSlab, name }: SlabCache,
): Generator<Slab> {
  const { slab: of } = lens
  let slabs = 0
  for (const list of lens.cache.lists) {
    const head = reader.value(list, cache)
    if (!head) continue
    for (const object of reader.walk({ list: '&@', type: of.type, link: of.link }, head, cache)) {
      if (++slabs > WALK_MAX) return
      const objects = reader.big(of.objects, object, cache)
      if (objects === undefined) continue
      const physical = reader.view.physical(objects)
      const claimed = of.inUse === undefined ? undefined : reader.number(of.inUse, object, cache, OBJECTS_MAX)
      const free = freeObjects(reader, lens, object, cache, perSlab, name)
      const counted = free && perSlab - bitsOf(free)
      if (counted !== undefined && claimed !== undefined && counted !== claimed)
        reader.trouble(
          name,
          `a slab says ${claimed} objects are in use; its chain of free ones leaves ${counted}`,
        )
      yield {
        objects,
        frame: physical === undefined ? undefined : Math.floor(physical / PAGE),
        inUse: counted ?? claimed ?? 0,
        free: free ?? new Uint8Array(Math.ceil(perSlab / 8)),
      }
    }
  }
}

/** Follows the chain of free objects: a bit per object, or undefined when the lens does not say where the chain is. */
function freeObjects(
  reader: Reader,
  { slab: of }: SlabLens,
  slab: Object,
  cache: Object,
  perSlab: number,
  name: string,
): Uint8Array | undefined {
  if (of.free === undefined || of.links === undefined) return undefined
  const links = reader.place(of.links, slab, cache)
  const end = reader.number(of.end ?? 0xffff, slab, cache)
  let index = reader.number(of.free, slab, cache)
  if (links === undefined || end === undefined || index === undefined) return undefined
  const bytes = reader.view.bytes(links, perSlab * 2)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const free = new Uint8Array(Math.ceil(perSlab / 8))
  while (index !== end) {
    if (index < 0 || index >= perSlab || 2 * index + 2 > bytes.length) {
      reader.trouble(name, `a chain of free objects leads to object ${index} of ${perSlab}`)
      return free
    }
    if ((free[index >> 3]! >> (index & 7)) & 1) {
      reader.trouble(name, 'a chain of free objects runs in a circle')
      return free
    }
    free[index >> 3]! |= 1 << (index & 7)
    index = view.getUint16(2 * index, true)
  }
  return free
}

function bitsOf(bytes: Uint8Array): number {
  let count = 0
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++
  return count
}
