// The exception an instruction raises is noted here and delivered by the run loop once the instruction has
// been abandoned (exception.ts). WebAssembly cannot unwind, so every function that may fault says so by its
// result, and the first fault of an instruction is the one that counts.

import {
  CPU_FAULT,
  CPU_FAULT_A,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_B,
  CPU_FAULT_DETAIL,
  CPU_FAULT_ERROR,
} from '../layout'
import { cpu } from './context'
import { EXC_PF } from './vectors'

/** True when the current instruction has raised an exception that is not yet delivered. */
@inline
export function faultPending(): bool {
  return load<u32>(cpu, CPU_FAULT) != 0
}

/**
 * Notes exception `vector` with its error code (0 where it has none) and, for reports, which check failed
 * (FAULT_DETAIL_*) with two values whose meaning depends on it. Always false, so that a failing check can be
 * `return raise(...)`.
 */
export function raise(vector: u32, errorCode: u32, detail: u32, a: u64 = 0, b: u64 = 0): bool {
  if (faultPending()) return false
  store<u32>(cpu, vector + 1, CPU_FAULT)
  store<u32>(cpu, errorCode, CPU_FAULT_ERROR)
  store<u32>(cpu, detail, CPU_FAULT_DETAIL)
  store<u64>(cpu, a, CPU_FAULT_A)
  store<u64>(cpu, b, CPU_FAULT_B)
  return false
}

/** Notes a page fault at `linear`; CR2 is loaded on delivery (SDM 3A 6.15, #PF). */
export function raisePageFault(linear: u64, errorCode: u32, detail: u32, b: u64): bool {
  if (faultPending()) return false
  store<u64>(cpu, linear, CPU_FAULT_ADDRESS)
  return raise(EXC_PF, errorCode, detail, linear, b)
}

/** Forgets a noted exception, for probes whose failure is not the guest's. */
@inline
export function faultClear(): void {
  store<u32>(cpu, 0, CPU_FAULT)
}
