// The thread that reads and writes disk images for one machine, so that nobody else waits for a file.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import * as L from '../core/layout'
import { BlockServer } from './block-server'
import type { BlockIoMessage, BlockIoNews, BlockIoStart } from './protocol'

/** Waits end by the doorbell; this is only how late a lost one would be noticed. */
const PATIENCE_MS = 1000
/** About 50 us. */
const LOOKS = 5000

const { memory, media, news } = workerData as BlockIoStart
const words = new Int32Array(memory.buffer)
const doorbell = (L.BLOCK_REQUESTS + L.BLOCK_DOORBELL) >> 2
const control = (L.HEADER + L.HDR_CONTROL) >> 2

const server = new BlockServer(memory, media, report, { news: hearNews })
while (Atomics.load(words, control) !== L.CONTROL_QUIT) {
  const rung = Atomics.load(words, doorbell)
  if (server.serve() > 0) continue
  // A guest that reads on rings again within microseconds; waking from a sleep takes tens of them.
  let looks = 0
  while (looks < LOOKS && Atomics.load(words, doorbell) === rung) looks++
  if (looks === LOOKS) Atomics.wait(words, doorbell, rung, PATIENCE_MS)
}
server.close()

function report(index: number, message: string) {
  parentPort!.postMessage({ type: 'medium', index, message } satisfies BlockIoMessage)
}

/** Asked for when a request names a medium that is not known yet. */
function hearNews() {
  for (let heard = receiveMessageOnPort(news); heard; heard = receiveMessageOnPort(news)) {
    const { medium, forgotten } = heard.message as BlockIoNews
    if (forgotten !== undefined) server.remove(forgotten)
    server.add(medium)
  }
}
