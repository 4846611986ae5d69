// core.wasm on a machine's memory of its own, for tests of the core: devices are spoken to through the bus, the
// clock is moved by hand, block requests are served from byte arrays when the core waits for them.
import { readFileSync } from 'node:fs'
import corePath from '../index.ts?asc'
import * as L from '../layout'

const PAGE = 65536
const RAM_SIZE = 1 << 20
const FRAME_COUNT = RAM_SIZE / L.PAGE_SIZE

/** Exports for tests (emulator/core/index.ts), and those every machine uses. */
interface Exports {
  cpuStart(index: number): void
  cpuBind(index: number): void
  machinePowerOn(): void
  attend(): void
  lapicPending(): number
  lapicTake(): number
  msrRead(index: number): bigint
  msrWrite(index: number, value: bigint): number
  cpuDeviceRead(phys: bigint, size: number): bigint
  cpuDeviceWrite(phys: bigint, size: number, value: bigint): void
  chipsetReset(): void
  chipsetRun(now: bigint): void
  chipsetDeadline(): bigint
  portRead(port: number, size: number): number
  portWrite(port: number, size: number, value: number): void
  mmioRead(phys: bigint, size: number): bigint
  mmioWrite(phys: bigint, size: number, value: bigint): void
  physicalRead8(phys: bigint): number
  physicalWrite8(phys: bigint, value: number): void
  interruptAcknowledge(): number
  inputDeliver(kind: number, data: number): number
}

let module: WebAssembly.Module | undefined

export class TestCore {
  readonly memory: WebAssembly.Memory
  readonly u8: Uint8Array
  readonly u32: Uint32Array
  readonly u64: BigUint64Array
  readonly exports: Exports
  /** Contents of the drives, by DRIVE_* index. */
  readonly disks = new Map<number, Uint8Array>()
  /** Set to a BLOCK_ERROR_* to let every request fail. */
  blockError: number = L.BLOCK_ERROR_NONE

