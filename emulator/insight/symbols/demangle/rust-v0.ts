// Rust's v0 names (RFC 2603; "v0 Symbol Format" of the rustc book): `_R`, a path, generic arguments, types, constants.

const BASIC: Record<string, string> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
}
const DEPTH_MAX = 200
const TEXT_MAX = 1 << 16

class Bad extends Error {}

/** @returns undefined when it cannot be read */
export function demangleRustV0(name: string): string | undefined {
  const [, mangled, suffix = ''] = /^_R([A-Z][0-9A-Za-z_]*)((?:[.$].*)?)$/s.exec(name) ?? []
  if (mangled === undefined) return undefined
  try {
    const shown = new Demangler(mangled).whole()
    return shown + suffix.replace(/\.llvm\.[0-9A-F@]+/i, '')
  } catch (error) {
    if (error instanceof Bad) return undefined
    throw error
  }
}

class Demangler {
  #at = 0
  #out = ''
  #depth = 0
  /** Lifetimes bound by `for<...>` around here. */
  #bound = 0
  #silent = 0

  constructor(readonly text: string) {}

  whole(): string {
    this.#path(true)
    // The crate that the instance was made in says nothing about the function.
    if (this.#at < this.text.length) {
      this.#silent++
      this.#path(false)
    }
    if (this.#at < this.text.length) throw new Bad()
    // A crate without a name is well-formed, and says nothing.
    if (this.#out === '') throw new Bad()
    return this.#out
  }

  #say(text: string) {
    if (this.#silent > 0) return
    this.#out += text
    if (this.#out.length > TEXT_MAX) throw new Bad()
  }
  #next(): string {
    const letter = this.text[this.#at++]
    if (letter === undefined) throw new Bad()
    return letter
  }
  #take(letter: string): boolean {
    if (this.text[this.#at] !== letter) return false
    this.#at++
    return true
  }

  /** `_` is 0, `0_` is 1, `1_` is 2, in base 62. */
  #base62(): number {
    if (this.#take('_')) return 0
    let value = 0
    while (true) {
      const letter = this.#next()
      if (letter === '_') return value + 1
      const digit = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(letter)
      if (digit < 0) throw new Bad()
      // Hashes of crates are longer than a number is exact; nobody counts by them.
      value = value * 62 + digit
    }
  }
  #optional62(letter: string): number {
    return this.#take(letter) ? this.#base62() + 1 : 0
  }
  #disambiguator(): number {
    return this.#optional62('s')
  }

  #identifier(): { name: string; disambiguator: number } {
    const disambiguator = this.#disambiguator()
    return { name: this.#plain(), disambiguator }
  }
  #plain(): string {
    const punycode = this.#take('u')
    const [digits] = /^(?:0|[1-9]\d*)/.exec(this.text.slice(this.#at)) ?? []
    if (digits === undefined) throw new Bad()
    this.#at += digits.length
    this.#take('_')
    const length = Number(digits)
    if (this.#at + length > this.text.length) throw new Bad()
    const bytes = this.text.slice(this.#at, this.#at + length)
    this.#at += length
    return punycode ? decodePunycode(bytes) : bytes
  }

  /** Goes back to where something stands already, reads it once more, and comes back. */
  #back(read: () => void) {
    const start = this.#at - 1
    const target = this.#base62()
    if (target >= start) throw new Bad()
    if (this.#silent > 0) return
    const after = this.#at
    this.#at = target
    this.#deeper(read)
    this.#at = after
  }
  #deeper(read: () => void) {
    if (++this.#depth > DEPTH_MAX) throw new Bad()
    read()
    this.#depth--
  }

  /** @param value in an expression generic arguments need `::` */
  #path(value: boolean) {
    this.#deeper(() => {
      const tag = this.#next()
      switch (tag) {
        case 'C':
          this.#say(this.#identifier().name)
          return
        case 'N': {
          const space = this.#next()
          this.#path(value)
          const { name, disambiguator } = this.#identifier()
          if (/[A-Z]/.test(space)) {
            const kind = space === 'C' ? 'closure' : space === 'S' ? 'shim' : space
            this.#say(`::{${kind}${name === '' ? '' : `:${name}`}#${disambiguator}}`)
          } else if (/[a-z]/.test(space)) {
            if (name !== '') this.#say(`::${name}`)
          } else throw new Bad()
          return
        }
        case 'M':
        case 'X':
        case 'Y': {
          if (tag !== 'Y') {
            // Where the implementation stands is not shown.
            this.#disambiguator()
            this.#silent++
            this.#path(false)
            this.#silent--
          }
          this.#say('<')
          this.#type()
          if (tag !== 'M') {
            this.#say(' as ')
            this.#path(false)
          }
          this.#say('>')
          return
        }
        case 'I':
          this.#path(value)
          this.#say(value ? '::<' : '<')
          this.#list(() => this.#argument())
          this.#say('>')
          return
        case 'B':
          return this.#back(() => this.#path(value))
        default:
          throw new Bad()
      }
    })
  }

  #list(read: () => void): number {
    let count = 0
    while (!this.#take('E')) {
      if (count++ > 0) this.#say(', ')
      read()
    }
    return count
  }

  #argument() {
    if (this.#take('L')) this.#lifetime(this.#base62())
    else if (this.#take('K')) this.#constant(false)
    else this.#type()
  }

  #lifetime(index: number) {
    if (index === 0) return this.#say("'_")
    const depth = this.#bound - index
    if (depth < 0) throw new Bad()
    this.#say(`'${depth < 26 ? String.fromCharCode(97 + depth) : `_${depth}`}`)
  }

  #binder(read: () => void) {
    const count = this.#optional62('G')
    if (count > 1000) throw new Bad()
    if (count > 0) {
      this.#say('for<')
      for (let i = 0; i < count; i++) {
        if (i > 0) this.#say(', ')
        this.#bound++
        this.#lifetime(1)
      }
      this.#say('> ')
    }
    read()
    this.#bound -= count
  }

