// CPUs with their local APICs, for tests: what each reads and writes, what it is interrupted with.
import * as L from '../layout'
import { TestCore } from './core'

const PAGE = 0xfee00000
const IOAPIC = 0xfec00000

export class ApicCore extends TestCore {
  readonly cpus: Cpu[]

  constructor(cpus = 1) {
    super(cpus)
    this.cpus = Array.from({ length: cpus }, (_, index) => new Cpu(this, index))
    this.powerOn()
  }

  powerOn() {
    this.reset()
    this.exports.machinePowerOn()
    for (const cpu of this.cpus) cpu.attend()
    this.cpus[0]!.bind()
  }

  /** Moves time on by `ns` and lets every CPU come to a boundary. */
  pass(ns: number) {
    this.advance(ns)
    for (const cpu of this.cpus) cpu.attend()
    this.cpus[0]!.bind()
  }

  io(register: number): number {
    this.exports.mmioWrite(BigInt(IOAPIC), 4, BigInt(register))
    return Number(BigInt.asUintN(64, this.exports.mmioRead(BigInt(IOAPIC + 0x10), 4)))
  }
  ioWrite(register: number, value: number) {
    this.exports.mmioWrite(BigInt(IOAPIC), 4, BigInt(register))
    this.exports.mmioWrite(BigInt(IOAPIC + 0x10), 4, BigInt(value))
  }
  /** Redirection entry of input `pin`. */
  redirect(pin: number, low: number, destination = 0) {
    this.ioWrite(0x10 + pin * 2 + 1, destination << 24)
    this.ioWrite(0x10 + pin * 2, low)
  }
}

export class Cpu {
  constructor(
    readonly core: ApicCore,
    readonly index: number,
  ) {}

  bind() {
    this.core.exports.cpuBind(this.index)
  }
  /** What others asked for is carried out. */
  attend() {
    this.bind()
    this.core.exports.attend()
  }
  read(register: number, size = 4): number {
    this.bind()
    return Number(BigInt.asUintN(64, this.core.exports.cpuDeviceRead(BigInt(PAGE + register), size)))
  }
  write(register: number, value: number, size = 4) {
    this.bind()
    this.core.exports.cpuDeviceWrite(BigInt(PAGE + register), size, BigInt(value))
  }
  /** undefined: #GP. */
  rdmsr(index: number): bigint | undefined {
    this.bind()
    const value = BigInt.asUintN(64, this.core.exports.msrRead(index))
    return this.#fault() ? undefined : value
  }
  /** False: #GP. */
  wrmsr(index: number, value: bigint): boolean {
    this.bind()
    const written = this.core.exports.msrWrite(index, value) !== 0
    return !this.#fault() && written
  }
  #fault(): boolean {
    const cell = (L.VCPUS + this.index * L.VCPU_STRIDE + L.CPU_FAULT) / 4
    const fault = this.core.u32[cell] !== 0
    this.core.u32[cell] = 0
    return fault
  }
  /** Switches the APIC on by software. */
  enable() {
    this.write(0xf0, 0x1ff)
    return this
  }
  state(offset: number): number {
    return this.core.u32[(L.VCPUS + this.index * L.VCPU_STRIDE + offset) / 4]!
  }
  /** The vectors the CPU would take now, each ended at once, in the order it takes them. */
  takeAll(): number[] {
    const taken: number[] = []
    for (let vector = this.take(); vector !== undefined; vector = this.take()) {
      taken.push(vector)
      this.write(0xb0, 0)
    }
    return taken
  }
  /** The vector of the interrupt the CPU takes now, left in service. */
  take(): number | undefined {
    this.attend()
    return this.core.exports.lapicPending() ? this.core.exports.lapicTake() : undefined
  }
}
