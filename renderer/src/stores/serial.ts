// What COM1 said, on its way to the terminal. Chunks wait here until the terminal is there.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { SerialChunk } from '../../../preload/bridge'
import { send } from '../bridge'

export interface SerialSink {
  write(chunk: SerialChunk): void
  clear(): void
}

export const useSerial = defineStore('serial', () => {
  let sink: SerialSink | undefined
  let waiting: SerialChunk[] = []
  /** The console's last lines as plain text. */
  const text = ref('')

  function apply(chunk: SerialChunk) {
    if (sink) sink.write(chunk)
    else waiting.push(chunk)
  }

  function attach(terminal: SerialSink) {
    sink = terminal
    for (const chunk of waiting) terminal.write(chunk)
    waiting = []
  }

  function detach() {
    sink = undefined
  }

  function forget() {
    waiting = []
    text.value = ''
    sink?.clear()
  }

  /** Longer texts go in pieces that the bridge takes. */
  function type(input: string) {
    for (let i = 0; i < input.length; i += 65536) send('serial.input', input.slice(i, i + 65536))
  }

  return { text, apply, attach, detach, forget, type }
})
