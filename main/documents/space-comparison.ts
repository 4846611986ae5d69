// Where addresses lead, and what is different between the address spaces of a machine: asked for by the window, answered from
// the page tables as they are.
import { type AddressSpace, readAddressSpace } from '@emulator/insight/address-space'
import { ReverseMap, type Root } from '@emulator/insight/frames/reverse-map'
import { readWindow, ROW_BYTES, ROW_UNMAPPED } from '@emulator/insight/memory-window'
import { type PagingControl, pagingControl, pagingKind, walkPages } from '@emulator/insight/page-walk'
import {
  type CapturedSpace,
  captureSpace,
  type SpaceDifference,
  spaceDifference,
} from '@emulator/insight/space-difference'
import type { Machine } from '@emulator/machine/api'
import * as L from '@emulator/core/layout'
import type { Located, MemorySpace, SpaceChoices, SpaceSide } from '../../preload/bridge'

const CR3_ADDRESS = 0xf_ffff_ffff_f000n

interface Moment {
  space: CapturedSpace
  /** Machine time, ms. */
  time: number
}

export class SpaceComparison {
  /** As the machine came to its last rest, and to the one before. */
  #rests: [Moment?, Moment?] = []
  #asked: Moment | undefined
  #map: ReverseMap | undefined

  /**
   * @param chosen the CPU that is followed
   * @param roots the address spaces that are known to be live
   */
  constructor(
    private readonly machine: Pick<Machine, 'memory' | 'state'>,
    private readonly chosen: () => number,
    private readonly roots: () => Root[],
  ) {}

  /** Another power-on. */
  reset() {
    this.#rests = []
    this.#asked = undefined
    this.#map = undefined
  }

  /** The machine has come to rest. */
  rested() {
    const moment = this.#take()
    if (moment && moment.time !== this.#rests[0]?.time) this.#rests = [moment, this.#rests[0]]
  }

  /** Keeps the address space of the followed CPU as it is now. */
  remember() {
    this.#asked = this.#take()
  }

  #take(): Moment | undefined {
    const control = this.#control
    if (pagingKind(control) === 'none') return undefined
    const { memory } = this.machine
    const time = Number(memory.header64(L.HDR_CLOCK_NOW)) / 1e6
    return { space: captureSpace(memory, control), time }
  }

  /** While the machine runs: its last rest; at rest: the one before. */
  #moment(which: 'rest' | 'asked'): Moment | undefined {
    if (which === 'asked') return this.#asked
    return this.machine.state === 'running' ? this.#rests[0] : this.#rests[1]
  }

  /** What can be compared. */
  choices(): SpaceChoices {
    const now = this.#control.cr3 & CR3_ADDRESS
    const spaces = this.roots().map(({ control, name }) => ({
      cr3: (control.cr3 & CR3_ADDRESS).toString(16),
      name,
    }))
    if (!spaces.some(({ cr3 }) => cr3 === now.toString(16)) && pagingKind(this.#control) !== 'none')
      spaces.unshift({ cr3: now.toString(16), name: `CPU ${this.chosen()}` })
    const moments = (['rest', 'asked'] as const).flatMap((which) => {
      const moment = this.#moment(which)
      if (!moment) return []
      return [{ which, cr3: (moment.space.cr3 & CR3_ADDRESS).toString(16), time: moment.time }]
    })
    return { spaces, now: now.toString(16), moments }
  }

  /** @throws Error when there is no moment that was kept */
  difference(a: SpaceSide, b: SpaceSide): SpaceDifference {
    return spaceDifference(this.#capture(a), this.#capture(b))
  }

  #capture(side: SpaceSide): CapturedSpace {
    if ('moment' in side) {
      const moment = this.#moment(side.moment)
      if (!moment) throw new Error('no moment has been kept to compare with')
      return moment.space
    }
    return captureSpace(this.machine.memory, { ...this.#control, cr3: BigInt(`0x${side.cr3}`) })
  }

  /** What the page tables of a CR3 map, or those of the followed CPU, without their tree. */
  read(cr3?: bigint): AddressSpace {
    const now = this.#control
    const control = cr3 === undefined ? now : { ...now, cr3 }
    return { ...readAddressSpace(this.machine.memory, control), tree: undefined }
  }

  /** Bytes from an address on, as far as something is mapped there. */
  bytes(space: MemorySpace, at: bigint, length: number): Uint8Array {
    const before = Number(at & BigInt(ROW_BYTES - 1))
    const rows = Math.ceil((before + length) / ROW_BYTES)
    const { bytes, kinds } = readWindow(this.machine.memory, this.#control, space, at, rows)
    const there = kinds.indexOf(ROW_UNMAPPED)
    const end = Math.min(before + length, there < 0 ? bytes.length : there * ROW_BYTES)
    return bytes.slice(before, Math.max(before, end))
  }

  get #control(): PagingControl {
    return pagingControl(this.machine.memory, this.chosen())
  }

  /** The other names of an address, in the address space of the followed CPU. */
  locate(space: MemorySpace, at: bigint): Located {
    const { memory } = this.machine
    const control = this.#control
    if (space === 'linear') {
      const walk = walkPages(memory, control, at)
      const located: Located = { linear: [at] }
      if (walk.physical !== undefined) located.physical = walk.physical
      const last = walk.steps.at(-1)
      if (last?.at !== undefined) located.entry = last.at
      return located
    }
    if (pagingKind(control) === 'none') return { linear: [at], physical: at }
    this.#map ??= new ReverseMap(memory)
    this.#map.update([{ control, name: '' }])
    const frame = Number(at >> 12n)
    const mappings = this.#map.mappings(frame, 8)
    const located: Located = { linear: mappings.map(({ linear }) => linear + (at & 0xfffn)), physical: at }
    const [first] = mappings
    if (first) located.entry = BigInt(first.entry)
    const level = this.#map.levels[frame]
    if (level) located.table = level
    return located
  }
}
