// The chain of free objects of a slab (mm/slub.c of 6.1): each free object holds the address of the next one, with
// CONFIG_SLAB_FREELIST_HARDENED as address ^ the cache's random number ^ the place it is kept at with its bytes reversed.
import type { GuestView } from '../guest-view'

export interface SlabShape {
  /** Linear address of object 0. */
  objects: bigint
  /** Bytes from one object to the next. */
  size: number
  count: number
  /** Where in a free object the next one's address is. */
  link: number
  /** kmem_cache.random; undefined: addresses are kept plain. */
  random: bigint | undefined
}

/** @param place linear address where `kept` was read */
export function nextFree(kept: bigint, place: bigint, random: bigint | undefined): bigint {
  return random === undefined ? kept : kept ^ random ^ swab(BigInt.asUintN(64, place))
}

function swab(value: bigint): bigint {
  let turned = 0n
  for (let i = 0n; i < 8n; i++) turned |= ((value >> (8n * i)) & 0xffn) << (56n - 8n * i)
  return turned
}

/**
 * Follows a chain from its first object.
 * @param free gets a bit per object that is in the chain
 * @returns how many were found, and a clause about what is wrong with the chain
 */
export function followFree(
  view: Pick<GuestView, 'unsigned'>,
  shape: SlabShape,
  first: bigint,
  free: Uint8Array,
): { count: number; problem?: string } {
  let count = 0
  for (let object = first; object !== 0n; ) {
    const distance = BigInt.asIntN(64, object - shape.objects)
    const index = Number(distance) / shape.size
    if (!Number.isInteger(index) || index < 0 || index >= shape.count)
      return { count, problem: `a chain of free objects leads to ${hex(object)}, where no object begins` }
    if ((free[index >> 3]! >> (index & 7)) & 1)
      return { count, problem: 'an object is free twice, or a chain of free objects runs in a circle' }
    free[index >> 3]! |= 1 << (index & 7)
    count++
    const place = object + BigInt(shape.link)
    const kept = view.unsigned(place, 8)
    if (kept === undefined) return { count, problem: `nothing is mapped at ${hex(place)}` }
    object = nextFree(kept, place, shape.random)
  }
  return { count }
}

const hex = (address: bigint) => BigInt.asUintN(64, address).toString(16).toUpperCase()
