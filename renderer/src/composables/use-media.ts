import { onScopeDispose, ref } from 'vue'

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
export const useCalm = () => useMedia('(prefers-reduced-motion: reduce)')

/** A token's value now, e.g. of '--accent'. */
export const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim()
