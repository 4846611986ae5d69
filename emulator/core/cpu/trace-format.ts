// A trace: a run of decoded instructions of one page, ended by a control transfer, a system instruction or the
// page's end. Header, then records of OP_SIZE bytes. Register and segment operands are WebAssembly addresses,
// an immediate operand is the record's own O_IMM field: one form serves both.

import { JUMPS_COUNT } from '../layout'

export const TRACE_PHYS = 0 // u32, guest-physical address of the first byte
export const TRACE_MODE = 4 // u32, CPU_MODE it was decoded for; TRACE_DEAD when its bytes were written
export const TRACE_COUNT = 8 // u16, instructions
export const TRACE_BYTES = 10 // u16, length of the code
export const TRACE_HASH_NEXT = 12 // u32
export const TRACE_FRAME_NEXT = 16 // u32
export const TRACE_SHARED = 20 // u32, 1: lies in the cache and may be chained to
export const TRACE_CODE = 24 // u32, WebAssembly address of the code, 0 where it has none
export const TRACE_LAST = 28 // u16, distance of the last record: the jump, or END
export const TRACE_PREFIXES = 30 // u16, ADDRESS records, which are no instructions
export const TRACE_HEADER = 32

export const TRACE_DEAD: u32 = 0xffffffff

export const OP_SIZE = 48
export const O_OP = 0 // u16
export const O_LENGTH = 2 // u8, instruction length
export const O_SCALE = 3 // u8, shift of the index
export const O_OFFSET = 4 // u16, start of the instruction within the trace
export const O_SEGMENT = 6 // u8, segment register of the memory operand
export const O_KIND = 7 // u8, ADDRESS_*
export const O_DST = 8 // u32
export const O_SRC = 12 // u32
export const O_BASE = 16 // u32
export const O_INDEX = 20 // u32
export const O_DISP = 24 // i32
export const O_SEGBASE = 28 // u32, address of the segment register, or of zero where 64-bit mode ignores it
export const O_IMM = 32 // u64; in jumps: the next trace (u32) at +0, the fall-through's at +4
export const O_AUX = 40 // u32
export const O_AUX2 = 44 // u32

export const ADDRESS_64 = 0
export const ADDRESS_64_32 = 1 // 32-bit address size in 64-bit mode
export const ADDRESS_32 = 2
export const ADDRESS_16 = 3
/** ADDRESS_64 with neither index nor segment base (specialise.ts). */
export const ADDRESS_64_BASE = 4
/** ADDRESS_32 in DS, ES or SS while MODE_FLAT says that these are everything. */
export const ADDRESS_32_FLAT = 5

/** Most instructions in one trace. */
export const TRACE_LIMIT: u32 = 64

/** Plus CPU_JUMPS: the entry of the jump cache for a jump to `linear`. */
@inline
export function jumpEntry(c: usize, linear: u64): usize {
  return c + (((<usize>linear ^ <usize>(linear >> 12)) & (JUMPS_COUNT - 1)) << 4)
}
