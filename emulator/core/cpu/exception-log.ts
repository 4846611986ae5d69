// What the triple-fault report is made of: a record of every attempt to deliver an exception or interrupt, with
// the check that raised it and the registers at that time (CPU_EXCEPTION_LOG, bookkeeping).

import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_EXCEPTION_LOG,
  CPU_EXCEPTION_LOG_NEXT,
  CPU_FAULT,
  CPU_FAULT_ERROR,
  CPU_GDTR_BASE,
  CPU_GDTR_LIMIT,
  CPU_IDTR_BASE,
  CPU_IDTR_LIMIT,
  CPU_MODE,
  CPU_RAX,
  CPU_RFLAGS,
  CPU_RSP,
  SEG_CS,
  SEG_SS,
  XLOG_A,
  XLOG_B,
  XLOG_COUNT,
  XLOG_CPL,
  XLOG_CR0,
  XLOG_CR2,
  XLOG_CR3,
  XLOG_CS,
  XLOG_CS_BASE,
  XLOG_DETAIL,
  XLOG_ERROR,
  XLOG_GDTR_BASE,
  XLOG_GDTR_LIMIT,
  XLOG_GPR,
  XLOG_IDTR_BASE,
  XLOG_IDTR_LIMIT,
  XLOG_KIND,
  XLOG_MODE,
  XLOG_RETIRED,
  XLOG_RFLAGS,
  XLOG_RIP,
  XLOG_RSP,
  XLOG_SIZE,
  XLOG_SS,
  XLOG_VECTOR,
} from '../layout'
import { retiredNow } from '../machine/clock'
import { cpu } from './context'
import { segmentBase, segmentSelector } from './segments'
import { EXC_GP, EXC_TS } from './vectors'

/** Appends a record; `rip` is the instruction that caused it (for an interrupt: that it came before). */
export function exceptionLog(
  kind: u32,
  vector: u32,
  error: u32,
  detail: u32,
  a: u64,
  b: u64,
  rip: u64,
): void {
  const next = load<u64>(cpu, CPU_EXCEPTION_LOG_NEXT)
  const record = cpu + CPU_EXCEPTION_LOG + <usize>(next % XLOG_COUNT) * XLOG_SIZE
  store<u32>(record, vector, XLOG_VECTOR)
  store<u32>(record, error, XLOG_ERROR)
  store<u32>(record, detail, XLOG_DETAIL)
  store<u32>(record, kind, XLOG_KIND)
  store<u64>(record, a, XLOG_A)
  store<u64>(record, b, XLOG_B)
  store<u64>(record, rip, XLOG_RIP)
  logRegisters(record)
  store<u64>(cpu, next + 1, CPU_EXCEPTION_LOG_NEXT)
}

function logRegisters(record: usize): void {
  store<u64>(record, load<u64>(cpu, CPU_RSP), XLOG_RSP)
  store<u64>(record, load<u64>(cpu, CPU_RFLAGS), XLOG_RFLAGS)
  store<u64>(record, load<u64>(cpu, CPU_CR2), XLOG_CR2)
  store<u16>(record, <u16>segmentSelector(SEG_CS), XLOG_CS)
  store<u16>(record, <u16>segmentSelector(SEG_SS), XLOG_SS)
  store<u32>(record, load<u32>(cpu, CPU_MODE), XLOG_MODE)
  store<u64>(record, retiredNow(), XLOG_RETIRED)
  store<u64>(record, load<u64>(cpu, CPU_IDTR_BASE), XLOG_IDTR_BASE)
  store<u32>(record, load<u32>(cpu, CPU_IDTR_LIMIT), XLOG_IDTR_LIMIT)
  store<u32>(record, load<u32>(cpu, CPU_CR0), XLOG_CR0)
  // memory.copy is a call out of WebAssembly.
  for (let at: usize = 0; at < 128; at += 16)
    v128.store(record + XLOG_GPR + at, v128.load(cpu + CPU_RAX + at))
  store<u64>(record, segmentBase(SEG_CS), XLOG_CS_BASE)
  store<u64>(record, load<u64>(cpu, CPU_GDTR_BASE), XLOG_GDTR_BASE)
  store<u32>(record, load<u32>(cpu, CPU_GDTR_LIMIT), XLOG_GDTR_LIMIT)
  store<u32>(record, load<u32>(cpu, CPU_CPL), XLOG_CPL)
  store<u64>(record, load<u64>(cpu, CPU_CR3), XLOG_CR3)
}

/**
 * Sets EXT in the pending fault's error code: it happened while delivering an event from outside the program or
 * an earlier exception (SDM 3A 6.13). Only #TS, #NP, #SS and #GP carry it.
 */
export function faultSetExternal(): void {
  const vector = load<u32>(cpu, CPU_FAULT) - 1
  if (vector < EXC_TS || vector > EXC_GP) return
  store<u32>(cpu, load<u32>(cpu, CPU_FAULT_ERROR) | 1, CPU_FAULT_ERROR)
}
