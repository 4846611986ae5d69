// Every address is a way to somewhere: its bytes, its walk, its code. One place that knows how to go there.
import { send } from '../bridge'
import { hex } from '../lib/format'
import { useDock } from '../stores/dock'
import { useHex } from '../stores/hex'
import { useInterest } from '../stores/interest'
import { useMachine } from '../stores/machine'
import { usePages } from '../stores/pages'

/** Call in a component's setup. Addresses are linear unless it says so. */
export function usePlaces() {
  const dock = useDock()
  const hexView = useHex()
  const pages = usePages()
  const interest = useInterest()
  const machine = useMachine()

  return {
    memory(address: bigint) {
      hexView.look(address, 'linear')
      dock.show('hex')
    },
    /** @param address guest-physical */
    physical(address: bigint) {
      hexView.look(address, 'physical')
      dock.show('hex')
    },
    pages(address: bigint) {
      pages.look(address)
      dock.show('pages')
    },
    /** @param bits of the code there, when it is not what the CPU executes now */
    code(address: bigint, bits?: 16 | 32 | 64) {
      // The code panel counts in offsets of CS.
      const base = machine.cpu?.segments.cs.base ?? 0n
      const { lines } = interest.code
      const at = hex(BigInt.asUintN(64, address - base))
      interest.code = { lines, before: 4, at, ...(bits === undefined ? {} : { bits }) }
      dock.show('code')
    },
    copy(text: string) {
      send('clipboard.text', text)
    },
  }
}
