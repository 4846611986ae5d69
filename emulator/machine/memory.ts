// The machine's memory seen from TypeScript: allocation by the layout, and views.
import * as L from '../core/layout'
import { MEMORY_MAX, MEMORY_MIN, type PhysicalAddress } from './api'

const ALIGNMENT = 0x10000

/** Where the parts behind the last vCPU block lie, for a number of CPUs and an amount of RAM. */
export interface MemoryPlan {
  frames: number
  frameCount: number
  traceHeads: number
  ram: number
  ramSize: number
  end: number
}

/**
 * @param ramSize bytes of guest RAM
 * @param cpus number of vCPUs
 * @throws RangeError for a size or number that no machine can have
 */
export function planMemory(ramSize: number, cpus: number): MemoryPlan {
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > L.MAX_CPUS) {
    throw new RangeError(`a machine has 1 to ${L.MAX_CPUS} CPUs, not ${cpus}`)
  }
  if (!Number.isInteger(ramSize) || ramSize < MEMORY_MIN || ramSize > MEMORY_MAX) {
    throw new RangeError(`a machine has 1 MiB to ${MEMORY_MAX / 2 ** 20} MiB of memory, not ${ramSize} bytes`)
  }
  if (ramSize % ALIGNMENT !== 0)
    throw new RangeError(`memory comes in steps of 64 KiB; ${ramSize} bytes is none`)
  const align = (address: number) => Math.ceil(address / ALIGNMENT) * ALIGNMENT
  const frameCount = ramSize / L.PAGE_SIZE
  const frames = L.VCPUS + cpus * L.VCPU_STRIDE
  const traceHeads = align(frames + frameCount * L.FRAME_SIZE)
  const ram = align(traceHeads + cpus * frameCount * 4)
  return { frames, frameCount, traceHeads, ram, ramSize, end: ram + ramSize }
}

/** Typed views of one machine's memory. Cheap to make on any thread that has the WebAssembly.Memory. */
export class MachineMemory {
  readonly u8: Uint8Array<ArrayBufferLike>
  readonly u32: Uint32Array<ArrayBufferLike>
  readonly i32: Int32Array<ArrayBufferLike>
  readonly u64: BigUint64Array<ArrayBufferLike>
  readonly view: DataView

  /** @param wasm a memory whose header `createMemory` has filled in */
  constructor(readonly wasm: WebAssembly.Memory) {
    const { buffer } = wasm
    this.u8 = new Uint8Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.u64 = new BigUint64Array(buffer)
    this.view = new DataView(buffer)
    const version = this.header32(L.HDR_VERSION)
    if (this.header32(L.HDR_MAGIC) !== L.LAYOUT_MAGIC || version !== L.LAYOUT_VERSION) {
      throw new Error(`this memory has layout ${version}, this program knows layout ${L.LAYOUT_VERSION}`)
    }
  }

  /** @param offset an HDR_ constant */
  header32(offset: number): number {
    return Atomics.load(this.u32, (L.HEADER + offset) >>> 2)
  }
  setHeader32(offset: number, value: number) {
    Atomics.store(this.u32, (L.HEADER + offset) >>> 2, value)
  }
  header64(offset: number): bigint {
    return Atomics.load(this.u64, (L.HEADER + offset) / 8)
  }
  setHeader64(offset: number, value: bigint) {
    Atomics.store(this.u64, (L.HEADER + offset) / 8, value)
  }

  get cpuCount(): number {
    return this.header32(L.HDR_CPU_COUNT)
  }
  /** WebAssembly address of guest-physical 0. */
  get ram(): number {
    return this.header32(L.HDR_RAM)
  }
  /** Bytes of guest RAM. */
  get ramSize(): number {
    return this.header32(L.HDR_RAM_SIZE)
  }
  /** WebAssembly address of the frame metadata. */
  get frames(): number {
    return this.header32(L.HDR_FRAMES)
  }
  get frameCount(): number {
    return this.header32(L.HDR_FRAME_COUNT)
  }

  /** WebAssembly address of a vCPU's block. */
  cpuBlock(index: number): number {
    if (!(index >= 0 && index < this.cpuCount)) throw new RangeError(`this machine has no CPU ${index}`)
    return L.VCPUS + index * L.VCPU_STRIDE
  }
  /** @param offset a CPU_ constant */
  cpu32(index: number, offset: number): number {
    return this.u32[(this.cpuBlock(index) + offset) >>> 2]!
  }
  /** @param offset a CPU_ constant */
  cpu64(index: number, offset: number): bigint {
    return this.u64[(this.cpuBlock(index) + offset) / 8]!
  }

  /** Makes a CPU come to a boundary, or wakes its thread (emulator/core/machine/smp.ts). */
  kick(index: number) {
    const block = this.cpuBlock(index)
    Atomics.store(this.u32, (block + L.CPU_ATTENTION) >>> 2, 1)
    Atomics.notify(this.i32, (block + L.CPU_ATTENTION) >>> 2)
  }
  kickAll() {
    for (let index = 0; index < this.cpuCount; index++) this.kick(index)
  }

  /**
   * WebAssembly address of a guest-physical one in RAM or ROM.
   * @returns undefined where neither answers
   */
  physicalPointer(address: PhysicalAddress | number): number | undefined {
    if (address >= 0xc0000 && address < 0x100000) {
      const shadowed = (this.header32(L.HDR_SHADOW) >>> ((address - 0xc0000) >>> 14)) & 1
      if (shadowed) return this.ram + address
    }
    if (address >= 0xe0000 && address < 0x100000) return L.ROM + (address - 0xe0000)
    if (address >= 0x1_0000_0000 - L.ROM_SIZE && address < 0x1_0000_0000) {
      return L.ROM + (address - (0x1_0000_0000 - L.ROM_SIZE))
    }
    if (address >= 0xa0000 && address < 0xe0000) return undefined
    return address < this.ramSize ? this.ram + address : undefined
  }
}

/**
 * Makes the shared memory of a new machine and fills in what the layout asks of the host. RAM and everything else
 * is zero, as a new memory is.
 * @throws Error when the host does not give that much address space
 */
export function createMemory(ramSize: number, cpus: number): MachineMemory {
  const plan = planMemory(ramSize, cpus)
  const pages = Math.ceil(plan.end / L.WASM_PAGE_SIZE)
  let wasm: WebAssembly.Memory
  try {
    wasm = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true })
  } catch (error) {
    const mib = Math.ceil(plan.end / 2 ** 20)
    throw new Error(`the host did not give ${mib} MiB for a machine: ${(error as Error).message}`)
  }
  const header = new DataView(wasm.buffer, L.HEADER, 0x1000)
  const fields: [number, number][] = [
    [L.HDR_MAGIC, L.LAYOUT_MAGIC],
    [L.HDR_VERSION, L.LAYOUT_VERSION],
    [L.HDR_CPU_COUNT, cpus],
    [L.HDR_RAM, plan.ram],
    [L.HDR_RAM_SIZE, plan.ramSize],
    [L.HDR_FRAMES, plan.frames],
    [L.HDR_FRAME_COUNT, plan.frameCount],
    [L.HDR_TRACE_HEADS, plan.traceHeads],
    // 4 GiB exactly does not fit; MEMORY_MAX keeps every machine below it.
    [L.HDR_MEMORY_END, plan.end],
  ]
  for (const [offset, value] of fields) header.setUint32(offset, value, true)
  return new MachineMemory(wasm)
}
