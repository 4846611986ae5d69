// An event in words.
import * as L from '../../core/layout'
import { errorCodeInWords, exceptionName } from '../exceptions'
import type { LensProbe } from '../lenses/probes'
import type { EventRecord } from './event-table'

export interface EventWords {
  /** What happened, in a word or two. */
  what: string
  detail: string
  /** Linear address of the code it happened at. */
  code?: bigint
  /** Linear address of what it is about, or a physical one. */
  linear?: bigint
  physical?: number
  /** A mistake of the guest's. */
  bad?: boolean
}

const MODES: [number, string][] = [
  [L.MODE_V86, 'virtual-8086'],
  [L.MODE_LONG, 'long mode'],
  [L.MODE_PROTECTED, 'protected mode'],
]
const DISK_OPERATIONS = ['', 'read', 'write', 'flush']
const PATHS = ['8259A', 'I/O APIC', 'MSI', 'IPI', 'local']
const hex = (value: bigint | number, digits = 1) => value.toString(16).toUpperCase().padStart(digits, '0')
const line = (n: number) => (n < 16 ? `IRQ ${n}` : n < 20 ? `PIRQ${'ABCD'[n - 16]}` : `input ${n}`)

/** @param pools names of the guest's pools */
export function eventWords(
  event: EventRecord,
  pools: ReadonlyMap<bigint, string> = new Map(),
  probes: readonly LensProbe[] = [],
): EventWords {
  const { kind, a, b, c, d, e } = event
  switch (kind) {
    case L.EVENT_KIND_EXCEPTION: {
      const vector = a & 0xff
      const { mnemonic, name } = exceptionName(vector)
      const error = errorCodeInWords(vector, a >>> 8)
      const words: EventWords = { what: mnemonic, detail: error === '' ? name : `${name}: ${error}`, code: b }
      return vector === 14 ? { ...words, linear: c } : words
    }
    case L.EVENT_KIND_INTERRUPT:
      return { what: 'interrupt', detail: `vector ${hex(a, 2)}h taken`, code: b }
    case L.EVENT_KIND_MODE: {
      const size = [16, 32, 64][a & L.MODE_SIZE] ?? 16
      const mode = MODES.find(([bit]) => a & bit)?.[1] ?? 'real mode'
      return {
        what: 'mode',
        detail: `${mode}, ${size}-bit code${a & L.MODE_PAGING ? ', paging' : ''}`,
        code: b,
      }
    }
    case L.EVENT_KIND_BIOS: {
      const word = (n: bigint) => hex((b >> n) & 0xffffn, 4)
      return {
        what: `INT ${hex(a, 2)}h`,
        detail: `AX ${word(0n)} BX ${word(16n)} CX ${word(32n)} DX ${word(48n)}`,
      }
    }
    case L.EVENT_KIND_DISK:
      return {
        what: 'disk',
        detail: `${DISK_OPERATIONS[a & 0xff] ?? 'request'} ${a >>> 16} sectors at ${b} of drive ${(a >>> 8) & 0xff}`,
      }
    case L.EVENT_KIND_PORT: {
      const size = ((a >>> 16) & 0xff) as number
      const out = a >>> 24 !== 0
      return {
        what: out ? 'OUT' : 'IN',
        detail: `port ${hex(a & 0xffff, 4)}h ${out ? '←' : '→'} ${hex(b, size * 2)}`,
      }
    }
    case L.EVENT_KIND_LINE:
      return { what: 'line', detail: `${line(a & 0xff)} ${a & 0x100 ? 'rises' : 'falls'}` }
    case L.EVENT_KIND_ROUTE:
      return {
        what: 'route',
        detail: `${PATHS[a & 0xff] ?? 'path'}${(a & 0xff) < 2 ? ` input ${(a >>> 8) & 0xff}` : ''} → vector ${hex((a >>> 16) & 0xff, 2)}h`,
      }
    case L.EVENT_KIND_ACCEPT:
      return { what: 'accept', detail: `vector ${hex(a & 0xff, 2)}h by CPU ${(a >>> 8) & 0xff}` }
    case L.EVENT_KIND_DELIVER:
      return {
        what: 'deliver',
        detail: `vector ${hex(a & 0xff, 2)}h to CPU ${(a >>> 8) & 0xff}${a & 0x10000 ? ', by the 8259A' : ''}`,
      }
    case L.EVENT_KIND_EOI:
      return {
        what: 'EOI',
        detail: `vector ${hex(a & 0xff, 2)}h${a & 0x10000 ? ` at the 8259A, IRQ ${b}` : ''}`,
      }
    case L.EVENT_KIND_GUEST:
      return guestWords(a, b, c, d, e, event.name, pools)
    case L.EVENT_KIND_PROBE:
      return probeWords(event, probes)
    default:
      return { what: `kind ${kind}`, detail: hex(a) }
  }
}

function probeWords({ a, b, c, d }: EventRecord, probes: readonly LensProbe[]): EventWords {
  const what = (a >>> 16) & 0xff
  if (what === L.PROBE_USE_READ || what === L.PROBE_USE_WRITE) {
    const detail = `${what === L.PROBE_USE_WRITE ? 'written' : 'read'} by ${hex(c, 16)} while it was free`
    return { what: 'use after free', detail, code: d, physical: Number(b), bad: true }
  }
  const probe = probes[a & 0xffff]
  const name = probe?.function ?? `probe ${a & 0xffff}`
  if (what === L.PROBE_FAILED) return { what: 'no memory', detail: `${name} failed`, code: d }
  const words: EventWords = {
    what: what === L.PROBE_ALLOCATED ? 'allocate' : 'free',
    detail: `${c === 0n ? '' : `${c} bytes `}by ${name}`,
    code: d,
  }
  if (probe?.frames) words.physical = Number(b)
  else words.linear = b
  return words
}

function guestWords(
  a: number,
  b: bigint,
  c: bigint,
  d: bigint,
  e: bigint,
  name: string,
  pools: ReadonlyMap<bigint, string>,
): EventWords {
  switch (a) {
    case 1:
    case 2: {
      const pool = pools.get(d) ?? (d === 0n ? 'frames' : `pool ${hex(d)}h`)
      const words: EventWords = {
        what: a === 1 ? 'allocate' : 'free',
        detail: `${c === 0n ? '' : `${c} bytes `}${a === 1 ? 'from' : 'to'} ${pool}`,
      }
      if (e !== 0n) words.code = e
      if (d === 0n) words.physical = Number(b)
      else words.linear = b
      return words
    }
    case 3:
      return { what: 'pool', detail: `${name} is pool ${hex(d)}h` }
    case 4:
      return { what: name === '' ? 'event' : name, detail: `${hex(d)}h, ${hex(e)}h` }
    case 5:
      return { what: 'task', detail: `${name} (${d}) runs` }
    default:
      return { what: `event ${a}`, detail: '' }
  }
}
