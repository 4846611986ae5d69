import { ACCESSES, accessOutcome, entryControl } from '@emulator/insight/page-access'
import { ENTRY_NAMES, entryFields } from '@emulator/insight/page-table-entry'
import { type EntryChanges, pagingControl, walkPages } from '@emulator/insight/page-walk'
import { staleness, tlbLookup } from '@emulator/insight/tlb-lookup'
import { linear, type Machine } from '@emulator/machine/api'
import type { Interest, PagesView, PageTableStep } from '../../preload/bridge'
import type { Source } from './source'

export type PagesWish = Exclude<Interest['pages'], false>

export class PagesSource implements Source<'pages'> {
  readonly part = 'pages'
  readonly interval = 150
  #last: PagesView | undefined

  /**
   * @param chosen the CPU that is followed
   * @param wish what the panel wants to see, false when nobody looks
   */
  constructor(
    private readonly machine: Pick<Machine, 'cpu' | 'memory'>,
    private readonly chosen: () => number,
    private readonly wish: () => Interest['pages'],
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): PagesView | undefined {
    const wish = this.wish()
    if (wish === false) return
    const view = pagesView(this.machine, this.chosen(), wish)
    if (this.#last && sameView(this.#last, view)) return
    this.#last = view
    return view
  }

  forget() {
    this.#last = undefined
  }
}

/** The walk of the wished address as a CPU would make it now, told whole. */
export function pagesView(
  machine: Pick<Machine, 'cpu' | 'memory'>,
  index: number,
  wish: PagesWish,
): PagesView {
  const { memory } = machine
  const { rflags, ripLinear } = machine.cpu(index)
  const address = wish.at === undefined ? ripLinear : linear(BigInt(`0x${wish.at}`))
  const control = pagingControl(memory, index)
  const changes: EntryChanges = new Map(wish.changes.map(({ level, bits }) => [level, BigInt(`0x${bits}`)]))
  const walk = walkPages(memory, control, address, changes)
  const now = changes.size > 0 ? walkPages(memory, control, address) : walk
  const belief = walk.kind === 'none' ? undefined : tlbLookup(memory, index, walk.linear)
  const view: PagesView = {
    ...{ cpu: index, kind: walk.kind, cr3: control.cr3, linear: walk.linear },
    canonical: walk.kind === 'none' || walk.steps.length > 0,
    steps: walk.steps.map(({ name, level, at, entry, present, leaf }) => {
      const step: PageTableStep = {
        ...{ name: ENTRY_NAMES[level] ?? name, level, present, leaf, fields: [] },
        index: indexOf(walk.linear, level, walk.kind === '32-bit'),
        changed: changes.get(level) ?? 0n,
      }
      if (at !== undefined) step.at = at
      if (entry === undefined || walk.kind === 'none') return step
      step.entry = entry
      step.fields = entryFields({ kind: walk.kind, level, leaf, ...entryControl(control) }, entry)
      return step
    }),
    pageSize: walk.pageSize,
    ...{ writable: walk.writable, user: walk.user, executable: walk.executable },
    outcomes: ACCESSES.map((access) => accessOutcome(control, rflags, walk, access)),
  }
  if (walk.physical !== undefined) view.physical = walk.physical
  if (changes.size > 0)
    view.outcomesNow = ACCESSES.map((access) => accessOutcome(control, rflags, now, access))
  if (belief) view.tlb = { ...belief, stale: staleness(belief, walk) }
  return view
}

const indexOf = (address: bigint, level: number, narrow: boolean): number =>
  narrow
    ? Number((address >> BigInt(12 + 10 * (level - 1))) & 0x3ffn)
    : Number((address >> BigInt(12 + 9 * (level - 1))) & 0x1ffn)

function sameView(a: PagesView, b: PagesView): boolean {
  const key = (view: PagesView) =>
    JSON.stringify(view, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value))
  return a.cpu === b.cpu && a.linear === b.linear && a.cr3 === b.cr3 && a.kind === b.kind && key(a) === key(b)
}
