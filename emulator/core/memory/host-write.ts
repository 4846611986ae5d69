// What a person changes by hand while the machine rests: through no page table and no device's back.

import { mmioWrite } from '../chipset/bus'
import { written } from './dma'
import { bounce } from '../cpu/context'
import { ramPointer } from './physical'
import { tableOverwrite, tableWatched } from './tlb-log'

const VIDEO: u64 = 0xa0000
const VIDEO_SIZE: u64 = 0x20000

/**
 * Writes one byte at guest-physical `phys`: RAM, the frame buffer, or video memory as its registers have it. Translations
 * of code that lies there are dropped on every CPU. Answers 0 where nothing takes it (ROM, devices, nothing at all).
 */
export function hostWrite(phys: u64, value: u32): u32 {
  const pointer = ramPointer(phys)
  if (pointer) {
    if (tableWatched(<u32>(phys >> 12))) {
      store<u8>(bounce, <u8>value)
      tableOverwrite(pointer, bounce, 1, phys)
    } else store<u8>(pointer, <u8>value)
    written(phys, 1)
    return 1
  }
  if (phys - VIDEO < VIDEO_SIZE) {
    mmioWrite(phys, 1, value)
    return 1
  }
  return 0
}
