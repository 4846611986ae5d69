// A whole machine on one thread for tests of the firmware: core.wasm with the ROM, drives from byte arrays, run from
// the reset vector, and INT n called with registers of the test's choice.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import corePath from '../index.ts?asc'
import * as L from '../layout'

const PAGE = 65536
const RUN_HALTED = 1
const RUN_STOPPED = 2
const NEVER = 0xffffffffffffffffn

const asset = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../../assets/${path}`, import.meta.url)))

/** A guest of assets/guests, e.g. `tests/timer`. */
export const guestImage = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(asset(`guests/${name}.img`))

/** A text that belongs to a guest, e.g. what it prints elsewhere. */
export const guestText = (name: string): string => asset(`guests/${name}`).toString('latin1')

/** A boot sector that only sleeps: HLT in a loop. */
export function sleeper(sectors = 1): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(sectors * 512)
  image.set([0xf4, 0xeb, 0xfd])
  image.set([0x55, 0xaa], 510)
  return image
}

export interface TestDrive {
  content: Uint8Array
  /** Sectors, when the drive is to be larger than its content (which then cannot be read). */
  sectors?: number
  geometry?: [cylinders: number, heads: number, sectorsPerTrack: number]
  readOnly?: boolean
  /** A CD drive, with `content` as its disc. */
  cd?: boolean
}

export interface FirmwareOptions {
  cpus?: number
  ram?: number
  /** By DRIVE_* index; a sleeping disk in ATA0 when left out. */
  drives?: Record<number, TestDrive>
  /** HDR_BOOT_DRIVE */
  boot?: number
  /** Seconds since 1970 at power-on. */
  epoch?: number
}

const REGISTERS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const
type Register = (typeof REGISTERS)[number]
const SEGMENTS = { es: L.SEG_ES, ds: L.SEG_DS } as const
export type Registers = Partial<Record<Register | 'eax' | 'ebx' | 'ecx' | 'edx' | 'es' | 'ds', number>>
export type Answer = Record<Register | 'eax' | 'ebx' | 'ecx' | 'edx' | 'es' | 'ds', number> & {
  cf: boolean
  zf: boolean
  ah: number
  al: number
}

interface Exports {
  cpuStart(index: number): void
  machinePowerOn(): void
  run(instructions: bigint): number
  haltedUntil(): bigint
  haltSkipTo(time: bigint): void
  portRead(port: number, size: number): number
  portWrite(port: number, size: number, value: number): void
  mmioRead(phys: bigint, size: number): bigint
  mmioWrite(phys: bigint, size: number, value: bigint): void
}

let module: WebAssembly.Module | undefined

export class FirmwareMachine {
  readonly memory: WebAssembly.Memory
  readonly u8: Uint8Array
  readonly view: DataView
  readonly exports: Exports
  /** All that COM1 has said. */
  serial = ''
  readonly #ram: number
  readonly #disks = new Map<number, TestDrive>()

  /** Powered on, nothing executed yet. */
  constructor({ cpus = 1, ram = 4 << 20, drives, boot = 0xff, epoch = 1_767_225_600 }: FirmwareOptions = {}) {
    const frames = ram / L.PAGE_SIZE
    const round = (n: number) => Math.ceil(n / PAGE) * PAGE
    const framesAt = L.VCPUS + cpus * L.VCPU_STRIDE
    const heads = round(framesAt + frames * L.FRAME_SIZE)
    this.#ram = round(heads + cpus * frames * 4)
    const memory = new WebAssembly.Memory({
      initial: (this.#ram + round(ram)) / PAGE,
      maximum: PAGE,
      shared: true,
    })
    this.memory = memory
    this.u8 = new Uint8Array(memory.buffer)
    this.view = new DataView(memory.buffer)
    const header = (offset: number, value: number) => this.view.setUint32(L.HEADER + offset, value, true)
    header(L.HDR_MAGIC, L.LAYOUT_MAGIC)
    header(L.HDR_VERSION, L.LAYOUT_VERSION)
    header(L.HDR_CPU_COUNT, cpus)
    header(L.HDR_RAM, this.#ram)
    header(L.HDR_RAM_SIZE, ram)
    header(L.HDR_FRAMES, framesAt)
    header(L.HDR_FRAME_COUNT, frames)
    header(L.HDR_TRACE_HEADS, heads)
    header(L.HDR_MEMORY_END, this.#ram + ram)
    header(L.HDR_CONTROL, L.CONTROL_RUN)
    header(L.HDR_BOOT_DRIVE, boot)
    this.view.setBigUint64(L.HEADER + L.HDR_RTC_EPOCH, BigInt(epoch), true)
    this.u8.set(asset('firmware/ringside-bios.bin'), L.ROM)
    for (const [index, drive] of Object.entries(drives ?? { [L.DRIVE_ATA0]: { content: sleeper(4096) } })) {
      this.#attach(Number(index), drive)
    }
    module ??= new WebAssembly.Module(readFileSync(corePath))
    const host = { wait: (address: number) => this.#wait(address), wake: () => {}, now: () => 0n }
    this.exports = new WebAssembly.Instance(module, { env: { memory }, host }).exports as unknown as Exports
    this.exports.cpuStart(0)
    this.exports.machinePowerOn()
  }

  /** Runs until the boot sector sleeps (or whatever else the machine comes to) for at most a guest second. */
  boot(): this {
    this.run(1_000_000_000, () => this.milestone(L.CLIMB_BOOT_SECTOR))
    this.run(1_000_000)
    return this
  }

  get now(): bigint {
    const { view } = this
    return (
      view.getBigUint64(L.VCPUS + L.CPU_RETIRED, true) +
      view.getBigUint64(L.HEADER + L.HDR_CLOCK_SKIPPED, true)
    )
  }

  /** Runs for `ns` of guest time, halted time included, or until `done`. True when the machine stopped for good. */
  run(ns: number, done: () => boolean = () => false): boolean {
    const end = this.now + BigInt(ns)
    while (this.now < end && !done()) {
      const left = end - this.now
      const result = this.exports.run(left < 50_000n ? left : 50_000n)
      this.#drain()
      if (result === RUN_STOPPED) return true
      if (result === RUN_HALTED && !done()) {
        const next = BigInt.asUintN(64, this.exports.haltedUntil())
        this.exports.haltSkipTo(next < end ? next : end)
      }
    }
    return false
  }

  milestone(id: number): boolean {
    const record = L.MILESTONES + id * L.MILESTONE_SIZE
    return this.view.getUint32(record + L.MILESTONE_REACHED, true) !== 0
  }

  get stopReason(): number {
    return this.view.getUint32(L.HEADER + L.HDR_STOP_REASON, true)
  }
  get stopValue(): number {
    return this.view.getUint32(L.HEADER + L.HDR_STOP_VALUE, true)
  }
  get a20(): boolean {
    return this.view.getUint32(L.HEADER + L.HDR_A20, true) !== 0
  }

  /** Guest RAM by physical address. */
  at = (phys: number) => this.#ram + phys
  read8 = (phys: number) => this.view.getUint8(this.at(phys))
  read16 = (phys: number) => this.view.getUint16(this.at(phys), true)
  read32 = (phys: number) => this.view.getUint32(this.at(phys), true)
  read64 = (phys: number) => this.view.getBigUint64(this.at(phys), true)
  bytes = (phys: number, length: number) => this.u8.slice(this.at(phys), this.at(phys) + length)
  write(phys: number, bytes: ArrayLike<number>) {
    this.u8.set(bytes, this.at(phys))
  }

  register(name: Register | 'ip'): number {
    const offset = name === 'ip' ? L.CPU_RIP : REGISTERS.indexOf(name) * 8
    return this.view.getUint32(L.VCPUS + offset, true)
  }
  selector(index: number): number {
    return this.view.getUint16(L.VCPUS + L.CPU_SEGMENTS + index * L.SEGMENT_SIZE + L.SEGMENT_SELECTOR, true)
  }
  #setSelector(index: number, value: number) {
    const at = L.VCPUS + L.CPU_SEGMENTS + index * L.SEGMENT_SIZE
    this.view.setUint16(at + L.SEGMENT_SELECTOR, value, true)
    this.view.setBigUint64(at + L.SEGMENT_BASE, BigInt(value << 4), true)
  }

  /**
   * INT `n` from real-mode code in the sleeping boot sector, interrupts on; CF is set before, ZF clear. `during` is
   * called when the service waits (the processor sleeps in the ROM). Throws when it does not return in 10 s.
   */
  call(n: number, registers: Registers = {}, during: () => void = () => {}): Answer {
    const { view } = this
    // INT n; HLT; JMP back to it, for what interrupts later. An address per vector: decoded code is never changed
    // behind the core's back.
    const code = 0x7000 + n * 8
    this.write(code, [0xcd, n, 0xf4, 0xeb, 0xfd])
    for (const [i, name] of REGISTERS.entries()) {
      const wide = `e${name}` as keyof Registers
      view.setBigUint64(L.VCPUS + i * 8, BigInt((registers[name] ?? registers[wide] ?? 0) >>> 0), true)
    }
    view.setBigUint64(L.VCPUS + L.CPU_RSP, 0x7c00n, true)
    for (const [name, index] of Object.entries(SEGMENTS)) {
      this.#setSelector(index, registers[name as 'es' | 'ds'] ?? 0)
    }
    this.#setSelector(L.SEG_CS, 0)
    this.#setSelector(L.SEG_SS, 0)
    view.setBigUint64(L.VCPUS + L.CPU_RIP, BigInt(code), true)
    view.setBigUint64(L.VCPUS + L.CPU_RFLAGS, 0x203n, true)
    view.setUint32(L.VCPUS + L.CPU_ACTIVITY, L.ACTIVITY_RUNNING, true)
    view.setUint32(L.VCPUS + L.CPU_LAZY, L.LAZY_NONE, true)
    const returned = () => this.selector(L.SEG_CS) === 0 && this.register('ip') === code + 3
    let asked = false
    this.run(10_000_000_000, () => {
      if (!returned() && !asked && view.getUint32(L.VCPUS + L.CPU_ACTIVITY, true) === L.ACTIVITY_HALTED) {
        asked = true
        during()
      }
      return returned()
    })
    if (!returned()) throw new Error(`INT ${n.toString(16)}h did not return`)
    const answer = Object.fromEntries(REGISTERS.map((name) => [name, this.register(name) & 0xffff]))
    const wide = Object.fromEntries(
      (['ax', 'bx', 'cx', 'dx'] as const).map((name) => [`e${name}`, this.register(name)]),
    )
    const flags = view.getUint32(L.VCPUS + L.CPU_RFLAGS, true)
    return {
      ...answer,
      ...wide,
      es: this.selector(L.SEG_ES),
      ds: this.selector(L.SEG_DS),
      cf: (flags & 1) !== 0,
      zf: (flags & 0x40) !== 0,
      ah: answer.ax! >> 8,
      al: answer.ax! & 0xff,
    } as Answer
  }

  /**
   * Runs 32-bit code at 8200h, in flat segments and with a stack, entered from real mode, until it halts. The machine is not
   * for calls of the firmware any more.
   */
  protected32(code: ArrayLike<number>): this {
    const { view } = this
    const flat = (type: number) => [0xff, 0xff, 0, 0, 0, type, 0xcf, 0]
    this.write(0x8100 - 0x28, [0x17, 0, 0xe0, 0x80, 0, 0])
    this.write(0x80e0, [0, 0, 0, 0, 0, 0, 0, 0, ...flat(0x9a), ...flat(0x92)])
    // CLI; LGDT [80D8h]; MOV EAX, CR0; OR AL, 1; MOV CR0, EAX; JMP 0008:8020h
    const enter = [0xfa, 0x0f, 0x01, 0x16, 0xd8, 0x80, 0x0f, 0x20, 0xc0, 0x0c, 1, 0x0f, 0x22, 0xc0]
    this.write(0x8000, [...enter, 0xea, 0x20, 0x80, 0x08, 0])
    // MOV AX, 10h; MOV DS, ES, SS, AX; MOV ESP, 9F00h; JMP 8200h
    const segments = [0x66, 0xb8, 0x10, 0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0]
    this.write(0x8020, [...segments, 0xbc, 0, 0x9f, 0, 0, 0xb8, 0, 0x82, 0, 0, 0xff, 0xe0])
    this.write(0x8200, [...Array.from(code), 0xf4])
    this.#setSelector(L.SEG_CS, 0)
    this.#setSelector(L.SEG_DS, 0)
    view.setBigUint64(L.VCPUS + L.CPU_RIP, 0x8000n, true)
    view.setBigUint64(L.VCPUS + L.CPU_RFLAGS, 2n, true)
    view.setUint32(L.VCPUS + L.CPU_ACTIVITY, L.ACTIVITY_RUNNING, true)
    view.setUint32(L.VCPUS + L.CPU_LAZY, L.LAZY_NONE, true)
    this.run(100_000_000, () => view.getUint32(L.VCPUS + L.CPU_ACTIVITY, true) === L.ACTIVITY_HALTED)
    if (view.getUint32(L.VCPUS + L.CPU_ACTIVITY, true) !== L.ACTIVITY_HALTED)
      throw new Error('it did not halt')
    return this
  }

  /** The text screen without trailing blanks; code page 437 above 7Eh as '\u00b7'. */
  get screen(): string {
    const columns = this.read16(0x44a)
    const rows = this.read8(0x484) + 1
    const lines = Array.from({ length: rows }, (_, row) => {
      let line = ''
      for (let column = 0; column < columns; column++) {
        const code = this.cell(row, column) & 0xff
        line += code === 0 ? ' ' : code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '\u00b7'
      }
      return line.trimEnd()
    })
    return lines.join('\n').trimEnd()
  }
  /** Attribute << 8 | character. */
  cell(row: number, column: number): number {
    const at = 0xb8000 + (row * this.read16(0x44a) + column) * 2
    return Number(this.exports.mmioRead(BigInt(at), 2)) & 0xffff
  }

  #input(kind: number, data: number) {
    const write = this.view.getUint32(L.INPUT_QUEUE + L.INPUT_WRITE, true)
    const entry = L.INPUT_QUEUE + L.INPUT_ENTRIES + (write % L.INPUT_CAPACITY) * L.INPUT_ENTRY_SIZE
    this.view.setUint32(entry + L.INPUT_KIND, kind, true)
    this.view.setUint32(entry + L.INPUT_DATA, data, true)
    this.view.setUint32(L.INPUT_QUEUE + L.INPUT_WRITE, write + 1, true)
  }
  /** Key events as INPUT_KIND_KEY has them, 20 ms of guest time apart. */
  keys(...codes: number[]) {
    for (const code of codes) {
      this.#input(L.INPUT_KIND_KEY, code)
      this.run(20_000_000)
    }
  }
  /** As keys(), without running: for a service that waits. */
  queueKey(code: number) {
    this.#input(L.INPUT_KIND_KEY, code)
  }
  /** An entry of the input queue (INPUT_KIND_*). */
  queueInput(kind: number, data: number) {
    this.#input(kind, data)
  }
  queueSerial(text: string) {
    for (const c of text) this.#input(L.INPUT_KIND_SERIAL, c.charCodeAt(0))
  }

  #attach(index: number, drive: TestDrive) {
    const at = L.DRIVES + index * L.DRIVE_SIZE
    const sectors = drive.sectors ?? drive.content.length / 512
    const floppy = index < L.DRIVE_ATA0
    const geometry = drive.geometry ?? [
      floppy ? 80 : Math.min(16383, Math.floor(sectors / 1008)),
      floppy ? 2 : 16,
      floppy ? 18 : 63,
    ]
    this.#disks.set(index, drive)
    this.view.setUint32(at + L.DRIVE_PRESENT, 1, true)
    this.view.setUint32(at + L.DRIVE_SECTOR_SIZE, 512, true)
    this.view.setBigUint64(at + L.DRIVE_SECTORS, BigInt(sectors), true)
    this.view.setUint32(at + L.DRIVE_CYLINDERS, geometry[0], true)
    this.view.setUint32(at + L.DRIVE_HEADS, geometry[1], true)
    this.view.setUint32(at + L.DRIVE_SECTORS_PER_TRACK, geometry[2], true)
    this.view.setUint32(at + L.DRIVE_READ_ONLY, drive.readOnly || drive.cd ? 1 : 0, true)
    this.view.setUint32(at + L.DRIVE_MEDIUM, drive.content.length > 0 || drive.sectors ? 1 : 0, true)
    const kind = floppy ? L.DRIVE_KIND_FLOPPY : drive.cd ? L.DRIVE_KIND_CDROM : L.DRIVE_KIND_DISK
    this.view.setUint32(at + L.DRIVE_KIND, kind, true)
  }

  #wait(address: number): number {
    const slot = Math.floor((address - L.BLOCK_REQUESTS) / L.BLOCK_SLOT_SIZE)
    if (slot >= 0 && slot < L.BLOCK_SLOTS) this.#serve(L.BLOCK_REQUESTS + slot * L.BLOCK_SLOT_SIZE)
    else this.#drain()
    return 0
  }

  #serve(slot: number) {
    const field = (offset: number) => this.view.getUint32(slot + offset, true)
    const content = this.#disks.get(field(L.BLOCK_DRIVE))?.content
    const start = Number(this.view.getBigUint64(slot + L.BLOCK_LBA, true)) * 512
    const length = field(L.BLOCK_COUNT) * 512
    const address = field(L.BLOCK_ADDRESS)
    let error = L.BLOCK_ERROR_NONE
    if (!content) error = L.BLOCK_ERROR_ABSENT
    else if (start + length > content.length) error = L.BLOCK_ERROR_MEDIUM
    else if (field(L.BLOCK_OP) === L.BLOCK_READ) this.u8.set(content.subarray(start, start + length), address)
    else if (field(L.BLOCK_OP) === L.BLOCK_WRITE)
      content.set(this.u8.subarray(address, address + length), start)
    this.view.setUint32(slot + L.BLOCK_ERROR, error, true)
    this.view.setUint32(slot + L.BLOCK_STATE, L.BLOCK_DONE, true)
  }

  #drain() {
    const ring = L.OUTPUT_RINGS + L.RING_COM1 * L.OUTPUT_RING_STRIDE
    const write = this.view.getUint32(ring + L.RING_WRITE, true)
    let read = this.view.getUint32(ring + L.RING_READ, true)
    for (; read !== write; read = (read + 1) >>> 0) {
      this.serial += String.fromCharCode(this.u8[ring + L.RING_DATA + (read % L.RING_CAPACITY)]!)
    }
    this.view.setUint32(ring + L.RING_READ, read, true)
    this.view.setUint32(L.HEADER + L.HDR_HOST_WAKE, 0, true)
  }
}
