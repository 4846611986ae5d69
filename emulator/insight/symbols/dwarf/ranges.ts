// Ranges of addresses that an entry covers: .debug_ranges (version 2 to 4, 2.17.3) and .debug_rnglists (version 5, 2.17.3).
import { AT } from './constants'
import { SymbolError } from '../symbol-error'
import { Cursor } from './cursor'
import { type Attributes, numeric, type Unit, type Units } from './units'

export interface Range {
  low: bigint
  /** First address behind it. */
  high: bigint
}

const RANGES_MAX = 1 << 16
/** Bytes of a list that are read first, and at most. */
const WINDOW = 1024
const WINDOW_MAX = RANGES_MAX * 32

/** Of the entry with these attributes; none when it has no code. */
export function rangesOf(units: Units, unit: Unit, attributes: Attributes): Range[] {
  const low = attributes.get(AT.low_pc)
  const high = attributes.get(AT.high_pc)
  if (typeof low === 'bigint' && high !== undefined) {
    // An address, or a number of bytes.
    const end = typeof high === 'bigint' && high > low ? high : low + BigInt(numeric(high) ?? 0)
    return end > low ? [{ low, high: end }] : []
  }
  const list = numeric(attributes.get(AT.ranges))
  if (list === undefined) return []
  const [section, read] =
    unit.version >= 5 ? (['.debug_rnglists', newList] as const) : (['.debug_ranges', oldList] as const)
  // GNU's split units of version 4 have them with the program, from a base on that their skeleton tells.
  const source = unit.version >= 5 ? units.section(unit, section) : units.sections.get(section)
  // How long a list is shows only as it is read: most are short.
  for (let window = WINDOW; ; window *= 16) {
    const bytes = source.read(list, Math.min(source.size - list, window))
    try {
      return read(units, unit, new Cursor(bytes, 0, ` in ${section}`))
    } catch (error) {
      const more = bytes.length === window && window < WINDOW_MAX
      if (!(error instanceof SymbolError) || !more) throw error
    }
  }
}

function oldList(_: Units, unit: Unit, cursor: Cursor): Range[] {
  const size = unit.addressSize
  const most = (1n << BigInt(size * 8)) - 1n
  const found: Range[] = []
  let base = unit.low
  while (found.length < RANGES_MAX) {
    const low = cursor.address(size)
    const high = cursor.address(size)
    if (low === 0n && high === 0n) break
    if (low === most) base = high
    else if (high > low) found.push({ low: base + low, high: base + high })
  }
  return found
}

function newList(units: Units, unit: Unit, cursor: Cursor): Range[] {
  const size = unit.addressSize
  const found: Range[] = []
  const add = (low: bigint, high: bigint) => {
    if (high > low) found.push({ low, high })
  }
  let base = unit.low
  while (found.length < RANGES_MAX) {
    switch (cursor.u8()) {
      case 0: // end of list
        return found
      case 1: // base_addressx
        base = units.indexedAddress(unit, cursor.uleb())
        break
      case 2: // startx_endx
        add(units.indexedAddress(unit, cursor.uleb()), units.indexedAddress(unit, cursor.uleb()))
        break
      case 3: {
        const low = units.indexedAddress(unit, cursor.uleb()) // startx_length
        add(low, low + cursor.ulebBig())
        break
      }
      case 4: // offset_pair
        add(base + cursor.ulebBig(), base + cursor.ulebBig())
        break
      case 5: // base_address
        base = cursor.address(size)
        break
      case 6: // start_end
        add(cursor.address(size), cursor.address(size))
        break
      case 7: {
        const low = cursor.address(size) // start_length
        add(low, low + cursor.ulebBig())
        break
      }
      default:
        return found
    }
  }
  return found
}
