// C++ names (Itanium C++ ABI, 5.1 "External Names"), shown as c++filt shows them.

const OPERATORS: Record<string, string> = {
  nw: 'operator new',
  na: 'operator new[]',
  dl: 'operator delete',
  da: 'operator delete[]',
  aw: 'operator co_await',
  ps: 'operator+',
  ng: 'operator-',
  ad: 'operator&',
  de: 'operator*',
  co: 'operator~',
  pl: 'operator+',
  mi: 'operator-',
  ml: 'operator*',
  dv: 'operator/',
  rm: 'operator%',
  an: 'operator&',
  or: 'operator|',
  eo: 'operator^',
  aS: 'operator=',
  pL: 'operator+=',
  mI: 'operator-=',
  mL: 'operator*=',
  dV: 'operator/=',
  rM: 'operator%=',
  aN: 'operator&=',
  oR: 'operator|=',
  eO: 'operator^=',
  ls: 'operator<<',
  rs: 'operator>>',
  lS: 'operator<<=',
  rS: 'operator>>=',
  eq: 'operator==',
  ne: 'operator!=',
  lt: 'operator<',
  gt: 'operator>',
  le: 'operator<=',
  ge: 'operator>=',
  ss: 'operator<=>',
  nt: 'operator!',
  aa: 'operator&&',
  oo: 'operator||',
  pp: 'operator++',
  mm: 'operator--',
  cm: 'operator,',
  pm: 'operator->*',
  pt: 'operator->',
  cl: 'operator()',
  ix: 'operator[]',
  qu: 'operator?',
}

const BUILTIN: Record<string, string> = {
  v: 'void',
  w: 'wchar_t',
  b: 'bool',
  c: 'char',
  a: 'signed char',
  h: 'unsigned char',
  s: 'short',
  t: 'unsigned short',
  i: 'int',
  j: 'unsigned int',
  l: 'long',
  m: 'unsigned long',
  x: 'long long',
  y: 'unsigned long long',
  n: '__int128',
  o: 'unsigned __int128',
  f: 'float',
  d: 'double',
  e: 'long double',
  g: '__float128',
  z: '...',
}
const BUILTIN_D: Record<string, string> = {
  d: 'decimal64',
  e: 'decimal128',
  f: 'decimal32',
  h: 'half',
  i: 'char32_t',
  s: 'char16_t',
  u: 'char8_t',
  a: 'auto',
  c: 'decltype(auto)',
  n: 'decltype(nullptr)',
}
const STANDARD: Record<string, string> = {
  St: 'std',
  Sa: 'std::allocator',
  Sb: 'std::basic_string',
  Ss: 'std::basic_string<char, std::char_traits<char>, std::allocator<char> >',
  Si: 'std::basic_istream<char, std::char_traits<char> >',
  So: 'std::basic_ostream<char, std::char_traits<char> >',
  Sd: 'std::basic_iostream<char, std::char_traits<char> >',
}
/** What a constructor of such a name is called. */
const LAST: Record<string, string> = {
  Ss: 'basic_string',
  Si: 'basic_istream',
  So: 'basic_ostream',
  Sd: 'basic_iostream',
}
const SPECIAL: Record<string, string> = {
  TV: 'vtable for ',
  TT: 'VTT for ',
  TI: 'typeinfo for ',
  TS: 'typeinfo name for ',
  TF: 'typeinfo fn for ',
}
const LITERAL_SUFFIX: Record<string, string> = { j: 'u', l: 'l', m: 'ul', x: 'll', y: 'ull' }

const DEPTH_MAX = 200
const TEXT_MAX = 1 << 16

class Bad extends Error {}

/** A declarator has two sides: `int (*` and `)[3]`. */
interface Shown {
  left: string
  right: string
  /** A pointer to it needs parentheses: functions and arrays. */
  wraps?: boolean
  /** Of a template argument pack: its parts. */
  pack?: Shown[]
}

const plain = (text: string): Shown => ({ left: text, right: '' })
const whole = ({ left, right }: Shown) => left + right
/** Two > in a row were one token once. */
const closed = (text: string) => (text.endsWith('>') ? `${text} >` : `${text}>`)

