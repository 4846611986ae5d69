// INT 11h equipment list and INT 12h base memory: two words of the BIOS data area.
import { BDA_EQUIPMENT, BDA_MEMORY } from './bda'
import { bda16, setAx } from './guest'

export function int11(): void {
  setAx(bda16(BDA_EQUIPMENT))
}

/** AX = KiB of memory from 0 to the extended BIOS data area. */
export function int12(): void {
  setAx(bda16(BDA_MEMORY))
}
