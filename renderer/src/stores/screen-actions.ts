// What can be done with the guest's screen. The screen panel provides the picture.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { call } from '../bridge'
import { useScreen } from './screen'

export const useScreenActions = defineStore('screen-actions', () => {
  const screen = useScreen()
  /** A word about the last thing done, for the panel's header. */
  const note = ref('')
  let picture: (() => Promise<Uint8Array | undefined>) | undefined
  let timer = 0

  function tell(text: string) {
    note.value = text
    window.clearTimeout(timer)
    timer = window.setTimeout(() => {
      note.value = ''
    }, 4000)
  }

  async function attempt(what: () => Promise<string | undefined>) {
    try {
      const done = await what()
      if (done) tell(done)
    } catch (error) {
      tell(`Did not work: ${(error as Error).message}`)
    }
  }

  return {
    note,
    provide: (source: typeof picture) => {
      picture = source
    },
    save: () =>
      attempt(async () => {
        const png = await picture?.()
        if (!png) return 'There is no picture to save'
        const path = await call('screenshot.save', png)
        return path === undefined ? undefined : 'Screenshot saved'
      }),
    copy: () =>
      attempt(async () => {
        if (screen.picture?.kind !== 'text') return 'The screen shows no text'
        await call('clipboard.text', screen.lines.join('\n').replace(/\n+$/, '\n'))
        return 'Screen copied as text'
      }),
  }
})
