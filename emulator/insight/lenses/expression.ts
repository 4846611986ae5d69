// The expressions of lenses (docs/lenses.md): C's way to name things, without operators on values and without calls.
export type Expression =
  | { kind: 'number'; value: bigint }
  | { kind: 'name'; name: string }
  /** `@` and `^`: the object at hand, and the one around it. */
  | { kind: 'here' }
  | { kind: 'around' }
  | { kind: 'member'; of: Expression; name: string }
  | { kind: 'index'; of: Expression; index: Expression }
  | { kind: 'deref'; of: Expression }
  | { kind: 'address'; of: Expression }
  | { kind: 'cast'; type: TypeName; of: Expression }
  /** Which element of a table something is. */
  | { kind: 'index-of'; of: Expression; table: Expression }

export interface TypeName {
  /** `struct slab`, `u64` */
  name: string
  pointers: number
}

/** An expression that is none; `at` is the offset in it. */
export class ExpressionError extends Error {
  override name = 'ExpressionError'
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message)
  }
}

const LENGTH_MAX = 1000
const DEPTH_MAX = 50
const TOKEN = /\s*(?:(0[xX][0-9a-fA-F]+|\d+)|([A-Za-z_$][\w$]*(?:::[A-Za-z_$][\w$]*)*)|(->|[.@^*&()[\]]))/y
const TYPE_WORDS = new Set(['struct', 'union', 'enum', 'class', 'const', 'unsigned', 'signed'])

interface Token {
  at: number
  kind: 'number' | 'name' | 'sign' | 'end'
  text: string
}

function tokens(text: string): Token[] {
  if (text.length > LENGTH_MAX) throw new ExpressionError(`it is longer than ${LENGTH_MAX} characters`, 0)
  const found: Token[] = []
  let at = 0
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    const from = at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0)
    if (!match) throw new ExpressionError(`${JSON.stringify(text[from])} means nothing here`, from)
    const [, number, name, sign] = match
    found.push({
      at: from,
      kind: number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign',
      text: number ?? name ?? sign!,
    })
    at = TOKEN.lastIndex
  }
  found.push({ at: text.length, kind: 'end', text: '' })
  return found
}

/** @throws ExpressionError */
export function parseExpression(source: string | number): Expression {
  if (typeof source === 'number') {
    if (!Number.isSafeInteger(source)) throw new ExpressionError('it is no whole number', 0)
    return { kind: 'number', value: BigInt(source) }
  }
  const list = tokens(source)
  let next = 0
  let depth = 0
  const peek = () => list[next]!
  const wrong = (message: string): never => {
    throw new ExpressionError(message, peek().at)
  }
  const take = (text: string): boolean => {
    if (peek().kind === 'end' || peek().text !== text) return false
    next++
    return true
  }
  const expect = (text: string) => {
    if (!take(text)) wrong(`${text} is expected here`)
  }
  const name = (): string => {
    if (peek().kind !== 'name') wrong('a name is expected here')
    return list[next++]!.text
  }

  /** `(type)` in front of something, or undefined when the parenthesis holds an expression. */
  function cast(): TypeName | undefined {
    const from = next
    if (!take('(')) return undefined
    const words: string[] = []
    while (peek().kind === 'name') words.push(list[next++]!.text)
    let pointers = 0
    while (take('*')) pointers++
    const follows =
      words.length > 0 &&
      take(')') &&
      (peek().kind === 'name' || peek().kind === 'number' || '@^*&('.includes(peek().text || ' '))
    // `(name)` alone is an expression in parentheses; with something behind it, it is a type.
    if (follows && peek().kind !== 'end')
      return { name: words.filter((word) => word !== 'const').join(' '), pointers }
    if (TYPE_WORDS.has(words[0] ?? '')) wrong('behind a type in parentheses an expression is expected')
    next = from
    return undefined
  }

  function unary(): Expression {
    if (++depth > DEPTH_MAX) wrong(`it is nested more than ${DEPTH_MAX} deep`)
    try {
      if (take('*')) return { kind: 'deref', of: unary() }
      if (take('&')) return { kind: 'address', of: unary() }
      const type = cast()
      if (type) return { kind: 'cast', type, of: unary() }
      return postfix()
    } finally {
      depth--
    }
  }

  function postfix(): Expression {
    let value = primary()
    for (;;) {
      if (take('.') || take('->')) value = { kind: 'member', of: value, name: name() }
      else if (take('[')) {
        const index = unary()
        expect(']')
        value = { kind: 'index', of: value, index }
      } else return value
    }
  }

  function primary(): Expression {
    const token = peek()
    if (token.kind === 'number') {
      next++
      return { kind: 'number', value: BigInt(token.text) }
    }
    if (take('@')) return { kind: 'here' }
    if (take('^')) return { kind: 'around' }
    if (take('(')) {
      const inside = unary()
      expect(')')
      return inside
    }
    if (token.kind !== 'name')
      wrong(token.kind === 'end' ? 'it ends too early' : `${token.text} is not expected here`)
    next++
    if (token.text === 'index' && peek().text === 'of') {
      next++
      const of = unary()
      if (name() !== 'in') wrong('index of … in …')
      return { kind: 'index-of', of, table: unary() }
    }
    return { kind: 'name', name: token.text }
  }

  const whole = unary()
  if (peek().kind !== 'end') wrong(`${JSON.stringify(peek().text)} is not expected here`)
  return whole
}
