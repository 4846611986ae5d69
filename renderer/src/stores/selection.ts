// The one place of memory that is picked: an address, with its frame and the entry that maps it. Every panel shows it in its own
// terms, and what was picked before can be gone back to.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Located, MemorySpace } from '../../../preload/bridge'
import { call } from '../bridge'
import type { PanelId } from '../panels/info'

export interface Pick {
  space: MemorySpace
  address: bigint
  /** Bytes that are meant: 1, or a page and more. */
  length: bigint
  /** Where it was picked, or where it was shown. */
  panel: PanelId
}

const HISTORY_MAX = 100
const PAGE = 4096n

export const useSelection = defineStore('selection', () => {
  const history = shallowRef<Pick[]>([])
  const at = ref(-1)
  /** What else the address is; follows a moment later. */
  const located = shallowRef<Located>()
  const pick = computed(() => history.value[at.value])

  /** Guest-physical frame number. */
  const frame = computed(() => {
    const physical = located.value?.physical
    return physical === undefined ? undefined : Number(physical / PAGE)
  })

  /**
   * @param panel it belongs to
   * @param moved by a key: the pick before it is the same one, further on
   */
  function choose(
    space: MemorySpace,
    address: bigint,
    panel: PanelId,
    { length = 1n, moved = false }: { length?: bigint; moved?: boolean } = {},
  ) {
    const now = pick.value
    if (now?.space === space && now.address === address && now.length === length) return
    const next: Pick = { space, address, length, panel }
    const kept = history.value.slice(0, at.value + 1)
    if (moved && now?.panel === panel && now.space === space) kept.pop()
    kept.push(next)
    history.value = kept.slice(-HISTORY_MAX)
    at.value = history.value.length - 1
    void locate()
  }

  /** @param by -1: what was picked before, 1: what after. @returns it, if there is one */
  function step(by: -1 | 1): Pick | undefined {
    if (!history.value[at.value + by]) return undefined
    at.value += by
    void locate()
    return pick.value
  }

  let asked = 0
  /** The tables may have changed since. */
  async function locate() {
    const now = pick.value
    const turn = ++asked
    if (!now) {
      located.value = undefined
      return
    }
    // What is known at once.
    if (now.space === 'physical') located.value = { linear: [], physical: now.address }
    else located.value = { linear: [now.address] }
    const found = await call('memory.locate', now.space, now.address.toString(16)).catch(() => undefined)
    if (turn === asked && found) located.value = found
  }

  /** The picked address lies there. */
  function inLinear(start: bigint, length: bigint): boolean {
    return located.value?.linear.some((address) => address >= start && address - start < length) ?? false
  }
  function inPhysical(start: bigint, length: bigint): boolean {
    const physical = located.value?.physical
    return physical !== undefined && physical >= start && physical - start < length
  }
  /** Guest-physical address of a page-table entry: it maps what is picked, or is what is picked. */
  function isEntry(entry: bigint | undefined, length = 8n): boolean {
    return entry !== undefined && (located.value?.entry === entry || inPhysical(entry, length))
  }

  function clear() {
    at.value = history.value.length
    history.value = [...history.value]
    located.value = undefined
  }

  function forget() {
    history.value = []
    at.value = -1
    located.value = undefined
  }

  const can = computed(() => ({
    back: at.value > 0,
    forward: at.value < history.value.length - 1,
  }))

  return { pick, located, frame, can, choose, step, locate, inLinear, inPhysical, isEntry, clear, forget }
})
