import { onBeforeUnmount, onMounted, reactive, type Ref } from 'vue'

/** Size of an element's content box in CSS pixels, 0 until it is there. */
export function useElementSize(element: Readonly<Ref<HTMLElement | null>>) {
  const size = reactive({ width: 0, height: 0 })
  const observer = new ResizeObserver(([entry]) => {
    if (!entry) return
    size.width = entry.contentRect.width
    size.height = entry.contentRect.height
  })
  onMounted(() => element.value && observer.observe(element.value))
  onBeforeUnmount(() => observer.disconnect())
  return size
}
