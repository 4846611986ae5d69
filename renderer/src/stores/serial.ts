// What the shown serial port said, on its way to the terminal.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { SerialChunk } from '../../../preload/bridge'
import { send } from '../bridge'
import { ChunkQueue } from '../lib/chunk-queue'
import { useInterest } from './interest'

export const useSerial = defineStore('serial', () => {
  const interest = useInterest()
  const queue = new ChunkQueue()
  /** The console's last lines as plain text. */
  const text = ref('')

  function apply(chunk: SerialChunk) {
    // Of a port that was shown a moment ago.
    if (chunk.port === interest.port) queue.apply(chunk)
  }

  /** Shows another port, 0 = COM1, from its beginning. */
  function show(port: number) {
    if (port === interest.port) return
    interest.port = port
    forget()
  }

  function forget() {
    text.value = ''
    queue.clear()
  }

  /** Longer texts go in pieces that the bridge takes. */
  function type(input: string) {
    for (let i = 0; i < input.length; i += 65536)
      send('serial.input', interest.port, input.slice(i, i + 65536))
  }

  return {
    text,
    apply,
    show,
    forget,
    type,
    attach: queue.attach.bind(queue),
    detach: queue.detach.bind(queue),
    taken: queue.taken.bind(queue),
  }
})