  #type() {
    this.#deeper(() => {
      const tag = this.#next()
      const basic = BASIC[tag]
      if (basic !== undefined) return this.#say(basic)
      switch (tag) {
        case 'R':
        case 'Q':
          this.#say('&')
          if (this.#take('L')) {
            const index = this.#base62()
            if (index > 0) {
              this.#lifetime(index)
              this.#say(' ')
            }
          }
          if (tag === 'Q') this.#say('mut ')
          return this.#type()
        case 'P':
          this.#say('*const ')
          return this.#type()
        case 'O':
          this.#say('*mut ')
          return this.#type()
        case 'A':
        case 'S':
          this.#say('[')
          this.#type()
          if (tag === 'A') {
            this.#say('; ')
            this.#constant(true)
          }
          return this.#say(']')
        case 'T': {
          this.#say('(')
          const count = this.#list(() => this.#type())
          return this.#say(count === 1 ? ',)' : ')')
        }
        case 'F':
          return this.#binder(() => this.#function())
        case 'D':
          this.#say('dyn ')
          this.#binder(() => {
            let count = 0
            while (!this.#take('E')) {
              if (count++ > 0) this.#say(' + ')
              this.#trait()
            }
          })
          if (!this.#take('L')) throw new Bad()
          {
            const index = this.#base62()
            if (index > 0) {
              this.#say(' + ')
              this.#lifetime(index)
            }
          }
          return
        case 'B':
          return this.#back(() => this.#type())
        default:
          this.#at--
          return this.#path(false)
      }
    })
  }

  #function() {
    if (this.#take('U')) this.#say('unsafe ')
    if (this.#take('K')) {
      const abi = this.#take('C') ? 'C' : this.#plain().replaceAll('_', '-')
      this.#say(`extern "${abi}" `)
    }
    this.#say('fn(')
    this.#list(() => this.#type())
    this.#say(')')
    if (this.#take('u')) return
    this.#say(' -> ')
    this.#type()
  }

  /** A trait of a trait object, with the types it is bound to: `Iterator<Item = u8>`. */
  #trait() {
    const open = this.#openPath()
    let more = open
    while (this.#take('p')) {
      this.#say(more ? ', ' : '<')
      more = true
      this.#say(`${this.#plain()} = `)
      this.#type()
    }
    if (more) this.#say('>')
  }
  /** A path whose generic arguments are still open. @returns whether there are any */
  #openPath(): boolean {
    if (this.#take('B')) {
      let open = false
      this.#back(() => {
        open = this.#openPath()
      })
      return open
    }
    if (!this.#take('I')) {
      this.#path(false)
      return false
    }
    this.#path(false)
    this.#say('<')
    this.#list(() => this.#argument())
    return true
  }

  /** @param plain no braces around what is more than a literal */
  #constant(plain: boolean) {
    this.#deeper(() => {
      if (this.#take('B')) return this.#back(() => this.#constant(plain))
      const type = this.#next()
      switch (type) {
        case 'p':
          return this.#say('_')
        case 'h':
        case 't':
        case 'm':
        case 'y':
        case 'o':
        case 'j':
          return this.#say(decimal(this.#hex()))
        case 'a':
        case 's':
        case 'l':
        case 'x':
        case 'n':
        case 'i':
          if (this.#take('n')) this.#say('-')
          return this.#say(decimal(this.#hex()))
        case 'b': {
          const digits = this.#hex()
          if (digits !== '0' && digits !== '1') throw new Bad()
          return this.#say(digits === '1' ? 'true' : 'false')
        }
        case 'c': {
          const point = Number.parseInt(this.#hex() || '0', 16)
          if (!(point < 0x110000)) throw new Bad()
          return this.#say(`'${quoted(String.fromCodePoint(point), "'")}'`)
        }
        case 'e':
          return this.#say(`*"${quoted(this.#string(), '"')}"`)
        case 'R':
          if (this.#take('e')) return this.#say(`"${quoted(this.#string(), '"')}"`)
          this.#say('&')
          return this.#constant(true)
        case 'Q':
          this.#say('&mut ')
          return this.#constant(true)
        case 'A':
          this.#say('[')
          this.#list(() => this.#constant(true))
          return this.#say(']')
        case 'T': {
          this.#say('(')
          const count = this.#list(() => this.#constant(true))
          return this.#say(count === 1 ? ',)' : ')')
        }
        case 'V': {
          if (!plain) this.#say('{')
          this.#path(true)
          const shape = this.#next()
          if (shape === 'T') {
            this.#say('(')
            this.#list(() => this.#constant(true))
            this.#say(')')
          } else if (shape === 'S') {
            this.#say(' { ')
            this.#list(() => {
              this.#disambiguator()
              this.#say(`${this.#plain()}: `)
              this.#constant(true)
            })
            this.#say(' }')
          } else if (shape !== 'U') throw new Bad()
          if (!plain) this.#say('}')
          return
        }
        default:
          throw new Bad()
      }
    })
  }

  #hex(): string {
    const [whole, digits] = /^([0-9a-f]*)_/.exec(this.text.slice(this.#at)) ?? []
    if (whole === undefined) throw new Bad()
    this.#at += whole.length
    return digits!
  }
  #string(): string {
    const digits = this.#hex()
    if (digits.length % 2 !== 0) throw new Bad()
    return Buffer.from(digits, 'hex').toString('utf8')
  }
}

