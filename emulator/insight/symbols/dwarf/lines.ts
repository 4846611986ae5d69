// Line tables (DWARF 5, 6.2; versions 2 to 5): which line of which file an instruction came from.
import { hex, SymbolError } from '../symbol-error'
import { FORM } from './constants'
import { Cursor } from './cursor'
import type { Units } from './units'

export interface Line {
  file: string
  /** From 1; 0: from no line in particular. */
  line: number
  /** From 1; 0: the whole line. */
  column: number
}

interface FileName {
  name: string
  directory: number
}

interface Row {
  address: bigint
  file: number
  line: number
  column: number
  /** The address is the first behind the sequence. */
  end: boolean
}

const ROWS_MAX = 4_000_000
const NAMES_MAX = 1 << 16

export class LineTable {
  readonly #rows: Row[] = []
  /** Begin of each sequence in #rows, by its first address. */
  readonly #sequences: { low: bigint; high: bigint; first: number; last: number }[] = []
  readonly #directories: string[] = []
  readonly #files: FileName[] = []
  readonly #version: number

  /**
   * @param offset in .debug_line
   * @param directory of the unit that it belongs to
   */
  constructor(units: Units, offset: number, directory: string, addressSize: number) {
    const source = units.sections.get('.debug_line')
    const where = ` in the line table at ${hex(offset)}`
    const head = new Cursor(source.read(offset, 12), 0, where)
    let length: number = head.u32()
    const wide = length === 0xffffffff
    if (wide) length = head.offset(true)
    if (offset + head.at + length > source.size)
      throw new SymbolError(`the line table at ${hex(offset)} claims ${length} bytes`)
    const cursor = new Cursor(source.read(offset + head.at, length), 0, where)
    this.#version = cursor.u16()
    if (this.#version < 2 || this.#version > 5) throw new SymbolError(`version ${this.#version}${where}`)
    let size = addressSize
    if (this.#version >= 5) {
      size = cursor.u8()
      cursor.u8()
    }
    const headerLength = cursor.offset(wide)
    const program = cursor.at + headerLength
    const minimum = cursor.u8()
    if (this.#version >= 4) cursor.u8() // operations per instruction: 1 on x86
    const defaultIsStatement = cursor.u8()
    void defaultIsStatement
    const lineBase = cursor.i8()
    const lineRange = cursor.u8()
    const opcodeBase = cursor.u8()
    if (lineRange === 0 || opcodeBase === 0) throw new SymbolError(`no line range${where}`)
    const lengths = Array.from({ length: opcodeBase - 1 }, () => cursor.u8())
    if (this.#version >= 5) {
      for (const { name } of this.#entries(units, cursor, wide)) this.#directories.push(name)
      this.#files.push(...this.#entries(units, cursor, wide))
    } else {
      this.#directories.push(directory)
      for (let name = cursor.text(); name !== ''; name = cursor.text()) this.#directories.push(name)
      this.#files.push({ name: '', directory: 0 })
      for (let name = cursor.text(); name !== ''; name = cursor.text()) {
        this.#files.push({ name, directory: cursor.uleb() })
        cursor.uleb()
        cursor.uleb()
      }
    }
    cursor.at = program
    this.#run(cursor, { minimum, lineBase, lineRange, opcodeBase, lengths, size })
    this.#sequences.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0))
  }

  at(address: bigint): Line | undefined {
    let low = 0
    let high = this.#sequences.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#sequences[middle]!.low <= address) low = middle + 1
      else high = middle
    }
    for (let i = low - 1; i >= 0 && i >= low - 8; i--) {
      const sequence = this.#sequences[i]!
      if (address < sequence.high) return this.#line(this.#row(sequence, address))
    }
    return undefined
  }

  file(index: number): string {
    const file = this.#files[index]
    if (!file) return '?'
    if (file.name.startsWith('/')) return file.name
    const directory = this.#directories[file.directory] ?? ''
    const above = directory.startsWith('/') || file.directory === 0 ? '' : (this.#directories[0] ?? '')
    return [above, directory, file.name].filter((part) => part !== '').join('/')
  }

  /** The last row at or before an address; of several at one address the last. */
  #row({ first, last }: { first: number; last: number }, address: bigint): Row {
    let low = first
    let high = last
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#rows[middle]!.address <= address) low = middle + 1
      else high = middle
    }
    return this.#rows[Math.max(low - 1, first)]!
  }

  #line({ file, line, column }: Row): Line {
    return { file: this.file(file), line, column }
  }

