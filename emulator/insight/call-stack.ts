// Who called: return addresses by the chain of frame pointers (System V ABI 3.2.2), for code that keeps them. What is
// not there is not guessed: each return address must lie behind a CALL.
import type { MachineMemory } from '../machine/memory'
import { type PagingControl, readThroughPages } from './page-walk'

const MAX_FRAME = 0x10_0000n

/**
 * @param frame the frame pointer of the innermost function
 * @param width bytes of an address: 4 or 8
 * @returns return addresses, the innermost first, at most `limit`
 */
export function callers(
  memory: MachineMemory,
  control: PagingControl,
  frame: bigint,
  width: 4 | 8,
  limit = 16,
): bigint[] {
  const found: bigint[] = []
  let at = frame
  while (found.length < limit && at !== 0n && at % BigInt(width) === 0n) {
    const pair = words(memory, control, at, width, 2)
    if (!pair) break
    const [next, back] = pair as [bigint, bigint]
    if (!behindCall(memory, control, back)) break
    found.push(back)
    // Stacks grow down: a caller's frame lies above.
    if (next <= at || next - at > MAX_FRAME) break
    at = next
  }
  return found
}

/** Little-endian words at a linear address; undefined when one of them is not mapped. */
function words(
  memory: MachineMemory,
  control: PagingControl,
  linear: bigint,
  width: 4 | 8,
  count: number,
): bigint[] | undefined {
  const bytes = readThroughPages(memory, control, linear, width * count)
  if (bytes.length < width * count) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Array.from({ length: count }, (_, i) =>
    width === 8 ? view.getBigUint64(i * 8, true) : BigInt(view.getUint32(i * 4, true)),
  )
}

/** CALL rel32 is E8 and four bytes; an indirect one FF /2 with 0 to 5 bytes behind its ModRM (SDM 2A, CALL). */
export function behindCall(memory: MachineMemory, control: PagingControl, address: bigint): boolean {
  const bytes = readThroughPages(memory, control, BigInt.asUintN(64, address - 7n), 7)
  if (bytes.length < 7) return false
  if (bytes[2] === 0xe8) return true
  for (let length = 2; length <= 7; length++)
    if (bytes[7 - length] === 0xff && ((bytes[8 - length]! >> 3) & 7) === 2) return true
  return false
}
