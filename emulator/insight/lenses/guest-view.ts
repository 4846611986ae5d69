// The guest's memory through the page tables of one CPU, for reading much of it at once. A view is for one look: it remembers
// where pages are, and the guest may change its tables meanwhile. Nothing is marked accessed, no TLB is asked or filled.
import type { MachineMemory } from '../../machine/memory'
import { type PagingControl, pagingControl, pagingKind, walkPages } from '../page-walk'

/** Pages that are remembered before all are forgotten: a look at 4 GiB of tables must not keep a million of them. */
const PAGES_MAX = 1 << 16

export class GuestView {
  readonly control: PagingControl
  readonly #pages = new Map<number, number>()

  constructor(
    readonly memory: MachineMemory,
    cpu: number,
    control = pagingControl(memory, cpu),
  ) {
    this.control = control
  }

  /** Paging is off: nothing of a 64-bit kernel can be there yet. */
  get unpaged(): boolean {
    return pagingKind(this.control) === 'none'
  }

  /** @param page linear address / 4096. @returns WebAssembly address of its first byte, -1 where nothing is mapped */
  page(page: number): number {
    const known = this.#pages.get(page)
    if (known !== undefined) return known
    const { physical } = walkPages(this.memory, this.control, BigInt(page) << 12n)
    const found = physical === undefined ? undefined : this.memory.physicalPointer(Number(physical))
    if (this.#pages.size >= PAGES_MAX) this.#pages.clear()
    this.#pages.set(page, found ?? -1)
    return found ?? -1
  }

  /** Guest-physical address behind a linear one; undefined where nothing is mapped. */
  physical(address: bigint): number | undefined {
    const { physical } = walkPages(this.memory, this.control, BigInt.asUintN(64, address))
    return physical === undefined ? undefined : Number(physical)
  }

  /** @returns WebAssembly address of a byte, -1 where nothing is mapped */
  pointer(address: bigint): number {
    const page = this.page(Number(BigInt.asUintN(64, address) >> 12n))
    return page < 0 ? -1 : page + Number(address & 0xfffn)
  }

  /** Little-endian, unsigned; undefined where a byte is not mapped. @param size 1, 2, 4 or 8 */
  unsigned(address: bigint, size: number): bigint | undefined {
    const { view } = this.memory
    if (Number(address & 0xfffn) + size <= 4096) {
      const at = this.pointer(address)
      if (at < 0) return undefined
      if (size === 8) return view.getBigUint64(at, true)
      return BigInt(
        size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at),
      )
    }
    let value = 0n
    for (let i = size - 1; i >= 0; i--) {
      const at = this.pointer(address + BigInt(i))
      if (at < 0) return undefined
      value = (value << 8n) | BigInt(view.getUint8(at))
    }
    return value
  }

  /** Fewer than `length` bytes where the mapping ends. */
  bytes(address: bigint, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const at = this.pointer(address + BigInt(done))
      if (at < 0) return bytes.subarray(0, done)
      const part = Math.min(length - done, 4096 - Number((address + BigInt(done)) & 0xfffn))
      bytes.set(this.memory.u8.subarray(at, at + part), done)
      done += part
    }
    return bytes
  }

  /**
   * A field of each entry of a table, as far as it is mapped; entries that are not give `missing`.
   * @param size of the field: 1, 2 or 4; the low half of one of 8
   * @returns how many entries could not be read
   */
  column(
    table: bigint,
    stride: number,
    offset: number,
    size: number,
    into: Uint8Array | Uint16Array | Uint32Array,
    missing = 0,
  ): number {
    const { view } = this.memory
    const first = Number(BigInt.asUintN(64, table) >> 12n)
    const start = Number(table & 0xfffn) + offset
    let page = -1
    let base = -1
    let lost = 0
    for (let i = 0; i < into.length; i++) {
      const at = start + i * stride
      const number = Math.floor(at / 4096)
      if (number !== page) {
        page = number
        base = this.page(first + number)
      }
      const inside = at - number * 4096
      if (base < 0 || inside + Math.min(size, 4) > 4096) {
        const value = this.unsigned(table + BigInt(offset + i * stride), size)
        if (value === undefined) lost++
        into[i] = value === undefined ? missing : Number(value & 0xffff_ffffn)
        continue
      }
      into[i] =
        size === 1
          ? view.getUint8(base + inside)
          : size === 2
            ? view.getUint16(base + inside, true)
            : view.getUint32(base + inside, true)
    }
    return lost
  }
}

/**
 * The address space to look through: of the first CPU that has paging on. A kernel is mapped in every address space.
 * @param of an address of the kernel that must be mapped there. Linux leaves most of itself out while a program runs (page-table
 *   isolation); its own top table is then the one before the program's, in the same 8 KiB (PTI_USER_PGTABLE_BIT)
 */
export function viewOfKernel(memory: MachineMemory, of?: bigint): GuestView {
  let best: GuestView | undefined
  for (let cpu = 0; cpu < memory.cpuCount; cpu++) {
    const view = new GuestView(memory, cpu)
    if (view.unpaged) continue
    best ??= view
    if (of === undefined) break
    if (view.page(Number(of >> 12n)) >= 0) return view
    const { control } = view
    if ((control.cr3 & ISOLATED) === 0n) continue
    const twin = new GuestView(memory, cpu, { ...control, cr3: control.cr3 & ~ISOLATED })
    if (twin.page(Number(of >> 12n)) >= 0) return twin
  }
  return best ?? new GuestView(memory, 0)
}

/** Of CR3, while a program of an isolated kernel runs. */
const ISOLATED = 0x1000n