  /** Directories or files of version 5: a format, then the names in it. */
  #entries(units: Units, cursor: Cursor, wide: boolean): FileName[] {
    const format = Array.from({ length: cursor.u8() }, () => [cursor.uleb(), cursor.uleb()] as const)
    const count = cursor.uleb()
    if (count > NAMES_MAX) throw new SymbolError(`${count} names${cursor.where}`)
    const found: FileName[] = []
    for (let i = 0; i < count; i++) {
      const entry: FileName = { name: '', directory: 0 }
      for (const [content, form] of format) {
        const value = this.#formValue(units, cursor, form, wide)
        if (content === 1 && typeof value === 'string') entry.name = value
        if (content === 2 && typeof value === 'number') entry.directory = value
      }
      found.push(entry)
    }
    return found
  }

  #formValue(units: Units, cursor: Cursor, form: number, wide: boolean): string | number | undefined {
    switch (form) {
      case FORM.string:
        return cursor.text()
      case FORM.line_strp:
        return units.text('.debug_line_str', cursor.offset(wide))
      case FORM.strp:
        return units.text('.debug_str', cursor.offset(wide))
      case FORM.udata:
        return cursor.uleb()
      case FORM.data1:
        return cursor.u8()
      case FORM.data2:
        return cursor.u16()
      case FORM.data4:
        return cursor.u32()
      case FORM.data8:
        return Number(cursor.u64())
      case FORM.data16:
        cursor.skip(16)
        return undefined
      case FORM.block:
        cursor.skip(cursor.uleb())
        return undefined
      default:
        throw new SymbolError(`a name in the form ${hex(form)}${cursor.where}`)
    }
  }

  #run(
    cursor: Cursor,
    header: {
      minimum: number
      lineBase: number
      lineRange: number
      opcodeBase: number
      lengths: number[]
      size: number
    },
  ) {
    const { minimum, lineBase, lineRange, opcodeBase, lengths, size } = header
    const step = BigInt(minimum)
    let address = 0n
    let file = 1
    let line = 1
    let column = 0
    let first = this.#rows.length
    const reset = () => {
      address = 0n
      file = 1
      line = 1
      column = 0
      first = this.#rows.length
    }
    const row = (end: boolean) => {
      if (this.#rows.length >= ROWS_MAX) throw new SymbolError(`more than ${ROWS_MAX} rows${cursor.where}`)
      this.#rows.push({ address, file, line, column, end })
    }
    const endSequence = () => {
      row(true)
      const low = this.#rows[first]!.address
      // Addresses have to go up; the linker leaves sequences of dropped code at 0.
      if (address > low && low !== 0n)
        this.#sequences.push({ low, high: address, first, last: this.#rows.length - 1 })
      reset()
    }
    while (cursor.left > 0) {
      const opcode = cursor.u8()
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase
        address += BigInt(Math.floor(adjusted / lineRange)) * step
        line += lineBase + (adjusted % lineRange)
        row(false)
        continue
      }
      switch (opcode) {
        case 0: {
          const length = cursor.uleb()
          const next = cursor.at + length
          if (length > 0) {
            const extended = cursor.u8()
            if (extended === 1) endSequence()
            else if (extended === 2) address = cursor.address(length - 1 === size ? size : length - 1)
            else if (extended === 3) this.#files.push({ name: cursor.text(), directory: cursor.uleb() })
          }
          cursor.at = Math.min(next, cursor.bytes.length)
          break
        }
        case 1: // copy
          row(false)
          break
        case 2: // advance_pc
          address += BigInt(Math.trunc(cursor.uleb())) * step
          break
        case 3: // advance_line
          line += cursor.sleb()
          break
        case 4: // set_file
          file = cursor.uleb()
          break
        case 5: // set_column
          column = cursor.uleb()
          break
        case 8: // const_add_pc
          address += BigInt(Math.floor((255 - opcodeBase) / lineRange)) * step
          break
        case 9: // fixed_advance_pc
          address += BigInt(cursor.u16())
          break
        default:
          // Statements, blocks, prologues, ISA: nothing that is asked for here. Unknown ones say how long they are.
          for (let i = 0; i < (lengths[opcode - 1] ?? 0); i++) cursor.skipLeb()
      }
    }
  }
}
