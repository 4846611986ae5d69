import { computed, onScopeDispose, ref } from 'vue'

/** Whether a media query matches, followed. */
export function useMedia(query: string) {
  const list = window.matchMedia(query)
  const matches = ref(list.matches)
  const change = () => (matches.value = list.matches)
  list.addEventListener('change', change)
  onScopeDispose(() => list.removeEventListener('change', change))
  return matches
}

export const useDark = () => useMedia('(prefers-color-scheme: dark)')
/** Nothing may move by itself: the system says so, or the preferences (renderer/src/stores/preferences.ts). */
export function useCalm() {
  const system = useMedia('(prefers-reduced-motion: reduce)')
  return computed(() => system.value || calm.value)
}
/** The preferences ask for reduced motion. */
export const calm = ref(false)

/** Values of tokens while the theme stays: asking for one in the middle of an update makes the page compute its styles. */
const known = new Map<string, string>()
let changing = 0
if (typeof window !== 'undefined')
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    known.clear()
    // The styles follow a task later.
    changing++
    setTimeout(() => changing--, 200)
  })

/** A token's value now, e.g. of '--accent'. */
export function token(name: string): string {
  const value = known.get(name) ?? getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  if (changing === 0 && value !== '') known.set(name, value)
  return value
}
