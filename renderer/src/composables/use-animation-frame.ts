import { onBeforeUnmount } from 'vue'

/** Calls `draw` once on the next display frame however often it is asked. */
export function useAnimationFrame(draw: (now: number) => void) {
  let request = 0
  onBeforeUnmount(() => cancelAnimationFrame(request))
  return () => {
    if (request !== 0) return
    request = requestAnimationFrame((now) => {
      request = 0
      draw(now)
    })
  }
}