function decimal(digits: string): string {
  const value = BigInt(`0x${digits || '0'}`)
  return value < 1n << 64n ? value.toString() : `0x${digits}`
}

function quoted(text: string, quote: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll(quote, `\\${quote}`)
}

/** RFC 3492, with `_` for the last `-`. */
function decodePunycode(text: string): string {
  const split = text.lastIndexOf('_')
  const points = split > 0 ? [...text.slice(0, split)].map((letter) => letter.codePointAt(0)!) : []
  let n = 128
  let i = 0
  let bias = 72
  for (let at = split >= 0 ? split + 1 : 0; at < text.length; ) {
    const before = i
    let weight = 1
    for (let k = 36; ; k += 36) {
      const letter = text[at++]
      if (letter === undefined) throw new Bad()
      const digit = /[a-z]/.test(letter)
        ? letter.charCodeAt(0) - 97
        : /\d/.test(letter)
          ? Number(letter) + 26
          : -1
      if (digit < 0) throw new Bad()
      i += digit * weight
      const threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias
      if (digit < threshold) break
      weight *= 36 - threshold
      if (weight > 2 ** 40) throw new Bad()
    }
    const length = points.length + 1
    let delta = Math.floor((i - before) / (before === 0 ? 700 : 2))
    delta += Math.floor(delta / length)
    let k = 0
    while (delta > 455) {
      delta = Math.floor(delta / 35)
      k += 36
    }
    bias = k + Math.floor((36 * delta) / (delta + 38))
    n += Math.floor(i / length)
    i %= length
    if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff)) throw new Bad()
    points.splice(i++, 0, n)
  }
  return String.fromCodePoint(...points)
}
