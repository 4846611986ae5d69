import { type TlbContents, tlbContents } from '@emulator/insight/tlb-contents'
import type { Machine } from '@emulator/machine/api'
import { sameBytes, type Source } from './source'

export class TlbSource implements Source<'tlb'> {
  readonly part = 'tlb'
  readonly interval = 250
  #last: TlbContents | undefined

  /** @param cpu that the panel shows, false when nobody looks */
  constructor(
    private readonly machine: Pick<Machine, 'memory'>,
    private readonly cpu: () => false | number,
  ) {}

  wanted() {
    return this.cpu() !== false
  }

  take(): TlbContents | undefined {
    const cpu = this.cpu()
    if (cpu === false || cpu >= this.machine.memory.cpuCount) return
    const now = tlbContents(this.machine.memory, cpu)
    const last = this.#last
    const same =
      last !== undefined &&
      last.cpu === cpu &&
      last.fills === now.fills &&
      last.flushes === now.flushes &&
      last.instructions === now.instructions &&
      last.count.stale === now.count.stale &&
      sameBytes(last.slots, now.slots)
    if (same) return
    this.#last = now
    return now
  }

  forget() {
    this.#last = undefined
  }
}
