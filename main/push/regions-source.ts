import type { Machine } from '@emulator/machine/api'
import type { MemoryRegion } from '../../preload/bridge'
import type { Source } from './source'

/** Who answers where, each time the guest has moved something: a BAR, shadow RAM, its local APIC. */
export class RegionsSource implements Source<'regions'> {
  readonly part = 'regions'
  readonly interval = 250
  #last = ''

  constructor(
    private readonly machine: Pick<Machine, 'memoryMap'>,
    readonly wanted: () => boolean,
  ) {}

  take(): MemoryRegion[] | undefined {
    const regions = this.machine.memoryMap()
    const key = regions.map(({ start, end, name }) => `${start} ${end} ${name}`).join()
    if (key === this.#last) return
    this.#last = key
    return regions
  }

  forget() {
    this.#last = ''
  }
}
