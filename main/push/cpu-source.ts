import type { CpuSnapshot, Machine, SegmentName } from '@emulator/machine/api'
import type { Source } from './source'

export class CpuSource implements Source<'cpu'> {
  readonly part = 'cpu'
  /** Registers of a running guest are a blur at any rate; this is fast enough to see that they move. */
  readonly interval = 50
  #last: CpuSnapshot | undefined

  constructor(
    private readonly machine: Pick<Machine, 'cpu'>,
    readonly wanted: () => boolean,
    private readonly chosen: () => number,
  ) {}

  take(): CpuSnapshot | undefined {
    const now = this.machine.cpu(this.chosen())
    if (this.#last && sameCpu(this.#last, now)) return
    this.#last = now
    return now
  }

  forget() {
    this.#last = undefined
  }
}

/** A CPU that retired nothing and waits where it waited shows the same registers. */
function sameCpu(a: CpuSnapshot, b: CpuSnapshot): boolean {
  return (
    a.index === b.index &&
    a.instructions === b.instructions &&
    a.activity === b.activity &&
    a.rip === b.rip &&
    a.rflags === b.rflags &&
    a.cr0 === b.cr0 &&
    a.cr2 === b.cr2 &&
    a.cr3 === b.cr3 &&
    a.cr4 === b.cr4 &&
    a.efer === b.efer &&
    a.gpr.every((value, i) => value === b.gpr[i]) &&
    (Object.keys(a.segments) as SegmentName[]).every(
      (name) =>
        a.segments[name].selector === b.segments[name].selector &&
        a.segments[name].base === b.segments[name].base,
    )
  )
}
