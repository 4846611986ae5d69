// The preferences as the main process holds them, and whether their dialog is open.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { Preferences } from '../../../preload/bridge'
import { call, listen } from '../bridge'
import { calm } from '../composables/use-media'

export const usePreferences = defineStore('preferences', () => {
  const value = shallowRef<Preferences>()
  const open = ref(false)
  const problem = ref('')
  let waiting = 0

  /** As the main process said last. */
  let taken: Preferences | undefined

  listen('preferences', (told) => {
    taken = told
    // What is on its way there is kept: one choice must not undo the one before.
    if (waiting === 0) value.value = told
    calm.value = told.motion === 'reduced'
    document.documentElement.dataset['motion'] = told.motion
  })

  /** Applies at once; what the main process did not take is told. */
  async function change(what: Partial<Preferences>) {
    if (!value.value) return
    problem.value = ''
    const chosen = { ...value.value, ...what }
    value.value = chosen
    waiting++
    try {
      taken = await call('preferences.set', chosen)
    } catch (error) {
      problem.value = (error as Error).message
    } finally {
      if (--waiting === 0) value.value = taken
    }
  }

  return { value, open, problem, change }
})
