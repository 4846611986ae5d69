// JSON (RFC 8259) with the place of every value, so that what is wrong with it can be said with line and column.
import { LensError } from './lens-error'

export type JsonNode = { at: number } & (
  | { kind: 'object'; members: Map<string, { at: number; value: JsonNode }> }
  | { kind: 'array'; items: JsonNode[] }
  | { kind: 'string'; value: string }
  | { kind: 'number'; value: number }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'null' }
)

/** Nobody nests a lens deeper; a file that does is not going to use up the stack. */
const DEPTH_MAX = 64
const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** Line and column, from 1, of an offset. */
export function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  return { line, column: at - before.lastIndexOf('\n') }
}

export function errorAt(text: string, at: number, message: string): LensError {
  const { line, column } = placeOf(text, at)
  return new LensError(message, line, column)
}

/** @throws LensError */
export function parseJson(text: string): JsonNode {
  return new Parser(text).whole()
}

class Parser {
  #at = 0
  constructor(readonly text: string) {}

  whole(): JsonNode {
    const value = this.#value(0)
    this.#space()
    if (this.#at < this.text.length) this.#wrong('nothing may come behind the value')
    return value
  }

  #wrong(message: string, at = this.#at): never {
    throw errorAt(this.text, at, message)
  }

  #space() {
    while (' \t\n\r'.includes(this.text[this.#at] ?? 'x')) this.#at++
  }

  #value(depth: number): JsonNode {
    if (depth > DEPTH_MAX) this.#wrong(`values are nested more than ${DEPTH_MAX} deep`)
    this.#space()
    const at = this.#at
    const first = this.text[at]
    if (first === undefined) this.#wrong('the file ends where a value is expected')
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return { at, kind: 'string', value: this.#string() }
    for (const [word, node] of WORDS) {
      if (!this.text.startsWith(word, at)) continue
      this.#at += word.length
      return { at, ...node }
    }
    const number = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
    number.lastIndex = at
    const digits = number.exec(this.text)?.[0]
    if (digits === undefined) this.#wrong(`a value cannot begin with ${JSON.stringify(first)}`)
    this.#at += digits.length
    return { at, kind: 'number', value: Number(digits) }
  }

  #object(depth: number): JsonNode {
    const at = this.#at++
    const members = new Map<string, { at: number; value: JsonNode }>()
    this.#space()
    if (this.text[this.#at] === '}') {
      this.#at++
      return { at, kind: 'object', members }
    }
    for (;;) {
      this.#space()
      const where = this.#at
      if (this.text[where] !== '"') this.#wrong('a name in quotation marks is expected here')
      const name = this.#string()
      if (members.has(name)) this.#wrong(`${JSON.stringify(name)} is there twice`, where)
      this.#space()
      if (this.text[this.#at] !== ':') this.#wrong('a colon is expected here')
      this.#at++
      members.set(name, { at: where, value: this.#value(depth + 1) })
      this.#space()
      const next = this.text[this.#at]
      if (next !== ',' && next !== '}') this.#wrong('a comma or } is expected here')
      this.#at++
      if (next === '}') return { at, kind: 'object', members }
    }
  }

  #array(depth: number): JsonNode {
    const at = this.#at++
    const items: JsonNode[] = []
    this.#space()
    if (this.text[this.#at] === ']') {
      this.#at++
      return { at, kind: 'array', items }
    }
    for (;;) {
      items.push(this.#value(depth + 1))
      this.#space()
      const next = this.text[this.#at]
      if (next !== ',' && next !== ']') this.#wrong('a comma or ] is expected here')
      this.#at++
      if (next === ']') return { at, kind: 'array', items }
    }
  }

  #string(): string {
    const from = this.#at++
    let value = ''
    for (;;) {
      const char = this.text[this.#at]
      if (char === undefined) this.#wrong('this text has no end', from)
      if (char < ' ') this.#wrong('a line ends inside of a text')
      this.#at++
      if (char === '"') return value
      value += char === '\\' ? this.#escape() : char
    }
  }

  #escape(): string {
    const char = this.text[this.#at++] ?? ''
    if ('"\\/'.includes(char) && char !== '') return char
    const control = ESCAPES[char]
    if (control !== undefined) return control
    const digits = this.text.slice(this.#at, this.#at + 4)
    if (char !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) this.#wrong('there is no such escape', this.#at - 2)
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }
}

const WORDS = [
  ['true', { kind: 'boolean', value: true }],
  ['false', { kind: 'boolean', value: false }],
  ['null', { kind: 'null' }],
] as const

/** As JSON.parse would have it, but without prototypes to meddle with. */
export function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object': {
      const object: Record<string, unknown> = Object.create(null)
      for (const [name, { value }] of node.members) object[name] = plain(value)
      return object
    }
    case 'array':
      return node.items.map(plain)
    case 'null':
      return null
    default:
      return node.value
  }
}
