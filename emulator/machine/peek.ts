// Reading the guest's memory without the guest noticing.
import * as L from '../core/layout'
import { pagingControl, walkPages } from '../insight/page-walk'
import { type LinearAddress, linear, type PhysicalAddress, physical } from './api'
import type { MachineMemory } from './memory'
import { readVideo } from './screen'

const VGA = 0xa0000
const VGA_END = 0xc0000

/** Through the page tables as they are in memory. @returns undefined when the address is not mapped */
export function translate(
  memory: MachineMemory,
  address: LinearAddress,
  cpu: number,
): PhysicalAddress | undefined {
  const { physical: target } = walkPages(memory, pagingControl(memory, cpu), address)
  return target === undefined ? undefined : physical(target)
}

export function readPhysical(memory: MachineMemory, address: PhysicalAddress, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xff)
  for (let done = 0; done < length; ) {
    const at = address + done
    // Within a page the answer comes from one place.
    const part = Math.min(length - done, L.PAGE_SIZE - (at % L.PAGE_SIZE))
    const pointer = memory.physicalPointer(at)
    if (pointer !== undefined) bytes.set(memory.u8.subarray(pointer, pointer + part), done)
    else if (at >= VGA && at < VGA_END) bytes.set(readVideo(memory, at, part), done)
    done += part
  }
  return bytes
}

export function readLinear(
  memory: MachineMemory,
  address: LinearAddress,
  length: number,
  cpu: number,
): Uint8Array {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const at = linear(address + BigInt(done))
    const target = translate(memory, at, cpu)
    if (target === undefined) break
    const part = Math.min(length - done, L.PAGE_SIZE - Number(at & 0xfffn))
    bytes.set(readPhysical(memory, physical(target), part), done)
    done += part
  }
  return bytes.subarray(0, done)
}
