// What a thread asks about a vCPU that is at a boundary.
import * as L from '../core/layout'

const RFLAGS_IF = 0x200n

export class StoppedCpu {
  /** WebAssembly address of its block. */
  readonly block: number
  readonly #longs: BigUint64Array
  readonly #view: DataView

  constructor(
    memory: WebAssembly.Memory,
    readonly index: number,
  ) {
    this.block = L.VCPUS + index * L.VCPU_STRIDE
    this.#longs = new BigUint64Array(memory.buffer)
    this.#view = new DataView(memory.buffer)
  }

  get retired(): bigint {
    return this.#longs[(this.block + L.CPU_RETIRED) / 8]!
  }

  /** @param target count of retired instructions at which it comes to rest; undefined: none */
  setStepTarget(target: bigint | undefined) {
    this.#longs[(this.block + L.CPU_STEP_TARGET) / 8] = target === undefined ? 0n : target + 1n
  }

  get activity(): number {
    return this.#view.getUint32(this.block + L.CPU_ACTIVITY, true)
  }

  /** Whether it runs, or an interrupt or a store can end its wait, without another CPU's help. */
  get canWake(): boolean {
    const { activity } = this
    if (activity === L.ACTIVITY_RUNNING || activity === L.ACTIVITY_MWAIT) return true
    if (this.#view.getUint32(this.block + L.CPU_REQUEST, true) !== 0) return true
    // In S3 no CPU runs; what wakes the machine starts this one.
    if (this.block === L.VCPUS && this.#view.getUint8(L.DEV_ACPI + L.ACPI_ASLEEP) !== 0) return true
    if (activity !== L.ACTIVITY_HALTED) return false
    const flags = this.#longs[(this.block + L.CPU_RFLAGS) / 8]!
    return (flags & RFLAGS_IF) !== 0n || (this.#view.getUint32(this.block + L.CPU_NMI, true) & 1) !== 0
  }

  /** SS:SP as one number that grows towards the caller. */
  get stackPointer(): bigint {
    const sp = this.#longs[(this.block + L.CPU_RSP) / 8]!
    const mode = this.#view.getUint32(this.block + L.CPU_MODE, true)
    if ((mode & L.MODE_SIZE) === L.MODE_CODE64) return sp
    return (mode & L.MODE_STACK32) !== 0 ? sp & 0xffff_ffffn : sp & 0xffffn
  }

  get ripLinear(): bigint {
    const rip = this.#longs[(this.block + L.CPU_RIP) / 8]!
    const mode = this.#view.getUint32(this.block + L.CPU_MODE, true)
    if ((mode & L.MODE_SIZE) === L.MODE_CODE64) return rip
    const base = this.#longs[(this.block + L.CPU_SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE) / 8]!
    return (base + rip) & 0xffff_ffffn
  }
}
