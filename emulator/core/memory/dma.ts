// What a bus master or a DMA controller moves: RAM by pointer, video memory through the bus. Address line 20 is gated for
// the processor alone, so it does not count here.

import { mmioRead, mmioWrite } from '../chipset/bus'
import { HDR_A20, HEADER, PAGE_SIZE, ROM, ROM_SIZE } from '../layout'
import { frameWritten, ramPointer, shadowWrite } from './physical'
import { tableOverwrite, tableWatched } from './tlb-log'

const VIDEO: u64 = 0xa0000
const VIDEO_SIZE: u64 = 0x20000
const ROM_BASE: u64 = 0x100000 - ROM_SIZE

/** Bytes from `phys` to the end of its frame, at most `length`. */
@inline
function inFrame(phys: u64, length: u32): u32 {
  return min<u32>(length, PAGE_SIZE - (<u32>phys & (PAGE_SIZE - 1)))
}

/**
 * Writes `length` bytes from `source` (WebAssembly address) to guest-physical `phys`. Answers how many were taken: less
 * than all when an address is nobody's. Read-only memory takes them and forgets them.
 */
export function dmaWrite(phys: u64, source: usize, length: u32): u32 {
  let done: u32 = 0
  while (done < length) {
    const at = phys + done
    const part = inFrame(at, length - done)
    const pointer = ramPointer(at)
    if (pointer) {
      if (tableWatched(<u32>(at >> 12))) tableOverwrite(pointer, source + done, part, at)
      else memory.copy(pointer, source + done, part)
      written(at, part)
    } else if (at - VIDEO < VIDEO_SIZE) {
      for (let i: u32 = 0; i < part; i++) mmioWrite(at + i, 1, load<u8>(source + done + i))
    } else if (at - ROM_BASE < <u64>ROM_SIZE) {
      for (let i: u32 = 0; i < part; i++) shadowWrite(at + i, load<u8>(source + done + i))
    } else return done
    done += part
  }
  return done
}

/** Reads `length` bytes at guest-physical `phys` to `target`; answers how many there were. */
export function dmaRead(phys: u64, target: usize, length: u32): u32 {
  let done: u32 = 0
  while (done < length) {
    const at = phys + done
    const part = inFrame(at, length - done)
    const pointer = ramPointer(at)
    if (pointer) memory.copy(target + done, pointer, part)
    else if (at - ROM_BASE < <u64>ROM_SIZE) memory.copy(target + done, ROM + <usize>(at - ROM_BASE), part)
    else if (at - VIDEO < VIDEO_SIZE) {
      for (let i: u32 = 0; i < part; i++) store<u8>(target + done + i, <u8>mmioRead(at + i, 1))
    } else return done
    done += part
  }
  return done
}

/** frameWritten counts in addresses as the processor sees them. */
export function written(phys: u64, length: u32): void {
  const a20 = load<u32>(HEADER, HDR_A20)
  if (a20 || (phys & 0x100000) == 0) {
    frameWritten(phys, length)
    return
  }
  store<u32>(HEADER, 1, HDR_A20)
  frameWritten(phys, length)
  store<u32>(HEADER, a20, HDR_A20)
}
