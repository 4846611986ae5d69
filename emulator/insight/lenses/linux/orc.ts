// Who called, in a kernel whose code keeps no frame pointers: Linux says for each of its instructions how far above RSP the return
// address lies (Documentation/x86/orc-unwinder.rst; arch/x86/include/asm/orc_types.h of 6.1).
import type { GuestView } from '../guest-view'
import type { LinuxKernel } from './find-linux'

const ENTRY_SIZE = 6
const ENTRIES_MAX = 4 << 20
// sp_reg and type of struct orc_entry.
const REG_SP = 5
const TYPE_CALL = 0

export class Orc {
  /** Bytes from RSP to where the caller's begins, by return address; 0: not by RSP. */
  readonly #known = new Map<bigint, number>()

  private constructor(
    private readonly ipAt: bigint,
    private readonly ips: DataView,
    private readonly entries: DataView,
    private readonly count: number,
  ) {}

  /** @returns undefined when the kernel has no such tables, or they cannot be read */
  static read(view: GuestView, kernel: LinuxKernel): Orc | undefined {
    const first = kernel.address('__start_orc_unwind_ip')
    const end = kernel.address('__stop_orc_unwind_ip')
    const entries = kernel.address('__start_orc_unwind')
    if (first === undefined || end === undefined || entries === undefined) return undefined
    const count = Number(end - first) / 4
    if (!(count > 0 && count <= ENTRIES_MAX)) return undefined
    const of = (at: bigint, length: number) => {
      const bytes = view.bytes(at, length)
      return bytes.length < length ? undefined : new DataView(bytes.buffer, bytes.byteOffset, length)
    }
    const ips = of(first, count * 4)
    const data = of(entries, count * ENTRY_SIZE)
    return ips && data && new Orc(BigInt.asUintN(64, first), ips, data, count)
  }

  #spOffset(back: bigint): number {
    const known = this.#known.get(back)
    if (known !== undefined) return known
    // Offsets from the first: each is kept relative to its own place, and they ascend.
    const wanted = Number(BigInt.asIntN(64, back - 1n - this.ipAt))
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (middle * 4 + this.ips.getInt32(middle * 4, true) <= wanted) low = middle + 1
      else high = middle
    }
    let found = 0
    if (low > 0) {
      const at = (low - 1) * ENTRY_SIZE
      const bits = this.entries.getUint16(at + 4, true)
      if ((bits & 15) === REG_SP && ((bits >> 8) & 3) === TYPE_CALL) found = this.entries.getInt16(at, true)
    }
    this.#known.set(back, found)
    return found
  }

  /**
   * @param caller the innermost return address
   * @param candidates words of the stack that look like return addresses
   * @param places how many words behind the caller's each of them lies
   * @returns those that are, the innermost first, as far as they are among the candidates
   */
  unwind(caller: bigint, candidates: readonly bigint[], places: readonly number[]): bigint[] {
    const found: bigint[] = []
    let back = caller
    let words = 0
    while (found.length < candidates.length) {
      const offset = this.#spOffset(back)
      if (offset <= 0 || offset % 8 !== 0) break
      words += offset / 8
      const at = places.indexOf(words - 1)
      if (at < 0) break
      back = candidates[at]!
      found.push(back)
    }
    return found
  }
}
