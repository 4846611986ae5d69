// What the allocator heatmap shows, and how.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { AllocatorView, Colour } from '../../../preload/bridge'
import type { LayoutKind } from '../panels/allocator/frame-layout'

export const useAllocator = defineStore('allocator', () => {
  const colour = ref<Colour>('state')
  const layout = ref<LayoutKind>('hilbert')
  /** The frame that another panel wants to see. */
  const wanted = ref<number>()
  const view = shallowRef<AllocatorView>()
  /** A shade per frame, changed in place; `version` says when. */
  const shades = shallowRef<Uint8Array>()
  const version = ref(0)
  /** Of the last picture, ms on the page's side. */
  let drawTime = 0
  let dirty: [number, number] | undefined

  function apply(update: AllocatorView) {
    view.value = update
    if (update.shades?.kind === 'all') {
      shades.value = update.shades.values
      dirty = [0, update.shades.values.length - 1]
    } else if (update.shades && shades.value) {
      const { at, values } = update.shades
      for (let i = 0; i < at.length; i++) shades.value[at[i]!] = values[i]!
      // In ascending order.
      if (at.length > 0)
        dirty = [Math.min(dirty?.[0] ?? at[0]!, at[0]!), Math.max(dirty?.[1] ?? 0, at.at(-1)!)]
    }
    version.value++
  }

  /** First and last frame that have changed since this was asked last. */
  function takeDirty(): [number, number] | undefined {
    const found = dirty
    dirty = undefined
    return found
  }

  function forget() {
    view.value = undefined
    shades.value = undefined
    dirty = undefined
    version.value++
  }

  return {
    ...{ colour, layout, wanted, view, shades, version, apply, takeDirty, forget },
    drawTime: () => drawTime,
    drew: (ms: number) => {
      drawTime = ms
    },
  }
})
