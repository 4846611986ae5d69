import { extendedText, fpuState } from '@emulator/insight/fpu-state'
import { localApic } from '@emulator/insight/local-apic'
import type { Machine } from '@emulator/machine/api'
import type { CpuDetails } from '../../preload/bridge'
import type { Source } from './source'

export class DetailsSource implements Source<'details'> {
  readonly part = 'details'
  readonly interval = 100
  #last = ''

  constructor(
    private readonly machine: Pick<Machine, 'memory'>,
    readonly wanted: () => boolean,
    private readonly chosen: () => number,
  ) {}

  take(): CpuDetails | undefined {
    const cpu = this.chosen()
    const { memory } = this.machine
    const fpu = fpuState(memory, cpu)
    const st = fpu.st.map(({ value, empty }) => (empty ? '' : extendedText(value)))
    const details: CpuDetails = { cpu, fpu, st, apic: localApic(memory, cpu) }
    const key = JSON.stringify(details, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    if (key === this.#last) return
    this.#last = key
    return details
  }

  forget() {
    this.#last = ''
  }
}