/** @returns undefined when it cannot be read */
export function demangleItanium(name: string): string | undefined {
  const [, mangled, suffix = ''] = /^_{1,2}Z([^.]*)((?:\..*)?)$/s.exec(name) ?? []
  if (mangled === undefined || mangled === '') return undefined
  try {
    const shown = new Demangler(mangled).whole()
    // Clones that the compiler made: .isra.0, .part.1, .cold
    const clones = suffix.match(/\.[a-zA-Z_][\w]*(?:\.\d+)*|\.\d+/g) ?? []
    if (clones.join('') !== suffix) return undefined
    return shown + clones.map((clone) => ` [clone ${clone}]`).join('')
  } catch (error) {
    if (error instanceof Bad) return undefined
    throw error
  }
}

interface Name {
  text: string
  /** It ends in template arguments: a function's type begins with its result then. */
  template: boolean
  /** Constructors, destructors and conversions have no result in their type. */
  noResult: boolean
  /** const, volatile, & of a member function. */
  qualifiers: string
}

class Demangler {
  #at = 0
  #depth = 0
  #substitutions: Shown[] = []
  #arguments: Shown[] = []
  /** The innermost name, for constructors. */
  #last = ''
  /** Arguments that a conversion's type refers to come behind it. */
  #size = 0

  constructor(readonly text: string) {}

