// The thread that reads and writes disk images for one machine, so that nobody else waits for a file.
import { parentPort, workerData } from 'node:worker_threads'
import * as L from '../core/layout'
import { BlockServer } from './block-server'
import type { BlockIoMessage, BlockIoStart } from './protocol'

/** Waits end by the doorbell; this is only how late a lost one would be noticed. */
const PATIENCE_MS = 1000

const { memory, drives } = workerData as BlockIoStart
const words = new Int32Array(memory.buffer)
const doorbell = (L.BLOCK_REQUESTS + L.BLOCK_DOORBELL) >> 2
const control = (L.HEADER + L.HDR_CONTROL) >> 2

const server = new BlockServer(memory, drives, (index, message) => {
  parentPort!.postMessage({ type: 'medium', index, message } satisfies BlockIoMessage)
})
while (Atomics.load(words, control) !== L.CONTROL_QUIT) {
  const rung = Atomics.load(words, doorbell)
  if (server.serve() === 0) Atomics.wait(words, doorbell, rung, PATIENCE_MS)
}
server.close()
