import * as L from '@emulator/core/layout'
import { localApic } from '@emulator/insight/local-apic'
import type { Machine } from '@emulator/machine/api'
import type { CpuRow } from '../../preload/bridge'
import type { Source } from './source'

/** Every CPU in a row, to be seen beside the others. */
export class CpusSource implements Source<'cpus'> {
  readonly part = 'cpus'
  readonly interval = 250
  #last = ''
  /** Instructions of each CPU at the last look, and what it has done of all of them since. */
  #retired: number[] = []
  #shares: number[] = []

  /** @param label a name for an address of code */
  constructor(
    private readonly machine: Pick<Machine, 'memory' | 'cpu'>,
    readonly wanted: () => boolean,
    private readonly label: (address: bigint) => string | undefined,
  ) {}

  take(): CpuRow[] | undefined {
    const { memory } = this.machine
    const indices = Array.from({ length: memory.cpuCount }, (_, cpu) => cpu)
    const retired = indices.map((cpu) => Number(memory.cpu64(cpu, L.CPU_RETIRED)))
    const done = retired.map((now, cpu) => Math.max(0, now - (this.#retired[cpu] ?? now)))
    const all = done.reduce((sum, part) => sum + part, 0)
    if (all > 0 || this.#shares.length === 0) this.#shares = done.map((part) => (all > 0 ? part / all : 0))
    this.#retired = retired
    const rows = indices.map((cpu): CpuRow => {
      const now = this.machine.cpu(cpu)
      const { requested, inService, taskPriority } = localApic(memory, cpu)
      const where = now.activity === 'wait-for-sipi' ? undefined : this.label(now.ripLinear)
      return {
        ...{ cpu, activity: now.activity, ring: now.cpl, mode: now.mode, rip: now.ripLinear },
        ...{ rflags: now.rflags, cr3: now.cr3, paging: now.paging, instructions: now.instructions },
        ...{ requested, inService, taskPriority, share: this.#shares[cpu] ?? 0 },
        ...(where === undefined ? {} : { where }),
      }
    })
    const told = JSON.stringify(rows, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    if (told === this.#last) return
    this.#last = told
    return rows
  }

  forget() {
    this.#last = ''
  }
}
