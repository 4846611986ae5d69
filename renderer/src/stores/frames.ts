// What happened to each 4 KiB frame of guest memory.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { FrameFlagsUpdate, MemoryRegion } from '../../../preload/bridge'

/** Flags of a frame, as the machine's layout has them. */
export const TOUCHED = 1
export const WRITTEN = 2
export const EXECUTED = 4
export const PAGE_TABLE = 8

export const useFrames = defineStore('frames', () => {
  /** Changed in place; `version` says when. */
  const flags = shallowRef<Uint8Array>()
  const version = ref(0)
  /** Who answers where, as the guest has it now; undefined until the first word of it comes. */
  const regions = shallowRef<MemoryRegion[]>()
  /** When each frame's flags last changed, by the page's clock in ms; for a moment of light. */
  let changed = new Map<number, number>()

  function apply(update: FrameFlagsUpdate) {
    const now = performance.now()
    if (update.kind === 'all') {
      flags.value = update.flags
      changed = new Map()
      version.value++
      return
    }
    const known = flags.value
    if (!known) return
    update.frames.forEach((frame, i) => {
      known[frame] = update.flags[i]!
      changed.set(frame, now)
    })
    version.value++
  }

  function forget() {
    flags.value = undefined
    regions.value = undefined
    changed = new Map()
    version.value++
  }

  return { flags, regions, version, apply, forget, changes: () => changed }
})
