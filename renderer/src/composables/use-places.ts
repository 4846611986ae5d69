// Every address is a way to somewhere: its bytes, its walk, its code. One place that knows how to go there, and back. Where
// somebody goes is what is picked in all panels.
import { send } from '../bridge'
import { hex } from '../lib/format'
import { useAllocator } from '../stores/allocator'
import { useDock } from '../stores/dock'
import { useHex } from '../stores/hex'
import { useInterest } from '../stores/interest'
import { useMachine } from '../stores/machine'
import { usePages } from '../stores/pages'
import { type Pick, useSelection } from '../stores/selection'

type Bits = 16 | 32 | 64

/** Call in a component's setup. Addresses are linear unless it says so. */
export function usePlaces() {
  const dock = useDock()
  const hexView = useHex()
  const pages = usePages()
  const interest = useInterest()
  const machine = useMachine()
  const allocator = useAllocator()
  const selection = useSelection()

  function lookAtCode(address: bigint, bits?: Bits) {
    // The code panel counts in offsets of CS.
    const base = machine.cpu?.segments.cs.base ?? 0n
    const { lines } = interest.code
    const at = hex(BigInt.asUintN(64, address - base))
    interest.code = { lines, before: 4, at, ...(bits === undefined ? {} : { bits }) }
  }

  /** Shows in its panel what was picked there. */
  function show({ space, address, panel }: Pick) {
    switch (panel) {
      case 'hex':
        hexView.look(address, space)
        break
      case 'pages':
      case 'tlb':
        if (space === 'linear') pages.look(address)
        break
      case 'code':
        if (space === 'linear') lookAtCode(address)
        break
      case 'allocator':
        if (space === 'physical') allocator.wanted = Number(address >> 12n)
    }
    dock.show(panel)
  }

  /** @param bits of the code there, when it is not what the CPU executes now */
  function showCode(address: bigint, bits?: Bits) {
    lookAtCode(address, bits)
    selection.choose('linear', BigInt.asUintN(64, address), 'code')
    dock.show('code')
  }

  function step(by: -1 | 1) {
    const pick = selection.step(by)
    if (pick) show(pick)
  }

  return {
    memory(address: bigint) {
      hexView.look(address, 'linear')
      selection.choose('linear', hexView.cursor, 'hex')
      dock.show('hex')
    },
    /** @param address guest-physical */
    physical(address: bigint) {
      hexView.look(address, 'physical')
      selection.choose('physical', hexView.cursor, 'hex')
      dock.show('hex')
    },
    pages(address: bigint) {
      pages.look(address)
      selection.choose('linear', BigInt.asUintN(64, address), 'pages')
      dock.show('pages')
    },
    code: showCode,
    /** @param offset in the code segment, as RIP counts */
    offset(offset: bigint) {
      const base = machine.cpu?.segments.cs.base ?? 0n
      showCode(base + offset)
    },
    /** @param address guest-physical: its frame, as the allocators see it */
    frame(address: bigint) {
      allocator.wanted = Number(address >> 12n)
      selection.choose('physical', address, 'allocator', { length: 4096n })
      dock.show('allocator')
    },
    back: () => step(-1),
    forward: () => step(1),
    copy(text: string) {
      send('clipboard.text', text)
    },
  }
}
