// Which address the page-table panel walks, what-if bits included, and what came back.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { AddressSpace, Interest, PagesView } from '../../../preload/bridge'
import { hex } from '../lib/format'

export const usePages = defineStore('pages', () => {
  const view = shallowRef<PagesView>()
  const space = shallowRef<AddressSpace>()
  /** The address that is walked; undefined follows RIP. */
  const at = ref<bigint>()
  /** By level, bits of its entry that are taken to be the other way round. */
  const changes = ref(new Map<number, bigint>())

  const wish = computed<Exclude<Interest['pages'], false>>(() => {
    const list = [...changes.value].map(([level, bits]) => ({ level, bits: hex(bits) }))
    return at.value === undefined ? { changes: list } : { at: hex(at.value), changes: list }
  })

  /** Walks this address, as it is. */
  function look(address: bigint | undefined) {
    at.value = address === undefined ? undefined : BigInt.asUintN(64, address)
    changes.value = new Map()
  }

  /** Turns a bit of the entry of a level round, in the what-if. The address stays where it is. */
  function flip(level: number, bit: number) {
    const next = new Map(changes.value)
    const bits = (next.get(level) ?? 0n) ^ (1n << BigInt(bit))
    if (bits === 0n) next.delete(level)
    else next.set(level, bits)
    if (at.value === undefined) at.value = view.value?.linear
    changes.value = next
  }

  function asItIs() {
    changes.value = new Map()
  }

  function forget() {
    view.value = undefined
    space.value = undefined
    changes.value = new Map()
  }

  return { view, space, at, changes, wish, look, flip, asItIs, forget }
})
