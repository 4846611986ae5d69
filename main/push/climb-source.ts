import type { Machine, Milestone } from '@emulator/machine/api'
import type { Source } from './source'

export class ClimbSource implements Source<'climb'> {
  readonly part = 'climb'
  readonly interval = 0
  #last = ''

  constructor(
    private readonly machine: Pick<Machine, 'milestones'>,
    readonly wanted: () => boolean,
  ) {}

  take(): Milestone[] | undefined {
    const stages = this.machine.milestones()
    const key = stages.map(({ reached, instructions }) => (reached ? instructions : '-')).join()
    if (key === this.#last) return
    this.#last = key
    return stages
  }

  forget() {
    this.#last = ''
  }
}