  constructor(cpus = 1) {
    const frames = L.VCPUS + cpus * L.VCPU_STRIDE
    const traceHeads = frames + PAGE
    const ram = traceHeads + PAGE
    this.memory = new WebAssembly.Memory({ initial: (ram + RAM_SIZE) / PAGE, maximum: 65536, shared: true })
    this.u8 = new Uint8Array(this.memory.buffer)
    this.u32 = new Uint32Array(this.memory.buffer)
    this.u64 = new BigUint64Array(this.memory.buffer)
    this.ram = this.u8.subarray(ram, ram + RAM_SIZE)
    this.header32(L.HDR_MAGIC, L.LAYOUT_MAGIC)
    this.header32(L.HDR_VERSION, L.LAYOUT_VERSION)
    this.header32(L.HDR_CPU_COUNT, cpus)
    this.header32(L.HDR_RAM, ram)
    this.header32(L.HDR_RAM_SIZE, RAM_SIZE)
    this.header32(L.HDR_FRAMES, frames)
    this.header32(L.HDR_FRAME_COUNT, FRAME_COUNT)
    this.header32(L.HDR_TRACE_HEADS, traceHeads)
    this.header32(L.HDR_MEMORY_END, ram + RAM_SIZE)
    this.header32(L.HDR_CONTROL, L.CONTROL_RUN)
    module ??= new WebAssembly.Module(readFileSync(corePath))
    const host = { wait: (address: number) => this.#wait(address), wake: () => {}, now: () => 0n }
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory }, host })
    this.exports = exports as unknown as Exports
    this.exports.cpuStart(0)
    this.exports.chipsetReset()
  }

  /** Power-on state at machine time 0. */
  reset() {
    this.u8.fill(0, L.DEVICES, L.DEVICES_END)
    this.u8.fill(0, L.PLATFORM, L.PLATFORM_END)
    this.u64[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8] = 0n
    this.header32(L.HDR_STOP_REASON, L.STOP_NONE)
    this.header32(L.HDR_RESET_REQUEST, L.RESET_NONE)
    this.exports.chipsetReset()
  }

  header32(offset: number, value?: number): number {
    const index = (L.HEADER + offset) / 4
    if (value !== undefined) this.u32[index] = value
    return this.u32[index]!
  }

  /** Machine time in ns. */
  get time(): number {
    return Number(this.u64[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8])
  }
  /** Moves the clock to `ns` without firing timers, as instructions do. */
  set time(ns: number) {
    this.u64[(L.HEADER + L.HDR_CLOCK_SKIPPED) / 8] = BigInt(ns)
  }
  /** Moves the clock on by `ns` and fires what is due, as the engine does at a boundary. */
  advance(ns: number) {
    this.time += ns
    this.exports.chipsetRun(BigInt(this.time))
  }
  /** ns until the next timer; undefined when there is none. */
  get untilDeadline(): number | undefined {
    const deadline = BigInt.asUintN(64, this.exports.chipsetDeadline())
    return deadline === 0xffffffffffffffffn ? undefined : Number(deadline) - this.time
  }
  /** As a halted engine: on to the next timer. */
  skipToDeadline() {
    this.advance(this.untilDeadline ?? Number.NaN)
  }

  in8 = (port: number) => this.exports.portRead(port, 1)
  in16 = (port: number) => this.exports.portRead(port, 2)
  in32 = (port: number) => this.exports.portRead(port, 4) >>> 0
  out8 = (port: number, value: number) => this.exports.portWrite(port, 1, value)
  out16 = (port: number, value: number) => this.exports.portWrite(port, 2, value)
  out32 = (port: number, value: number) => this.exports.portWrite(port, 4, value)
  peek = (phys: number) => Number(BigInt.asUintN(64, this.exports.mmioRead(BigInt(phys), 1)))
  poke = (phys: number, value: number) => this.exports.mmioWrite(BigInt(phys), 1, BigInt(value))

  /** The INTR pin. */
  get intr(): boolean {
    return this.header32(L.HDR_INTR) !== 0
  }
  acknowledge = () => this.exports.interruptAcknowledge()
  /** Both controllers initialised as a PC does: vectors 20h and 28h, normal EOI; `mask` of IRQ 0-15. */
  initialisePic(mask = 0, icw4 = 0x01) {
    for (const [port, icw2, icw3] of [
      [0x20, 0x20, 0x04],
      [0xa0, 0x28, 0x02],
    ] as const) {
      this.out8(port, 0x11)
      this.out8(port + 1, icw2)
      this.out8(port + 1, icw3)
      this.out8(port + 1, icw4)
      this.out8(port + 1, port === 0x20 ? mask & 0xff : mask >> 8)
    }
  }

  deliver = (kind: number, data: number) => this.exports.inputDeliver(kind, data) !== 0

  /** What the guest has sent through output ring `ring` since the last call. */
  takeOutput(ring: number): number[] {
    const base = L.OUTPUT_RINGS + ring * L.OUTPUT_RING_STRIDE
    const bytes: number[] = []
    const write = this.u32[(base + L.RING_WRITE) / 4]!
    let read = this.u32[(base + L.RING_READ) / 4]!
    for (; read !== write; read = (read + 1) >>> 0) {
      bytes.push(this.u8[base + L.RING_DATA + (read % L.RING_CAPACITY)]!)
    }
    this.u32[(base + L.RING_READ) / 4] = read
    return bytes
  }

  /** Puts a disk into a drive; call reset() afterwards. */
  attach(drive: number, content: Uint8Array, heads = 16, sectorsPerTrack = 63) {
    const entry = L.DRIVES + drive * L.DRIVE_SIZE
    const sectors = content.length / 512
    this.disks.set(drive, content)
    this.u32[(entry + L.DRIVE_PRESENT) / 4] = 1
    this.u32[(entry + L.DRIVE_KIND) / 4] = drive < L.DRIVE_ATA0 ? L.DRIVE_KIND_FLOPPY : L.DRIVE_KIND_DISK
    this.u32[(entry + L.DRIVE_MEDIUM) / 4] = 1
    this.u32[(entry + L.DRIVE_SECTOR_SIZE) / 4] = 512
    this.u64[(entry + L.DRIVE_SECTORS) / 8] = BigInt(sectors)
    this.u32[(entry + L.DRIVE_CYLINDERS) / 4] = Math.floor(sectors / (heads * sectorsPerTrack))
    this.u32[(entry + L.DRIVE_HEADS) / 4] = heads
    this.u32[(entry + L.DRIVE_SECTORS_PER_TRACK) / 4] = sectorsPerTrack
  }

  /** A CD drive, with a disc or without; call reset() afterwards. */
  attachCd(drive: number, content?: Uint8Array) {
    const entry = (L.DRIVES + drive * L.DRIVE_SIZE) / 4
    this.u32[entry + L.DRIVE_PRESENT / 4] = 1
    this.u32[entry + L.DRIVE_KIND / 4] = L.DRIVE_KIND_CDROM
    if (!content) return
    this.disks.set(drive, content)
    this.u32[entry + L.DRIVE_MEDIUM / 4] = 1
    this.u64[(L.DRIVES + drive * L.DRIVE_SIZE + L.DRIVE_SECTORS) / 8] = BigInt(content.length / 512)
  }

  /** A medium comes into a removable drive by the input queue. */
  insert(drive: number, content: Uint8Array, [cylinders, heads, sectors] = [80, 2, 18], id = 2) {
    const medium = L.MEDIA + id * L.MEDIUM_SIZE
    this.u64[(medium + L.MEDIUM_SECTORS) / 8] = BigInt(content.length / 512)
    this.u32[(medium + L.MEDIUM_CYLINDERS) / 4] = cylinders!
    this.u32[(medium + L.MEDIUM_HEADS) / 4] = heads!
    this.u32[(medium + L.MEDIUM_SECTORS_PER_TRACK) / 4] = sectors!
    this.disks.set(drive, content)
    this.deliver(L.INPUT_KIND_MEDIUM, drive | (L.MEDIUM_INSERT << 8) | (id << 16))
  }
  eject(drive: number, force = false) {
    this.deliver(L.INPUT_KIND_MEDIUM, drive | ((force ? L.MEDIUM_FORCE : L.MEDIUM_EJECT) << 8))
  }

  /** Guest RAM, 1 MiB less what lies between 640 KiB and 1 MiB. */
  readonly ram: Uint8Array

  #wait(address: number): number {
    const slot = Math.floor((address - L.BLOCK_REQUESTS) / L.BLOCK_SLOT_SIZE)
    if (slot < 0 || slot >= L.BLOCK_SLOTS)
      throw new Error(`the core waits at 0x${address.toString(16)} for nobody`)
    this.#serve(L.BLOCK_REQUESTS + slot * L.BLOCK_SLOT_SIZE)
    return 0
  }

  #serve(slot: number) {
    const field = (offset: number) => this.u32[(slot + offset) / 4]!
    const disk = this.disks.get(field(L.BLOCK_DRIVE))
    const start = Number(this.u64[(slot + L.BLOCK_LBA) / 8]) * 512
    const length = field(L.BLOCK_COUNT) * 512
    const data = this.u8.subarray(field(L.BLOCK_ADDRESS), field(L.BLOCK_ADDRESS) + length)
    let error = this.blockError
    if (!disk || field(L.BLOCK_MEDIUM) === 0) error = L.BLOCK_ERROR_ABSENT
    else if (start + length > disk.length) error = L.BLOCK_ERROR_RANGE
    else if (error === L.BLOCK_ERROR_NONE) {
      if (field(L.BLOCK_OP) === L.BLOCK_READ) data.set(disk.subarray(start, start + length))
      if (field(L.BLOCK_OP) === L.BLOCK_WRITE) disk.set(data, start)
    }
    this.u32[(slot + L.BLOCK_ERROR) / 4] = error
    this.u32[(slot + L.BLOCK_STATE) / 4] = L.BLOCK_DONE
  }
}
