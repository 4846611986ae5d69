import type { Machine } from '@emulator/machine/api'
import type { CodeListing, Interest } from '../../preload/bridge'
import type { GuestNames } from '@emulator/insight/symbols/guest-names'
import { linear } from '@emulator/machine/api'
import { disassemble, disassemblerReady } from '../disassembly'
import { sameBytes, type Source } from './source'

export class CodeSource implements Source<'code'> {
  readonly part = 'code'
  readonly interval = 100
  #last: CodeListing | undefined

  /**
   * @param chosen the CPU that is followed
   * @param wish what the panel wants to see, false when nobody looks
   * @param again there is something to take now that was not ready before
   */
  constructor(
    private readonly machine: Pick<Machine, 'cpu' | 'readLinear'>,
    private readonly chosen: () => number,
    private readonly wish: () => Interest['code'],
    private readonly again: () => void,
    private readonly names: () => GuestNames | undefined = () => undefined,
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): CodeListing | undefined {
    const wish = this.wish()
    if (wish === false || !disassemblerReady(this.again)) return
    const listing = disassemble(this.machine, this.machine.cpu(this.chosen()), wish)
    const names = this.names()
    if (names) this.#name(listing, names)
    if (this.#last && sameListing(this.#last, listing)) return
    this.#last = listing
    return listing
  }

  /** Adds what the guest's symbols say, if they are those of the code that runs. */
  #name(listing: CodeListing, names: GuestNames) {
    const address = (offset: bigint) => BigInt.asUintN(64, listing.base + offset)
    const known = names.check(address(listing.rip), (at, length) =>
      this.machine.readLinear(linear(at), length),
    )
    listing.names = names.state
    if (!known) return
    const here = names.label(address(listing.rip))
    if (here !== undefined) listing.here = here
    let source: string | undefined
    listing.lines.forEach((line, i) => {
      const label = names.label(address(line.offset))
      if (label !== undefined && (i === 0 || !label.includes('+'))) line.label = label
      if (line.target !== undefined) {
        const target = names.label(address(line.target))
        if (target !== undefined) line.targetLabel = target
      }
      const from = names.source(address(line.offset))
      if (from !== undefined && from !== source) line.source = from
      source = from ?? source
    })
  }

  forget() {
    this.#last = undefined
  }
}

function sameListing(a: CodeListing, b: CodeListing): boolean {
  return (
    a.rip === b.rip &&
    a.selector === b.selector &&
    a.base === b.base &&
    a.bits === b.bits &&
    a.unmapped === b.unmapped &&
    a.here === b.here &&
    a.names?.file === b.names?.file &&
    a.names?.state === b.names?.state &&
    a.lines.length === b.lines.length &&
    a.lines.every((line, i) => line.offset === b.lines[i]!.offset && sameBytes(line.bytes, b.lines[i]!.bytes))
  )
}
