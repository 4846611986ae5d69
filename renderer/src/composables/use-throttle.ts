import { onScopeDispose, shallowRef, watch } from 'vue'

/** A value that is costly to compute, at most four times a second, and always the last one. */
export function useThrottle<T>(compute: () => T, source: () => unknown, interval = 250) {
  const value = shallowRef(compute())
  let timer = 0
  let stale = false
  const tick = () => {
    timer = 0
    if (!stale) return
    stale = false
    value.value = compute()
    timer = window.setTimeout(tick, interval)
  }
  watch(source, () => {
    stale = true
    if (timer === 0) tick()
  })
  onScopeDispose(() => window.clearTimeout(timer))
  return value
}
