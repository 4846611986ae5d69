// The guest's speaker: heard, and told in words.
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import type { SpeakerUpdate } from '../../../preload/bridge'
import { SpeakerPlayer } from '../lib/speaker-player'
import { usePreferences } from './preferences'

/** A tone is told for at least so long, ms: those of games last hundredths of a second. */
const SHOWN = 400

export const useSpeaker = defineStore('speaker', () => {
  const preferences = usePreferences()
  /** The guest has used it since power-on. */
  const used = ref(false)
  /** Hertz of the tone that sounds, or has just sounded. */
  const tone = ref<number>()
  const player = new SpeakerPlayer()
  let timer = 0

  watch(
    () => preferences.value?.sound ?? true,
    (sound) => player.mute(!sound),
    { immediate: true },
  )

  function apply(update: SpeakerUpdate) {
    used.value = true
    player.play(update)
    if (update.tone === undefined) return
    tone.value = update.tone
    window.clearTimeout(timer)
    timer = window.setTimeout(() => {
      tone.value = undefined
    }, SHOWN)
  }

  function forget() {
    used.value = false
    tone.value = undefined
    window.clearTimeout(timer)
    player.forget()
  }

  return { used, tone, apply, forget }
})
