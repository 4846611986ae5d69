import { onBeforeUnmount, reactive, type Ref, watch } from 'vue'

/** Size of an element's content box in CSS pixels, 0 until it is there. The element may come and go. */
export function useElementSize(element: Readonly<Ref<HTMLElement | null>>) {
  const size = reactive({ width: 0, height: 0 })
  const observer = new ResizeObserver(([entry]) => {
    if (!entry) return
    size.width = entry.contentRect.width
    size.height = entry.contentRect.height
  })
  watch(
    element,
    (now, before) => {
      if (before) observer.unobserve(before)
      if (now) observer.observe(now)
    },
    { immediate: true, flush: 'post' },
  )
  onBeforeUnmount(() => observer.disconnect())
  return size
}