  whole(): string {
    const shown = this.#encoding()
    if (this.#at < this.text.length) throw new Bad()
    return shown
  }

  #peek(text: string): boolean {
    return this.text.startsWith(text, this.#at)
  }
  #take(text: string): boolean {
    if (!this.#peek(text)) return false
    this.#at += text.length
    return true
  }
  #need(text: string) {
    if (!this.#take(text)) throw new Bad()
  }
  #next(): string {
    const letter = this.text[this.#at++]
    if (letter === undefined) throw new Bad()
    return letter
  }
  #deeper<T>(read: () => T): T {
    if (++this.#depth > DEPTH_MAX) throw new Bad()
    const value = read()
    this.#depth--
    return value
  }
  #kept(shown: Shown): Shown {
    this.#size += shown.left.length + shown.right.length
    if (this.#size > TEXT_MAX * 16 || shown.left.length > TEXT_MAX) throw new Bad()
    this.#substitutions.push(shown)
    return shown
  }
  #number(): number {
    const negative = this.#take('n')
    const [digits] = /^\d+/.exec(this.text.slice(this.#at, this.#at + 20)) ?? []
    if (digits === undefined) throw new Bad()
    this.#at += digits.length
    return negative ? -Number(digits) : Number(digits)
  }
  /** `_` is 0, `0_` is 1, in base 36. */
  #sequence(): number {
    const [all, digits] = /^([0-9A-Z]*)_/.exec(this.text.slice(this.#at, this.#at + 12)) ?? []
    if (all === undefined) throw new Bad()
    this.#at += all.length
    return digits === '' ? 0 : Number.parseInt(digits!, 36) + 1
  }

  #encoding(): string {
    return this.#deeper(() => {
      if (this.#peek('T') || this.#peek('GV') || this.#peek('GR') || this.#peek('GT')) return this.#special()
      const name = this.#name()
      this.#encoded = name.text
      if (this.#at >= this.text.length || this.#peek('E') || this.#peek('.'))
        return name.text + name.qualifiers
      let result: Shown | undefined
      if (name.template && !name.noResult) result = this.#type()
      const parameters = this.#parameters()
      this.#encoded = name.text
      // A result that is a pointer to a function goes around the name.
      const left = result === undefined ? '' : result.right === '' ? `${result.left} ` : `${result.left}`
      return `${left}${name.text}(${parameters})${name.qualifiers}${result?.right ?? ''}`
    })
  }

  /** The name of what was read last, without its type. */
  #encoded = ''

  #special(): string {
    for (const [code, words] of Object.entries(SPECIAL))
      if (this.#take(code)) return words + whole(this.#type())
    if (this.#take('TC')) {
      const type = whole(this.#type())
      this.#number()
      this.#need('_')
      return `construction vtable for ${whole(this.#type())}-in-${type}`
    }
    if (this.#take('TW')) return `TLS wrapper function for ${this.#name().text}`
    if (this.#take('TH')) return `TLS init function for ${this.#name().text}`
    if (this.#take('TA')) return `template parameter object for ${whole(this.#argument())}`
    if (this.#take('Th')) {
      this.#number()
      this.#need('_')
      return `non-virtual thunk to ${this.#encoding()}`
    }
    if (this.#take('Tv')) {
      this.#virtualOffset()
      return `virtual thunk to ${this.#encoding()}`
    }
    if (this.#take('Tc')) {
      this.#callOffset()
      this.#callOffset()
      return `covariant return thunk to ${this.#encoding()}`
    }
    if (this.#take('GV')) return `guard variable for ${this.#name().text}`
    if (this.#take('GR')) {
      const { text } = this.#name()
      if (this.#at < this.text.length && /[0-9A-Z_]/.test(this.text[this.#at]!))
        return `reference temporary #${this.#sequence()} for ${text}`
      return `reference temporary #0 for ${text}`
    }
    if (this.#take('GTt')) return `transaction clone for ${this.#encoding()}`
    if (this.#take('GTn')) return `non-transaction clone for ${this.#encoding()}`
    throw new Bad()
  }
  #virtualOffset() {
    this.#number()
    this.#need('_')
    this.#number()
    this.#need('_')
  }
  #callOffset() {
    if (this.#take('h')) {
      this.#number()
      this.#need('_')
    } else {
      this.#need('v')
      this.#virtualOffset()
    }
  }

  #parameters(): string {
    const list: string[] = []
    const start = this.#at
    while (this.#at < this.text.length && !this.#peek('E') && !this.#peek('.')) {
      const type = this.#type()
      for (const part of type.pack ?? [type]) list.push(whole(part))
    }
    if (this.#at === start) throw new Bad()
    return list.length === 1 && list[0] === 'void' ? '' : list.join(', ')
  }

  #name(): Name {
    return this.#deeper(() => {
      if (this.#take('N')) return this.#nested()
      if (this.#take('Z')) return this.#local()
      let text: string
      let noResult = false
      if (this.#peek('S') && !this.#peek('St')) {
        const substitution = this.#substitution()
        text = whole(substitution)
      } else {
        const std = this.#take('St')
        noResult = this.#peek('cv')
        const unqualified = this.#unqualified()
        text = std ? `std::${unqualified}` : unqualified
        if (!this.#peek('I')) return { text, template: false, noResult, qualifiers: '' }
        this.#kept(plain(text))
      }
      if (this.#peek('I')) {
        text = instance(text, this.#templateArguments(this.#inType === 0))
        return { text, template: true, noResult, qualifiers: '' }
      }
      return { text, template: false, noResult, qualifiers: '' }
    })
  }

  #nested(): Name {
    let qualifiers = ''
    const order: Record<string, string> = { r: ' restrict', V: ' volatile', K: ' const' }
    while (/[rVK]/.test(this.text[this.#at] ?? '')) qualifiers = order[this.#next()]! + qualifiers
    if (this.#take('R')) qualifiers += ' &'
    else if (this.#take('O')) qualifiers += ' &&'
    let text = ''
    let template = false
    let noResult = false
    while (!this.#take('E')) {
      if (this.#peek('I')) {
        if (text === '') throw new Bad()
        text = instance(text, this.#templateArguments(!this.#inType))
        template = true
        if (!this.#peek('E')) this.#kept(plain(text))
        continue
      }
      if (this.#peek('S') && !this.#peek('St')) {
        if (text !== '') throw new Bad()
        text = whole(this.#substitution())
        template = false
        continue
      }
      if (this.#peek('T') && text === '') {
        text = whole(this.#templateParameter())
        this.#kept(plain(text))
        continue
      }
      if ((this.#peek('Dt') || this.#peek('DT')) && text === '') {
        text = whole(this.#type())
        continue
      }
      if (this.#take('St')) {
        text = 'std'
        continue
      }
      this.#take('M') // a lambda in a data member's initialiser
      noResult = /^(C[1-5I]|D[0-5]|cv)/.test(this.text.slice(this.#at, this.#at + 2))
      const part = this.#unqualified()
      text = text === '' ? part : `${text}::${part}`
      template = false
      if (!this.#peek('E')) this.#kept(plain(text))
    }
    if (text === '') throw new Bad()
    return { text, template, noResult, qualifiers }
  }

  #local(): Name {
    const before = this.#arguments
    const encoding = this.#encoding()
    this.#need('E')
    if (this.#take('s')) {
      this.#discriminator()
      return { text: `${encoding}::string literal`, template: false, noResult: true, qualifiers: '' }
    }
    if (this.#take('d')) {
      const index = this.#peek('_') ? 0 : this.#number() + 1
      this.#need('_')
      const name = this.#name()
      return { ...name, text: `${encoding}::{default arg#${index + 1}}::${name.text}` }
    }
    this.#arguments = before.length > 0 ? before : this.#arguments
    const name = this.#name()
    this.#discriminator()
    return { ...name, text: `${encoding}::${name.text}` }
  }
  #discriminator() {
    if (this.#take('__')) {
      this.#number()
      this.#need('_')
    } else if (this.#peek('_') && /\d/.test(this.text[this.#at + 1] ?? '')) this.#at += 2
  }

  #unqualified(): string {
    this.#take('L') // internal linkage
    let text: string
    const two = this.text.slice(this.#at, this.#at + 2)
    if (/^\d/.test(two)) text = this.#source()
    else if (two === 'Ut') {
      this.#at += 2
      const index = this.#peek('_') ? 1 : this.#number() + 2
      this.#need('_')
      text = `{unnamed type#${index}}`
    } else if (two === 'Ul') {
      this.#at += 2
      const parameters = this.#parameters()
      this.#need('E')
      const index = this.#peek('_') ? 1 : this.#number() + 2
      this.#need('_')
      text = `{lambda(${parameters})#${index}}`
      this.#last = text
    } else if (/^(C[1-5I]|D[0-5])/.test(two) && this.#last === '') throw new Bad()
    else if (/^C[1-5]/.test(two)) {
      this.#at += 2
      text = this.#last
    } else if (two === 'CI') {
      this.#at += 3
      this.#type()
      text = this.#last
    } else if (/^D[0-5]/.test(two)) {
      this.#at += 2
      text = `~${this.#last}`
    } else if (two === 'DC') {
      this.#at += 2
      const names: string[] = []
      while (!this.#take('E')) names.push(this.#source())
      text = `[${names.join(', ')}]`
    } else if (two === 'cv') {
      this.#at += 2
      text = `operator ${this.#conversionType()}`
    } else if (two === 'li') {
      this.#at += 2
      text = `operator"" ${this.#source()}`
    } else if (OPERATORS[two] !== undefined) {
      this.#at += 2
      text = OPERATORS[two]
      if (/^operator (new|delete)/.test(text) === false) this.#last = text
    } else throw new Bad()
    while (this.#take('B')) {
      const last = this.#last
      text += `[abi:${this.#source()}]`
      this.#last = last
    }
    return text
  }
  #inType = 0

  /** A conversion's type may name template parameters whose arguments come later: it is read again with them. */
  #conversionType(): string {
    return whole(this.#type())
  }

  #source(): string {
    const length = this.#number()
    if (length <= 0 || this.#at + length > this.text.length) throw new Bad()
    const name = this.text.slice(this.#at, this.#at + length)
    this.#at += length
    this.#last = /^_GLOBAL__N/.test(name) ? '(anonymous namespace)' : name
    return this.#last
  }

  #substitution(): Shown {
    const two = this.text.slice(this.#at, this.#at + 2)
    if (STANDARD[two] !== undefined) {
      this.#at += 2
      this.#last = LAST[two] ?? STANDARD[two].replace(/^std::/, '')
      let text = STANDARD[two]
      if (this.#peek('B')) {
        while (this.#take('B')) text += `[abi:${this.#source()}]`
        return this.#kept(plain(text))
      }
      return plain(text)
    }
    this.#need('S')
    const found = this.#substitutions[this.#sequence()]
    if (!found) throw new Bad()
    this.#last = lastPart(found.left)
    return found
  }

  #templateParameter(): Shown {
    this.#need('T')
    if (this.#peek('L')) throw new Bad()
    const index = this.#sequence()
    const argument = this.#arguments[index]
    // Of a generic lambda the parameters have no names.
    if (argument === undefined) return this.#inLambda > 0 ? plain(`auto:${index + 1}`) : fail()
    return argument
  }
  #inLambda = 0

  /** @param bind parameters refer to these from now on */
  #templateArguments(bind: boolean): string {
    return this.#deeper(() => {
      this.#need('I')
      const last = this.#last
      const list: Shown[] = []
      this.#inType++
      while (!this.#take('E')) list.push(this.#argument())
      this.#inType--
      this.#last = last
      if (bind) this.#arguments = list
      const shown = list.flatMap((each) => (each.pack ? each.pack.map(whole) : [whole(each)])).join(', ')
      if (shown.length > TEXT_MAX) throw new Bad()
      // After an empty pack at the end c++filt leaves the space out.
      return list.length > 1 && list.at(-1)!.pack?.length === 0 ? `<${shown}>` : closed(`<${shown}`)
    })
  }

  #argument(): Shown {
    return this.#deeper(() => {
      if (this.#peek('L')) return plain(this.#literal())
      if (this.#take('X')) {
        const text = this.#expression()
        this.#need('E')
        return plain(text)
      }
      if (this.#take('J')) {
        const pack: Shown[] = []
        while (!this.#take('E')) pack.push(this.#argument())
        return packOf(pack)
      }
      return this.#type()
    })
  }

  #literal(): string {
    this.#need('L')
    if (this.#take('_Z')) {
      const text = this.#encoding()
      this.#need('E')
      return text
    }
    const code = this.text[this.#at] ?? ''
    const type = whole(this.#type())
    const [value] = /^n?[0-9a-z_]*/.exec(this.text.slice(this.#at)) ?? ['']
    this.#at += value.length
    this.#need('E')
    const number = value.replace(/^n/, '-')
    if (code === 'b') return value === '1' ? 'true' : value === '0' ? 'false' : `(bool)${number}`
    if (code === 'i') return number
    if (LITERAL_SUFFIX[code] !== undefined) return number + LITERAL_SUFFIX[code]
    if (value === '' || type === 'decltype(nullptr)')
      return `(${type})${value === '' ? '0' : number}`.replace(
        /^\(decltype\(nullptr\)\)0?$/,
        'decltype(nullptr)',
      )
    return /[fd]/.test(code) && code.length === 1 && BUILTIN[code]
      ? `(${type})[${value}]`
      : `(${type})${number}`
  }

  #type(): Shown {
    return this.#deeper(() => {
      const letter = this.text[this.#at] ?? ''
      if (/[rVK]/.test(letter)) return this.#qualified()
      if (letter === 'u') {
        this.#at++
        return this.#kept(plain(this.#source()))
      }
      if (BUILTIN[letter] !== undefined) {
        this.#at++
        return plain(BUILTIN[letter])
      }
      switch (letter) {
        case 'P':
          this.#at++
          return this.#kept(pointer(this.#type(), '*'))
        case 'R':
          this.#at++
          return this.#kept(pointer(this.#type(), '&'))
        case 'O':
          this.#at++
          return this.#kept(pointer(this.#type(), '&&'))
        case 'C':
          this.#at++
          return this.#kept(plain(`${whole(this.#type())} _Complex`))
        case 'G':
          this.#at++
          return this.#kept(plain(`${whole(this.#type())} _Imaginary`))
        case 'F':
          return this.#kept(this.#functionType(''))
        case 'A':
          return this.#kept(this.#array())
        case 'M':
          return this.#kept(this.#memberPointer())
        case 'T':
          return this.#parameterType()
        case 'S':
          if (!this.#peek('St')) return this.#substituted()
          break
        case 'D':
          if (!/^D[0-5C]/.test(this.text.slice(this.#at, this.#at + 2))) return this.#typeD()
          break
      }
      this.#inType++
      const name = this.#name()
      this.#inType--
      return this.#kept(plain(name.text))
    })
  }

  #qualified(): Shown {
    let qualifiers = ''
    const words: Record<string, string> = { r: ' restrict', V: ' volatile', K: ' const' }
    while (/[rVK]/.test(this.text[this.#at] ?? '')) qualifiers = words[this.#next()]! + qualifiers
    if (this.#peek('F')) return this.#kept(this.#functionType(qualifiers))
    const inner = this.#type()
    const shown: Shown = inner.pack
      ? packOf(inner.pack.map((part) => ({ ...part, left: part.left + qualifiers })))
      : { ...inner, left: inner.left + qualifiers }
    return this.#kept(shown)
  }

  #functionType(qualifiers: string): Shown {
    this.#need('F')
    this.#take('Y')
    const result = this.#type()
    const list: string[] = []
    let reference = ''
    while (!this.#take('E')) {
      if (this.#take('RE')) {
        reference = ' &'
        break
      }
      if (this.#take('OE')) {
        reference = ' &&'
        break
      }
      const type = this.#type()
      for (const part of type.pack ?? [type]) list.push(whole(part))
    }
    const parameters = list.length === 1 && list[0] === 'void' ? '' : list.join(', ')
    return {
      left: result.right === '' ? `${result.left} ` : result.left,
      right: `(${parameters})${qualifiers}${reference}${result.right}`,
      wraps: true,
    }
  }

  #array(): Shown {
    this.#need('A')
    let size = ''
    if (/\d/.test(this.text[this.#at] ?? '')) size = String(this.#number())
    else if (!this.#peek('_')) size = this.#expression()
    this.#need('_')
    const element = this.#type()
    const right = element.right.startsWith(' [')
      ? `[${size}]${element.right.slice(1)}`
      : `[${size}]${element.right}`
    return { left: element.left, right: ` ${right}`, wraps: true }
  }

  #memberPointer(): Shown {
    this.#need('M')
    const owner = whole(this.#type())
    const member = this.#type()
    return member.wraps
      ? { left: `${member.left}(${owner}::*`, right: `)${member.right}` }
      : { left: `${member.left} ${owner}::*`, right: member.right }
  }

  #parameterType(): Shown {
    const parameter = this.#templateParameter()
    this.#kept(parameter)
    if (this.#peek('I')) return this.#kept(plain(whole(parameter) + this.#templateArguments(false)))
    return parameter
  }

  #substituted(): Shown {
    const found = this.#substitution()
    if (!this.#peek('I')) return found
    return this.#kept(plain(whole(found) + this.#templateArguments(false)))
  }

  #typeD(): Shown {
    this.#need('D')
    const code = this.#next()
    if (BUILTIN_D[code] !== undefined) return plain(BUILTIN_D[code])
    switch (code) {
      case 't':
      case 'T': {
        const text = this.#expression()
        this.#need('E')
        return this.#kept(plain(`decltype (${text})`))
      }
      case 'p': {
        const type = this.#type()
        // An expansion of a pack that is known is its parts; of one that is not, dots.
        return this.#kept(type.pack ? type : plain(`${whole(type)}...`))
      }
      case 'o':
        this.#need('F')
        this.#at--
        return this.#noexceptFunction(' noexcept')
      case 'F': {
        const bits = this.#number()
        this.#need('_')
        return plain(`_Float${bits}`)
      }
      case 'v': {
        const size = this.#take('_') ? this.#expression() : String(this.#number())
        this.#need('_')
        return this.#kept(plain(`${whole(this.#type())} __vector(${size})`))
      }
      default:
        throw new Bad()
    }
  }
  #noexceptFunction(words: string): Shown {
    const type = this.#functionType('')
    return this.#kept({ ...type, right: type.right + words })
  }

  // --- expressions -----------------------------------------------------------------------------------------

  /** Names stand as operands by themselves, everything else in parentheses. */
  #operand(): string {
    const simple = /^(sr|fp|fL|il|\d)/.test(this.text.slice(this.#at, this.#at + 2))
    const text = this.#expression()
    return simple ? text : `(${text})`
  }

  #expression(): string {
    return this.#deeper(() => {
      if (this.#peek('L')) return this.#literal()
      if (this.#peek('T')) return whole(this.#templateParameter())
      const two = this.text.slice(this.#at, this.#at + 2)
      if (two === 'fp') {
        this.#at += 2
        return `{parm#${this.#sequence() + 1}}`
      }
      if (two === 'fL') {
        this.#at += 2
        this.#number()
        this.#need('p')
        return `{parm#${this.#sequence() + 1}}`
      }
      if (two === 'sr') {
        this.#at += 2
        const type = whole(this.#type())
        const name = this.#unqualified()
        return `${type}::${name}${this.#peek('I') ? this.#templateArguments(false) : ''}`
      }
      if (two === 'sZ') {
        this.#at += 2
        const parameter = this.#peek('T') ? this.#templateParameter() : plain(this.#expression())
        return parameter.pack ? String(parameter.pack.length) : `sizeof...(${whole(parameter)})`
      }
      if (two === 'sp') {
        this.#at += 2
        return `(${this.#expression()})...`
      }
      if (two === 'st' || two === 'at') {
        this.#at += 2
        return `${two === 'st' ? 'sizeof' : 'alignof'} (${whole(this.#type())})`
      }
      if (two === 'sz' || two === 'az') {
        this.#at += 2
        return `${two === 'sz' ? 'sizeof' : 'alignof'} (${this.#expression()})`
      }
      if (two === 'nx') {
        this.#at += 2
        return `noexcept (${this.#expression()})`
      }
      if (two === 'cl') {
        this.#at += 2
        const callee = this.#operand()
        return `${callee}(${this.#expressions()})`
      }
      if (two === 'cv') {
        this.#at += 2
        const type = whole(this.#type())
        if (this.#take('_')) return `(${type})(${this.#expressions()})`
        return `(${type})${this.#operand()}`
      }
      if (two === 'tl') {
        this.#at += 2
        return `${whole(this.#type())}{${this.#expressions()}}`
      }
      if (two === 'il') {
        this.#at += 2
        return `{${this.#expressions()}}`
      }
      if (two === 'dt' || two === 'pt') {
        this.#at += 2
        const object = this.#operand()
        return `${object}${two === 'dt' ? '.' : '->'}${this.#memberName()}`
      }
      if (two === 'sc' || two === 'dc' || two === 'rc' || two === 'cc') {
        this.#at += 2
        const type = whole(this.#type())
        const word = { sc: 'static', dc: 'dynamic', rc: 'reinterpret', cc: 'const' }[two]
        return `${word}_cast<${type}>(${this.#expression()})`
      }
      if (two === 'on') {
        this.#at += 2
        const name = this.#unqualified()
        return name + (this.#peek('I') ? this.#templateArguments(false) : '')
      }
      if (/^\d/.test(two)) {
        const name = this.#source()
        return name + (this.#peek('I') ? this.#templateArguments(false) : '')
      }
      if (two === 'qu') {
        this.#at += 2
        const [a, b, c] = [this.#operand(), this.#operand(), this.#operand()]
        return `${a}?${b} : ${c}`
      }
      if (two === 'ix') {
        this.#at += 2
        const array = this.#operand()
        return `${array}[${this.#expression()}]`
      }
      const operator = OPERATORS[two]?.replace('operator', '')
      if (operator === undefined || operator.startsWith(' ')) throw new Bad()
      this.#at += 2
      if (UNARY.has(two)) {
        if (two === 'pp' || two === 'mm') {
          const before = this.#take('_')
          const operand = this.#operand()
          return before ? operator + operand : operand + operator
        }
        // What a function's address is taken of is its name.
        const named = two === 'ad' && this.#peek('L_Z')
        const operand = this.#operand()
        return operator + (named ? this.#encoded : operand)
      }
      const left = this.#operand()
      const right = this.#operand()
      const text = `${left}${operator}${right}`
      return operator === '>' ? `(${text})` : text
    })
  }
  #memberName(): string {
    if (this.#peek('sr') || this.#peek('on')) return this.#expression()
    const name = this.#unqualified()
    return name + (this.#peek('I') ? this.#templateArguments(false) : '')
  }
  #expressions(): string {
    const list: string[] = []
    while (!this.#take('E')) list.push(this.#expression())
    return list.join(', ')
  }
}

const UNARY = new Set(['ps', 'ng', 'ad', 'de', 'co', 'nt', 'pp', 'mm'])

/** `operator<` and an angle bracket stay two things. */
const instance = (name: string, given: string) => (name.endsWith('<') ? `${name} ${given}` : name + given)

function packOf(parts: Shown[]): Shown {
  return { ...plain(parts.map(whole).join(', ')), pack: parts }
}

function pointer({ left, right, wraps, pack }: Shown, sign: string): Shown {
  if (pack) return packOf(pack.map((part) => pointer(part, sign)))
  if (wraps) {
    // An array's brackets stand apart from what points to it.
    return {
      left: right.startsWith(' [') ? `${left} (${sign}` : `${left}(${sign}`,
      right: right.startsWith(' [') ? `)${right}` : `)${right}`,
    }
  }
  // References collapse.
  if (sign !== '*' && left.endsWith('&'))
    return { left: sign === '&' && left.endsWith('&&') ? left.slice(0, -1) : left, right }
  return { left: left + sign, right }
}

/** The name at the end of a qualified one, without its template arguments. */
function lastPart(text: string): string {
  let depth = 0
  let end = text.length
  for (let i = text.length - 1; i >= 0; i--) {
    const letter = text[i]!
    if (letter === '>') {
      if (depth++ === 0) end = i + 1
    } else if (letter === '<') {
      if (--depth === 0) end = i
    } else if (letter === ':' && depth === 0) return text.slice(i + 1, end)
  }
  return text.slice(0, end)
}

function fail(): never {
  throw new Bad()
}
