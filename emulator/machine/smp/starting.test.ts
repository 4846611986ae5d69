// Threads begin and come to rest together: a command must not be over for one of them before it has begun for all.
import { MessagePort } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import * as L from '../../core/layout'
import type { Machine, StopInfo } from '../api'
import { JOB, smpMachine } from './guest'

let machine: Machine | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await machine?.dispose()
  machine = undefined
})

/** Ends the machine's rest slowly: each thread is told a while before the next one. */
function slowCommands(milliseconds: number) {
  const post = MessagePort.prototype.postMessage
  vi.spyOn(MessagePort.prototype, 'postMessage').mockImplementation(function (this: MessagePort, ...args) {
    post.apply(this, args)
    const began = performance.now()
    while (performance.now() - began < milliseconds);
  })
}

// The threads look for commands when they have just been started, and every second.
test('four CPUs in parallel run until somebody says pause, whenever they hear of it', {
  timeout: 60_000,
}, async () => {
  const stops: StopInfo[] = []
  for (let time = 0; time < 3; time++) {
    const four = await smpMachine({ job: JOB.alu, rounds: 0xffff_ffff }, { cpus: 4, schedule: 'parallel' })
    machine = four
    slowCommands(time * 300)
    const off = four.on('stopped', (info) => {
      stops.push(info)
    })
    four.run()
    await vi.waitFor(
      () => expect(four.speed().instructions + (stops[0]?.instructions ?? 0n)).toBeGreaterThan(0n),
      10_000,
    )
    expect(stops).toEqual([])
    off()
    expect((await four.pause()).reason).toBe('pause')
    await four.dispose()
    vi.restoreAllMocks()
  }
})

test.each(['deterministic', 'parallel'] as const)(
  'when the core breaks on one of several CPUs (%s), the account is of that one',
  { timeout: 30_000 },
  async (schedule) => {
    const three = await smpMachine({ job: JOB.alu, rounds: 0xffff_ffff }, { cpus: 3, schedule })
    machine = three
    three.run()
    await vi.waitFor(() => expect(three.cpu(2).mode).toBe('long64'), 20_000)
    await three.pause()
    // Every bucket of CPU 2's trace cache points behind the end of the memory.
    const block = three.memory.cpuBlock(2)
    three.memory.u8.fill(0xff, block + L.CPU_TRACE_HASH, block + L.CPU_TRACE_HASH + L.TRACE_HASH_COUNT * 4)
    three.memory.u8.fill(0, block + L.CPU_JUMPS, block + L.CPU_JUMPS + 0x1_0000)
    three.run()
    const { reason, report } = await three.whenStopped()
    expect(reason).toBe('internal')
    expect(report).toMatch(
      /out of bounds[\s\S]*\nCPU 2: after \d+ instructions, in [\s\S]*\nCPU 0: [\s\S]*\nCPU 1: /,
    )
  },
)
