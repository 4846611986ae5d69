// The exceptions by name, and what their error codes say (SDM 3A 6.3-6.15, 4.7).
import { hex0x } from './hex'

export interface ExceptionName {
  /** "#GP"; for a vector the manual leaves free "vector 32". */
  mnemonic: string
  name: string
  hasErrorCode: boolean
}

const EXCEPTIONS: Record<number, [mnemonic: string, name: string, hasErrorCode?: boolean]> = {
  0: ['#DE', 'divide error'],
  1: ['#DB', 'debug exception'],
  2: ['NMI', 'non-maskable interrupt'],
  3: ['#BP', 'breakpoint'],
  4: ['#OF', 'overflow'],
  5: ['#BR', 'bound range exceeded'],
  6: ['#UD', 'invalid opcode'],
  7: ['#NM', 'device not available'],
  8: ['#DF', 'double fault', true],
  10: ['#TS', 'invalid TSS', true],
  11: ['#NP', 'segment not present', true],
  12: ['#SS', 'stack fault', true],
  13: ['#GP', 'general protection', true],
  14: ['#PF', 'page fault', true],
  16: ['#MF', 'x87 floating-point error'],
  17: ['#AC', 'alignment check', true],
  18: ['#MC', 'machine check'],
  19: ['#XM', 'SIMD floating-point exception'],
}

export function exceptionName(vector: number): ExceptionName {
  const known = EXCEPTIONS[vector]
  if (!known) return { mnemonic: `vector ${vector}`, name: `interrupt ${vector}`, hasErrorCode: false }
  return { mnemonic: known[0], name: known[1], hasErrorCode: known[2] ?? false }
}

/** What an error code says; empty for one that says nothing (0, or a vector without). */
export function errorCodeInWords(vector: number, error: number): string {
  if (vector === 14) return pageFaultInWords(error)
  if (vector < 10 || vector > 13 || error === 0) return ''
  // EXT: raised while an interrupt or an earlier exception was being delivered.
  const external = error & 1 ? ', EXT' : ''
  if (error & 2) return `IDT entry ${error >> 3}${external}`
  if (error < 4) return external.slice(2)
  return `${error & 4 ? 'LDT' : 'GDT'} entry ${error >> 3}, selector ${hex0x(error & ~3)}${external}`
}

/** SDM 3A figure 4-12. */
function pageFaultInWords(error: number): string {
  const access = error & 16 ? 'instruction fetch' : error & 2 ? 'write' : 'read'
  const who = error & 4 ? 'user' : 'supervisor'
  const why = error & 8 ? 'reserved bit set' : error & 1 ? 'rights violated' : 'not present'
  return `${who} ${access}, ${why}`
}
