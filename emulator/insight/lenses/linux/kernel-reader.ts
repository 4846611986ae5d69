// Reading the structures of a Linux kernel: fields by the names that its own BTF gives them, per-CPU areas, texts.
import type { MachineMemory } from '../../../machine/memory'
import { Unreadable } from '../evaluate'
import { type GuestView, viewOfKernel } from '../guest-view'
import { Reader } from '../reader'
import type { LinuxKernel } from './find-linux'

/** Where a field is inside of a structure; `size` in bytes. */
export interface Field {
  offset: number
  size: number
  bits?: { size: number; offset: number }
}

const TEXT_MAX = 256
/** include/linux/threads.h: NR_CPUS of any distribution is below this. */
const CPUS_MAX = 8192

export class KernelReader {
  readonly reader: Reader

  constructor(
    readonly memory: MachineMemory,
    readonly kernel: LinuxKernel,
    readonly view: GuestView = viewOfKernel(memory, kernel.address('vmemmap_base')),
  ) {
    this.reader = new Reader(view, kernel)
  }

  /**
   * @param path members, one inside the other: `oo.x`
   * @returns undefined when this kernel has no such field
   */
  field(type: string, path: string): Field | undefined {
    const { btf, fields } = this.kernel
    const key = `${type}.${path}`
    if (fields.has(key)) return fields.get(key)
    let at = btf.named(type)
    let offset = 0
    let found: Field | undefined
    for (const name of path.split('.')) {
      const member = btf.member(at, name)
      if (!member) {
        found = undefined
        break
      }
      at = member.type
      offset += member.offset
      found = { offset, size: btf.sizeOf(at) ?? 0, ...(member.bits ? { bits: member.bits } : {}) }
    }
    fields.set(key, found)
    return found
  }

  /** @throws Unreadable */
  need(type: string, path: string): Field {
    return this.field(type, path) ?? wrong(`${type} has no member ${path}`)
  }

  sizeOf(type: string): number {
    return this.kernel.btf.sizeOf(this.kernel.btf.named(type)) ?? wrong(`there is no ${type}`)
  }

  /** Where a field of the object at an address is. @throws Unreadable */
  place(at: bigint, type: string, path: string): bigint {
    return BigInt.asUintN(64, at + BigInt(this.need(type, path).offset))
  }

  /** A number or a pointer, unsigned. @throws Unreadable */
  big(at: bigint, type: string, path: string): bigint {
    const { offset, size, bits } = this.need(type, path)
    const place = at + BigInt(offset)
    if (!bits) return this.word(place, Math.min(size, 8))
    let raw = 0n
    for (let i = 0; i * 8 < bits.offset + bits.size; i++)
      raw |= this.word(place + BigInt(i), 1) << BigInt(8 * i)
    return BigInt.asUintN(bits.size, raw >> BigInt(bits.offset))
  }

  /** @throws Unreadable */
  number(at: bigint, type: string, path: string): number {
    return Number(this.big(at, type, path))
  }

  /** @param size 1, 2, 4 or 8 @throws Unreadable */
  word(at: bigint, size = 8): bigint {
    return (
      this.view.unsigned(BigInt.asUintN(64, at), size) ??
      wrong(`nothing is mapped at ${BigInt.asUintN(64, at).toString(16).toUpperCase()}`)
    )
  }

  /** A variable of 4 or 8 bytes; undefined when this kernel does not have it. */
  variable(name: string, size = 8): bigint | undefined {
    const at = this.kernel.address(name)
    return at === undefined ? undefined : this.view.unsigned(at, size)
  }

  /** Up to a zero byte; what cannot be printed is shown as `?`. */
  text(at: bigint, most = TEXT_MAX): string {
    const bytes = this.view.bytes(at, most)
    const end = bytes.indexOf(0)
    return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end)).replace(
      /[^\x20-\x7e]/g,
      '?',
    )
  }

  /** Value of an enumerator of this kernel. */
  enumerator(type: string, name: string): number | undefined {
    const { btf } = this.kernel
    const found = btf.bare(btf.named(type))
    if (found?.kind !== 'enum') return undefined
    const value = found.values.find((each) => each.name === name)?.value
    return value === undefined ? undefined : Number(value)
  }

  /** CPUs that the kernel may have, by the number it gives them. */
  get cpus(): number {
    const ids = Number(this.variable('nr_cpu_ids', 4) ?? 1n)
    return ids >= 1 && ids <= CPUS_MAX ? ids : 1
  }

  /** What to add to a per-CPU variable's address for a CPU (include/linux/percpu-defs.h). */
  perCpu(cpu: number): bigint {
    const offsets = this.kernel.address('__per_cpu_offset')
    return offsets === undefined ? 0n : this.word(offsets + BigInt(8 * cpu))
  }

  /** @returns addresses of the objects of a circular list (include/linux/list.h) */
  *list(head: bigint, type: string, link: string): Generator<bigint> {
    const { offset } = this.need(type, link)
    const first = { shape: { base: this.kernel.btf.named('struct list_head'), pointers: 0 }, at: head }
    const walk = { list: '&@', type, link }
    for (const object of this.reader.walk(walk, first)) {
      if (offset >= 0) yield object.at
    }
  }
}

export function wrong(message: string): never {
  throw new Unreadable(message)
}
