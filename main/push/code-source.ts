import type { Machine } from '@emulator/machine/api'
import type { CodeListing, Interest } from '../../preload/bridge'
import { disassemble, disassemblerReady } from '../disassembly'
import { sameBytes, type Source } from './source'

export class CodeSource implements Source<'code'> {
  readonly part = 'code'
  readonly interval = 100
  #last: CodeListing | undefined

  /**
   * @param wish what the panel wants to see, false when nobody looks
   * @param again there is something to take now that was not ready before
   */
  constructor(
    private readonly machine: Pick<Machine, 'cpu' | 'readLinear'>,
    private readonly wish: () => Interest['code'],
    private readonly again: () => void,
  ) {}

  wanted() {
    return this.wish() !== false
  }

  take(): CodeListing | undefined {
    const wish = this.wish()
    if (wish === false || !disassemblerReady(this.again)) return
    const listing = disassemble(this.machine, this.machine.cpu(0), wish)
    if (this.#last && sameListing(this.#last, listing)) return
    this.#last = listing
    return listing
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
    a.lines.length === b.lines.length &&
    a.lines.every((line, i) => line.offset === b.lines[i]!.offset && sameBytes(line.bytes, b.lines[i]!.bytes))
  )
}
