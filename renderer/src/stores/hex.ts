// Which memory the hex panel shows, where its cursor is, and what came back.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { HexView, Interest, MemorySpace } from '../../../preload/bridge'
import { hex } from '../lib/format'

export const ROW = 16n

type Overlay = Exclude<Interest['hex'], false>['overlay']

interface Rest {
  view: HexView
  /** Instructions retired: which rest it was. */
  when: bigint
}

export const useHex = defineStore('hex', () => {
  const view = shallowRef<HexView>()
  const space = ref<MemorySpace>('linear')
  /** The byte that is looked at. */
  const cursor = ref(0n)
  /** First row shown. */
  const top = ref(0n)
  const rows = ref(16)
  const overlay = shallowRef<Overlay>({ auto: true })
  /** The bytes of this window when the machine last came to rest, and at the rest before. */
  const rests = shallowRef<[Rest?, Rest?]>([])
  const running = ref(false)

  const last = computed(() => (space.value === 'linear' ? 1n << 64n : 1n << 52n) - 1n)
  const wish = computed<Exclude<Interest['hex'], false>>(() => ({
    space: space.value,
    at: hex(top.value),
    rows: rows.value,
    overlay: overlay.value,
  }))
  /** What "changed" compares with. */
  const before = computed(() => {
    const one = (running.value ? rests.value[0] : rests.value[1])?.view
    return one && one.at === view.value?.at && one.space === view.value.space ? one : undefined
  })

  /** Math.min() knows numbers only. */
  function clamped(address: bigint): bigint {
    if (address < 0n) return 0n
    if (address > last.value) return last.value
    return address
  }

  /** Puts the cursor on an address and brings it into view. */
  function look(address: bigint, where: MemorySpace = space.value) {
    space.value = where
    const at = BigInt.asUintN(64, address)
    cursor.value = clamped(at)
    const row = cursor.value & ~(ROW - 1n)
    const shown = BigInt(rows.value) * ROW
    if (row >= top.value && row < top.value + shown) return
    scrollTo(row - ROW * BigInt(Math.min(3, Math.floor(rows.value / 4))))
  }

  function scrollTo(address: bigint) {
    const most = last.value + 1n - BigInt(rows.value) * ROW
    const wanted = address < 0n ? 0n : address > most ? most : address
    top.value = wanted & ~(ROW - 1n)
  }

  /** Moves the cursor by bytes, and the window with it. */
  function move(by: bigint) {
    const at = cursor.value + by
    const to = clamped(at)
    cursor.value = to
    const row = to & ~(ROW - 1n)
    if (row < top.value) scrollTo(row)
    else if (row >= top.value + BigInt(rows.value) * ROW) scrollTo(row - BigInt(rows.value - 1) * ROW)
  }

  /** @param when instructions retired, while the machine rests */
  function apply(update: HexView | undefined, runs: boolean, when: bigint) {
    running.value = runs
    if (update) view.value = update
    const now = view.value
    if (!now || runs) return
    const [recent, older] = rests.value
    const same = recent?.view.at === now.at && recent.view.space === now.space
    // What is changed by hand at a rest, or scrolled to, is not what the guest did.
    rests.value = !same
      ? [{ view: now, when }]
      : recent.when === when
        ? [{ view: now, when }, older]
        : [{ view: now, when }, recent]
  }

  function forget() {
    view.value = undefined
    rests.value = []
  }

  return { view, space, cursor, top, rows, overlay, last, wish, before, look, scrollTo, move, apply, forget }
})
