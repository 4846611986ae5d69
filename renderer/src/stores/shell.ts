// What the host's shell printed, on its way to the terminal.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { ByteChunk } from '../../../preload/bridge'
import { ChunkQueue } from '../lib/chunk-queue'

export const useShell = defineStore('shell', () => {
  const queue = new ChunkQueue()
  /** Its last lines as plain text. */
  const text = ref('')
  return {
    text,
    apply: (chunk: ByteChunk) => queue.apply(chunk),
    attach: queue.attach.bind(queue),
    detach: queue.detach.bind(queue),
    taken: queue.taken.bind(queue),
  }
})
