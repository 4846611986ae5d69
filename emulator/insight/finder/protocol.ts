// What the thread that looks for symbols and for Linux is asked, and says.
import type { BtfParts } from '../lenses/linux/btf'
import type { KallsymsParts } from '../lenses/linux/kallsyms'
import type { SymbolPlace } from '../symbols/symbol-file'
import type { SymbolOrder } from '../symbols/symbol-table'
import type { PreparedDebug } from '../symbols/symbols'

/** workerData: one thread does one thing. */
export type FinderJob =
  | { job: 'linux'; memory: WebAssembly.Memory }
  /** `image`: look beside it and inside; `file`: this one. */
  | { job: 'symbols'; image: string }
  | { job: 'symbols'; file: string }

export type FinderNews =
  /** 0 to 1. */
  | { news: 'progress'; done: number }
  /** Absent parts: no Linux runs. */
  | { news: 'linux'; found?: { kallsyms: KallsymsParts; btf: BtfParts } }
  /** Names are known; the debugging information follows. */
  | { news: 'names'; place: SymbolPlace; names: SymbolOrder }
  | { news: 'debug'; debug: PreparedDebug }
  | { news: 'none' }
  | { news: 'unreadable'; name: string; problem: string }
