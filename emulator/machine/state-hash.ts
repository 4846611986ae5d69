// The hash of a machine's state, and how its memory goes back to what it was before power-on.
//
// Both go over the memory page by page and leave pages of zeros alone, so a machine with much untouched memory costs
// little. (Reading an untouched page does not commit it.)
import { createHash } from 'node:crypto'
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

const ZERO = Buffer.alloc(L.PAGE_SIZE)
/** Pages between two breaks for the event loop. */
const PAGES_PER_TURN = 8192

/** Header fields that are state, or without which the state means something else. */
const HEADER32 = [
  L.HDR_VERSION,
  L.HDR_CPU_COUNT,
  L.HDR_RAM_SIZE,
  L.HDR_A20,
  L.HDR_SHADOW,
  L.HDR_INTR,
  L.HDR_TURN_CPU,
  L.HDR_TURN_WAITING,
]
const HEADER64 = [L.HDR_CLOCK_SKIPPED, L.HDR_TURN_LEFT, L.HDR_TURN_RANDOM, L.HDR_TURN_ORDER]

/**
 * SHA-256 over the state: header fields, devices, every vCPU with its TLB, ROM, video memory, RAM. Each page is hashed
 * with its place; a page of zeros is as good as one that was never touched.
 * @returns 64 hex digits
 */
export async function stateHash(memory: MachineMemory): Promise<string> {
  const hash = createHash('sha256')
  for (const offset of HEADER32) hash.update(number(memory.header32(offset)))
  for (const offset of HEADER64) hash.update(number(memory.header64(offset)))
  const regions: [name: string, start: number, end: number][] = [
    ['devices', L.DEVICES, L.DEVICES_END],
    ['platform', L.PLATFORM, L.PLATFORM_END],
    ['drives', L.DRIVES, L.MEDIA],
    ['rom', L.ROM, L.ROM + L.ROM_SIZE],
    ['vram', L.VRAM, L.VRAM + L.VRAM_SIZE],
  ]
  for (let cpu = 0; cpu < memory.cpuCount; cpu++) {
    const block = memory.cpuBlock(cpu)
    regions.push([`cpu${cpu}`, block, block + L.CPU_HASHED_END])
    const tlb = block + L.CPU_TLB
    regions.push([`tlb${cpu}`, tlb, tlb + L.TLB_COUNT * L.TLB_ENTRY_SIZE])
  }
  regions.push(['ram', memory.ram, memory.ram + memory.ramSize])
  for (const [name, start, end] of regions) {
    hash.update(name)
    await eachUsedPage(memory, start, end, (page, bytes) => {
      const vcpu = page === start && name.startsWith('cpu')
      hash.update(number(page - start)).update(vcpu ? withoutLeftovers(bytes) : bytes)
    })
  }
  return hash.digest('hex')
}

/**
 * Everything but the configuration back to zero, as in a new memory. Nobody may be using the memory.
 */
export async function clearMemory(memory: MachineMemory): Promise<void> {
  const kept = [
    L.HDR_MAGIC,
    L.HDR_VERSION,
    L.HDR_CPU_COUNT,
    L.HDR_RAM,
    L.HDR_RAM_SIZE,
    L.HDR_FRAMES,
    L.HDR_FRAME_COUNT,
    L.HDR_TRACE_HEADS,
    L.HDR_MEMORY_END,
    L.HDR_SCHEDULE,
    L.HDR_SEED,
    L.HDR_SEED + 4,
    L.HDR_CONTROL,
    L.HDR_EVENT_CLASSES,
    L.HDR_RTC_EPOCH,
    L.HDR_RTC_EPOCH + 4,
    L.HDR_PACE,
    L.HDR_HOST_CORES,
    L.HDR_BOOT_DRIVE,
    L.HDR_BOOT_ORDER,
    ...Array.from({ length: 8 }, (_, n) => L.HDR_CPU_WITHHELD + n * 4),
  ].map((offset) => [offset, memory.header32(offset)] as const)
  const end = memory.ram + memory.ramSize
  // The drive table, the block requests with their doorbell, and the ROM are not touched.
  const cleared: [number, number][] = [
    [L.HEADER, L.DRIVES],
    [L.PLATFORM, L.PLATFORM_END],
    [L.MILESTONES, L.SPEAKER_LOG_END],
    [L.VRAM, L.VRAM + L.VRAM_SIZE],
    [L.VCPUS, end],
  ]
  for (const [start, behind] of cleared) {
    await eachUsedPage(memory, start, behind, (page, bytes) => {
      bytes.fill(0)
      // At once: onlookers are let in between pages, and what is in the header tells them how many CPUs there are.
      if (page === L.HEADER) for (const [offset, value] of kept) memory.setHeader32(offset, value)
    })
  }
}

/**
 * The first page of a vCPU block as the guest knows it. At a boundary the lazy flags are materialised; what they were
 * made from stays behind, and what that is depends on where slices ended, which the guest does not see.
 */
function withoutLeftovers(bytes: Buffer): Buffer {
  const page = Buffer.from(bytes)
  if (page.readUInt32LE(L.CPU_LAZY) === L.LAZY_NONE) page.fill(0, L.CPU_LAZY_A, L.CPU_LAZY_R + 8)
  return page
}

async function eachUsedPage(
  memory: MachineMemory,
  start: number,
  end: number,
  visit: (page: number, bytes: Buffer) => void,
) {
  for (let page = start, turn = 0; page < end; page += L.PAGE_SIZE) {
    const bytes = Buffer.from(memory.wasm.buffer as ArrayBufferLike, page, Math.min(L.PAGE_SIZE, end - page))
    if (bytes.compare(ZERO, 0, bytes.length) !== 0) visit(page, bytes)
    if (++turn % PAGES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

function number(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
