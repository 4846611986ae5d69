// The log of the last attempts to deliver exceptions and interrupts, as the core keeps it (layout.ts, XLOG_*).
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'

export type RecordKind = 'fault' | 'interrupt' | 'software' | 'triple'

export interface ExceptionRecord {
  kind: RecordKind
  vector: number
  error: number
  /** FAULT_DETAIL_*, with two values whose meaning it decides. */
  detail: number
  a: bigint
  b: bigint
  /** Offset in CS of the instruction that caused it. */
  rip: bigint
  rsp: bigint
  rflags: bigint
  cr0: bigint
  cr2: bigint
  cr3: bigint
  cs: number
  csBase: bigint
  ss: number
  /** MODE_* bits. */
  mode: number
  cpl: number
  retired: bigint
  idtr: { base: bigint; limit: number }
  gdtr: { base: bigint; limit: number }
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 .. R15 */
  gpr: bigint[]
}

const KINDS: Record<number, RecordKind> = {
  [L.XLOG_KIND_FAULT]: 'fault',
  [L.XLOG_KIND_INTERRUPT]: 'interrupt',
  [L.XLOG_KIND_SOFTWARE]: 'software',
  [L.XLOG_KIND_TRIPLE]: 'triple',
}

/** The records that are still there, oldest first; at most XLOG_COUNT. */
export function exceptionRecords(memory: MachineMemory, cpu: number): ExceptionRecord[] {
  const next = Number(memory.cpu64(cpu, L.CPU_EXCEPTION_LOG_NEXT))
  const first = Math.max(0, next - L.XLOG_COUNT)
  const log = memory.cpuBlock(cpu) + L.CPU_EXCEPTION_LOG
  return Array.from({ length: next - first }, (_, i) =>
    readRecord(memory.view, log + ((first + i) % L.XLOG_COUNT) * L.XLOG_SIZE),
  )
}

function readRecord(view: DataView, at: number): ExceptionRecord {
  const u16 = (offset: number) => view.getUint16(at + offset, true)
  const u32 = (offset: number) => view.getUint32(at + offset, true)
  const u64 = (offset: number) => view.getBigUint64(at + offset, true)
  return {
    kind: KINDS[u32(L.XLOG_KIND)] ?? 'fault',
    vector: u32(L.XLOG_VECTOR),
    error: u32(L.XLOG_ERROR),
    detail: u32(L.XLOG_DETAIL),
    a: u64(L.XLOG_A),
    b: u64(L.XLOG_B),
    rip: u64(L.XLOG_RIP),
    rsp: u64(L.XLOG_RSP),
    rflags: u64(L.XLOG_RFLAGS),
    cr0: BigInt(u32(L.XLOG_CR0)),
    cr2: u64(L.XLOG_CR2),
    cr3: u64(L.XLOG_CR3),
    cs: u16(L.XLOG_CS),
    csBase: u64(L.XLOG_CS_BASE),
    ss: u16(L.XLOG_SS),
    mode: u32(L.XLOG_MODE),
    cpl: u32(L.XLOG_CPL),
    retired: u64(L.XLOG_RETIRED),
    idtr: { base: u64(L.XLOG_IDTR_BASE), limit: u32(L.XLOG_IDTR_LIMIT) },
    gdtr: { base: u64(L.XLOG_GDTR_BASE), limit: u32(L.XLOG_GDTR_LIMIT) },
    gpr: Array.from({ length: 16 }, (_, i) => u64(L.XLOG_GPR + 8 * i)),
  }
}

/**
 * The last event and the exceptions raised while delivering it, oldest first. Attempts belong to one event when nothing was
 * executed between them: same instruction count, same place, and the same stack, for what was delivered has pushed a frame (a
 * handler whose first instruction faults is entered again and again with nothing retired).
 */
export function lastChain(records: readonly ExceptionRecord[]): ExceptionRecord[] {
  const last = records.at(-1)
  if (!last) return []
  let start = records.length - 1
  while (start > 0) {
    const { retired, rip, rsp, cs, kind } = records[start - 1]!
    const same = retired === last.retired && rip === last.rip && cs === last.cs && rsp === last.rsp
    if (!same || kind === 'triple') break
    start--
  }
  return records.slice(start)
}

/** The chain that ended in shutdown, the triple record last. Empty when this CPU has not shut down. */
export const tripleFaultChain = (records: readonly ExceptionRecord[]): ExceptionRecord[] =>
  records.at(-1)?.kind === 'triple' ? lastChain(records) : []
