// The mode a processor is in, in words (SDM 3A 2.2).
import * as L from '../core/layout'

/** Size of the code being executed. @param mode MODE_* bits */
export function codeBits(mode: number): 16 | 32 | 64 {
  const size = mode & L.MODE_SIZE
  return size === L.MODE_CODE64 ? 64 : size === L.MODE_CODE32 ? 32 : 16
}

/** E.g. "32-bit protected mode with paging". @param mode MODE_* bits */
export function modeInWords(mode: number): string {
  const paging = (mode & L.MODE_PAGING) !== 0
  if ((mode & L.MODE_PROTECTED) === 0) return 'real mode'
  if ((mode & L.MODE_V86) !== 0) return 'virtual-8086 mode'
  const bits = codeBits(mode)
  if ((mode & L.MODE_LONG) !== 0)
    return bits === 64 ? '64-bit mode' : `${bits}-bit compatibility mode of long mode`
  return `${bits}-bit protected mode${paging ? ' with paging' : ''}`
}

export const isProtected = (mode: number): boolean => (mode & L.MODE_PROTECTED) !== 0
export const isLong = (mode: number): boolean => (mode & L.MODE_LONG) !== 0
