import { type AddressSpace, pruned, readAddressSpace, type TableNode } from '@emulator/insight/address-space'
import { pagingControl } from '@emulator/insight/page-walk'
import type { Machine } from '@emulator/machine/api'
import { LOOK_SHARE, type Source } from './source'

/** As many tables as a picture can show. */
const NODES_MAX = 2000
const INTERVAL_MIN = 500

export class SpaceSource implements Source<'space'> {
  readonly part = 'space'
  /** A whole address space is read: one of 10^6 pages in no order takes more than a second. */
  interval = INTERVAL_MIN
  #last: AddressSpace | undefined

  constructor(
    private readonly machine: Pick<Machine, 'memory'>,
    private readonly chosen: () => number,
    readonly wanted: () => boolean,
  ) {}

  take(): AddressSpace | undefined {
    const { memory } = this.machine
    const began = performance.now()
    const space = readAddressSpace(memory, pagingControl(memory, this.chosen()))
    if (space.tree) space.tree = pruned(space.tree, NODES_MAX)
    const same = this.#last !== undefined && sameSpace(this.#last, space)
    this.interval = Math.max(INTERVAL_MIN, (performance.now() - began) / LOOK_SHARE)
    if (same) return
    this.#last = space
    return space
  }

  forget() {
    this.#last = undefined
  }
}

function sameSpace(a: AddressSpace, b: AddressSpace): boolean {
  return (
    a.kind === b.kind &&
    a.root === b.root &&
    a.ranges.length === b.ranges.length &&
    a.ranges.every((range, i) => sameFields(range, b.ranges[i]!)) &&
    (a.tree === undefined ? b.tree === undefined : b.tree !== undefined && sameTree(a.tree, b.tree))
  )
}

const sameFields = <T extends object>(a: T, b: T): boolean =>
  (Object.keys(a) as (keyof T)[]).every((name) => a[name] === b[name])

function sameTree(a: TableNode, b: TableNode): boolean {
  return (
    a.table === b.table &&
    a.present === b.present &&
    a.pages === b.pages &&
    a.accessed === b.accessed &&
    a.dirty === b.dirty &&
    a.children.length === b.children.length &&
    a.children.every((child, i) => sameTree(child, b.children[i]!))
  )
}
