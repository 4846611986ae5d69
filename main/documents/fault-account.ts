// What the page is told about a triple fault or an internal stop.
import type { Machine, StopInfo } from '@emulator/machine/api'
import type { FaultAccount } from '../../preload/bridge'

/** The account of a stop that needs one; undefined for a pause, a step, a power-off and the like. */
export function accountOf(stop: StopInfo, _machine: Pick<Machine, 'memory'>): FaultAccount | undefined {
  if (stop.reason !== 'triple-fault' && stop.reason !== 'internal') return
  return {
    kind: stop.reason,
    sentence: stop.message,
    steps: [],
    report: stop.report ?? stop.message,
  }
}
