// Ending a run from inside: the guest powered off, wrote isa-debug-exit, or cannot go on.

import { cpuIndex } from '../cpu/context'
import {
  HDR_STATE,
  HDR_STOP_CPU,
  HDR_STOP_REASON,
  HDR_STOP_VALUE,
  HEADER,
  STATE_STOPPED,
  STOP_NONE,
} from '../layout'
import { kickOthers } from './smp'

/** Stops the machine after the current instruction. The first reason stands. */
export function machineStop(reason: u32, value: u32): void {
  if (load<u32>(HEADER, HDR_STOP_REASON) != STOP_NONE) return
  store<u32>(HEADER, reason, HDR_STOP_REASON)
  store<u32>(HEADER, value, HDR_STOP_VALUE)
  store<u32>(HEADER, cpuIndex, HDR_STOP_CPU)
  store<u32>(HEADER, STATE_STOPPED, HDR_STATE)
  kickOthers()
}

@inline
export function machineStopped(): bool {
  return load<u32>(HEADER, HDR_STATE) == STATE_STOPPED
}
