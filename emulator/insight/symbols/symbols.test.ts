// Held to the sources of the test kernels (lines, structures), and to addr2line, nm and gdb where they are installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesSource, readElf } from '../../media/elf'
import { SymbolFile } from './symbol-file'
import { placeText, Symbols } from './symbols'
import { SymbolError } from './symbol-error'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const path = (name: string) => join(root, 'assets/guests/tests', name)
const source = readFileSync(path('multiboot/kernel.c'), 'utf8').split('\n')
const lineOf = (text: string) => source.findIndex((line) => line.startsWith(text)) + 1
const open = (name: string) => new Symbols(bytesSource(new Uint8Array(readFileSync(path(name)))))
const has = (command: string) => spawnSync(command, ['--version']).status === 0

// ELF32 with DWARF 4, packed by zlib; ELF64 in the higher half with DWARF 5.
describe.each([
  ['multiboot1.elf', 32],
  ['multiboot2.elf', 64],
] as const)('%s', (name, bits) => {
  const symbols = open(name)

  test('reads everything', () => {
    expect(symbols.hasDebug).toBe(true)
    symbols.at(0n)
    symbols.frames(symbols.named('kmain')!.address)
    expect(symbols.troubles).toEqual([])
  })

  test('names addresses, and addresses of names', () => {
    const kmain = symbols.named('kmain')!
    expect(kmain).toMatchObject({ kind: 'function', global: true })
    expect(kmain.address >= (bits === 64 ? 0xffffffff80200000n : 0x200000n)).toBe(true)
    expect(symbols.at(kmain.address)).toEqual({
      name: 'kmain',
      linkageName: 'kmain',
      address: kmain.address,
      offset: 0,
    })
    expect(placeText(symbols.at(kmain.address + 0x1cn)!)).toBe('kmain+1Ch')
    expect(symbols.at(kmain.address + BigInt(kmain.size) - 1n)?.name).toBe('kmain')
    expect(symbols.at(5n)).toBeUndefined()
    expect(symbols.named('no_such_thing')).toBeUndefined()
    // Labels of an assembler have no size.
    const start = symbols.named('start')!
    expect(symbols.at(start.address + 3n)).toMatchObject({ name: 'start', offset: 3 })
  })

  test('finds the line a function begins on', () => {
    for (const [name, text] of [
      ['kmain', 'void kmain(struct state *s)'],
      ['hex', 'static void hex('],
    ] as const) {
      const symbol = symbols.named(name)
      if (!symbol) continue
      const line = symbols.line(symbol.address)!
      expect(line.file).toMatch(/assets\/guests\/tests\/multiboot\/kernel\.c$/)
      expect([lineOf(text), lineOf(text) + 1]).toContain(line.line)
    }
  })

  test('says what was inlined', () => {
    const { address, size } = symbols.named('kmain')!
    const chains = new Set<string>()
    for (let i = 0n; i < BigInt(size); i++) {
      const frames = symbols.frames(address + i)
      expect(frames.at(-1)?.name).toBe('kmain')
      chains.add(frames.map((frame) => frame.name).join(' < '))
    }
    expect([...chains]).toContain('outb < kmain')
  })

  test('knows types and where members lie', () => {
    for (const _ of symbols.types.scan()) void _
    const state = symbols.types.byName.get('state')
    expect(symbols.types.text(state)).toBe('struct state')
    const members = symbols.types.named('state')
    expect(members).toMatchObject({ kind: 'struct', size: 28 })
    const at = Object.fromEntries(
      (members as { members: { name: string; offset: number }[] }).members.map(({ name, offset }) => [
        name,
        offset,
      ]),
    )
    expect(at).toEqual({ eax: 0, ebx: 4, eflags: 8, cr0: 12, limits: 16, esp: 20, zero: 24 })
    expect(symbols.types.sizeOf(symbols.types.byName.get('u64'))).toBe(8)
    expect(symbols.types.sizeOf(symbols.types.byName.get('uptr'))).toBe(bits / 8)
    const zeroed = symbols.types.variables.get('zeroed')!
    expect(symbols.types.text(zeroed.type)).toBe('volatile u32[700]')
    expect(zeroed.address).toBe(symbols.named('zeroed')?.address)
  })

  test.skipIf(!has('addr2line'))('agrees with addr2line on every byte of code', () => {
    const addresses: bigint[] = []
    for (const { kind, address, size } of symbols.table)
      if (kind === 'function') for (let i = 0n; i < BigInt(size); i++) addresses.push(address + i)
    expect(addresses.length).toBeGreaterThan(2000)
    const said = execFileSync('addr2line', ['-e', path(name), '-f', '-i', '-a'], {
      input: addresses.map((address) => address.toString(16)).join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    const theirs = said.split(/^0x[0-9a-f]+\n/m).slice(1)
    const ours = addresses.map((address) =>
      symbols
        .frames(address)
        .map(({ name, line }) => `${name}\n${line?.file}:${line?.line}\n`)
        .join(''),
    )
    const plain = (text: string) =>
      text.replaceAll(/ \(discriminator \d+\)/g, '').replaceAll(/(\n|^)(\.\/)+/g, '$1')
    expect(ours.map(plain)).toEqual(theirs.map(plain))
  })

  test.skipIf(!has('nm'))('agrees with nm', () => {
    const said = execFileSync('nm', [path(name)], { encoding: 'utf8' })
      .trim()
      .split('\n')
    for (const line of said) {
      const [, address, type, symbol] = /^([0-9a-f]+) (\w) (.*)$/.exec(line) ?? []
      if (symbol === undefined || type === 'a' || type === 'A') continue
      expect([symbol, symbols.named(symbol)?.address]).toEqual([symbol, BigInt(`0x${address}`)])
    }
  })
})

// ---------------------------------------------------------------------------------------------------------

const gcc = has('gcc') && has('gdb')
const QUESTIONS = [
  ...['sizeof(struct page)', 'sizeof(struct node)', 'sizeof(matrix)'],
  ...['(long)&((struct page *)0)->order', '(long)&((struct page *)0)->mapping'],
  ...[
    '(long)&((struct node *)0)->pages',
    '(long)((struct node *)0)->name',
    '(long)&root_node',
    '(long)&main',
  ],
]
const answers = (questions: string[], program: string) =>
  execFileSync('gdb', ['-batch', ...questions.flatMap((text) => ['-ex', `print ${text}`]), program], {
    encoding: 'utf8',
  })

describe.skipIf(!gcc)('what gcc makes, read as gdb reads it', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringside-symbols-'))
    writeFileSync(
      join(folder, 'a.c'),
      `struct page { unsigned long flags; union { struct { struct page *next; int order; }; void *mapping; }; unsigned lo:3, hi:5; };
struct node { struct node *left, *right; struct page pages[4]; char name[]; };
enum color { RED, GREEN = 5, BLUE = -3 };
typedef const struct node *node_p;
struct node root_node; enum color favourite = GREEN; int matrix[3][4]; int (*hook)(int, char *); node_p where;
int main(void) { return matrix[1][2] + favourite + (root_node.left != 0) + (hook != 0) + (where != 0); }
`,
    )
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    ['-gdwarf-2'],
    ['-gdwarf-3'],
    ['-gdwarf-4'],
    ['-gdwarf-5'],
    ['-gdwarf-5', '-gz=zlib'],
    ['-gdwarf-4', '-gz=zlib-gnu'],
    ['-gdwarf-4', '-fdebug-types-section'],
    ['-gdwarf-5', '-gdwarf64'],
    ['-gdwarf-5', '-gsplit-dwarf'],
    ['-gdwarf-4', '-gsplit-dwarf'],
    ['-gdwarf-4', '-gsplit-dwarf', 'dwp'],
    ['-gdwarf-5', '-gsplit-dwarf', 'llvm-dwp'],
    ['-gdwarf-5', '-gsplit-dwarf', '-fdebug-types-section'],
    ['-gdwarf-4', '-gsplit-dwarf', '-fdebug-types-section'],
    ['-gdwarf-5', 'debuglink'],
  ])('%s %s %s', (...flags) => {
    const out = join(mkdtempSync(join(folder, 'of-')), 'a.out')
    const split = flags.includes('-gsplit-dwarf')
    const tool = flags.find((flag) => flag.endsWith('dwp'))
    if (tool !== undefined && !has(tool)) return
    execFileSync('gcc', [
      ...flags.filter((flag) => flag?.startsWith('-')),
      ...(split ? [] : ['-gstrict-dwarf']),
      '-no-pie',
      join(folder, 'a.c'),
      '-o',
      out,
    ])
    // gdb 13 cannot read the packages of llvm-dwp, nor types beside split units of version 5: it is asked about the same in one file.
    const whole = `${out}.whole`
    if (split) {
      const plain = flags.filter((flag) => flag?.startsWith('-') && flag !== '-gsplit-dwarf')
      execFileSync('gcc', [...plain, '-no-pie', join(folder, 'a.c'), '-o', whole])
    }
    if (tool !== undefined) {
      execFileSync(tool, ['-e', out, '-o', `${out}.dwp`])
      for (const name of readdirSync(dirname(out)).filter((each) => each.endsWith('.dwo')))
        rmSync(join(dirname(out), name))
    }
    if (flags.includes('debuglink')) {
      execFileSync('objcopy', ['--only-keep-debug', out, `${out}.debug`])
      execFileSync('objcopy', ['--strip-all', `--add-gnu-debuglink=${out}.debug`, out])
    }
    const file = new SymbolFile(out)
    try {
      const { types } = file.symbols
      for (const _ of types.scan()) void _
      expect(file.symbols.troubles).toEqual([])
      expect(file.symbols.line(file.symbols.named('main')!.address)?.line).toBe(6)
      expect(file.symbols.frames(file.symbols.named('main')!.address).map(({ name }) => name)).toEqual([
        'main',
      ])
      const found = [
        types.sizeOf(types.byName.get('page')),
        types.sizeOf(types.byName.get('node')),
        types.sizeOf(types.variables.get('matrix')?.type),
        types.member(types.byName.get('page'), 'order')?.offset,
        types.member(types.byName.get('page'), 'mapping')?.offset,
        types.member(types.byName.get('node'), 'pages')?.offset,
        types.member(types.byName.get('node'), 'name')?.offset,
        types.variables.get('root_node')?.address,
        file.symbols.named('main')?.address,
      ]
      const said = answers(QUESTIONS, split ? whole : out)
      const numbers = [...said.matchAll(/^\$\d+ = (\d+)/gm)].map(([, number]) => number)
      expect(found.map((value) => String(value))).toEqual(numbers)
      const page = types.named('page') as { members: { name: string; offset: number; bits?: object }[] }
      expect(page.members.find(({ name }) => name === 'hi')).toMatchObject({
        offset: 24,
        bits: { size: 5, offset: 3 },
      })
      expect(types.named('color')).toMatchObject({
        values: [
          { name: 'RED', value: 0 },
          { name: 'GREEN', value: 5 },
          { name: 'BLUE', value: -3 },
        ],
      })
      expect(types.text(types.variables.get('hook')?.type)).toBe('int () *')
      expect(types.bare(types.variables.get('where')?.type)?.kind).toBe('pointer')
    } finally {
      file.close()
    }
  })
})

describe.skipIf(!gcc)('debugging information in other files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-split-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const out = join(folder, 'b.out')
  const make = (value: number, ...flags: string[]) => {
    writeFileSync(
      join(folder, 'b.c'),
      `struct thing { int a[${value}]; } thing; int main(void) { return thing.a[0]; }\n`,
    )
    execFileSync('gcc', ['-gdwarf-5', ...flags, '-no-pie', 'b.c', '-o', out], { cwd: folder })
  }
  const sizeOf = () => {
    const file = new SymbolFile(out)
    for (const _ of file.symbols.types.scan()) void _
    const { types, troubles } = file.symbols
    const found = {
      size: types.sizeOf(types.byName.get('thing')),
      troubles: troubles.join(),
      main: file.symbols.named('main'),
    }
    file.close()
    return found
  }

  test('of another build is not believed; what is not there is said', () => {
    make(3, '-gsplit-dwarf')
    const name = readdirSync(folder).find((each) => each.endsWith('.dwo'))!
    const old = readFileSync(join(folder, name))
    expect(sizeOf().size).toBe(12)
    make(5, '-gsplit-dwarf')
    expect(sizeOf().size).toBe(20)
    writeFileSync(join(folder, name), old)
    expect(sizeOf()).toMatchObject({
      size: undefined,
      troubles: expect.stringContaining('is of another build'),
    })
    rmSync(join(folder, name))
    const gone = sizeOf()
    expect(gone).toMatchObject({ size: undefined, troubles: expect.stringContaining('is not there') })
    expect(gone.main).toBeDefined()
    writeFileSync(join(folder, name), 'this is no ELF file')
    expect(sizeOf().troubles).toContain('cannot be read')
  })

  test('damaged split units and packages cost facts, never a crash or a hang', () => {
    make(3, '-gsplit-dwarf')
    const name = readdirSync(folder).find((each) => each.endsWith('.dwo'))!
    const files = [join(folder, name)]
    if (has('llvm-dwp')) {
      execFileSync('llvm-dwp', ['-e', out, '-o', `${out}.dwp`])
      files.push(`${out}.dwp`)
    }
    for (const path of files.toReversed()) {
      const good = readFileSync(path)
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 }),
          fc.option(fc.nat(good.length)),
          (damage, cut) => {
            const bytes = Buffer.from(good)
            for (const [at, value] of damage) bytes[at] = value
            writeFileSync(path, bytes.subarray(0, cut ?? bytes.length))
            const file = new SymbolFile(out)
            for (const _ of file.symbols.types.scan()) void _
            for (const reference of file.symbols.types.byName.values()) file.symbols.types.sizeOf(reference)
            const { address } = file.symbols.named('main')!
            file.symbols.frames(address)
            file.symbols.line(address)
            file.close()
          },
        ),
        { numRuns: 150 },
      )
      rmSync(path)
    }
  })

  test('a linked file with another checksum is not believed', () => {
    make(3)
    execFileSync('objcopy', ['--only-keep-debug', out, `${out}.debug`])
    execFileSync('objcopy', ['--strip-debug', `--add-gnu-debuglink=${out}.debug`, out])
    expect(sizeOf().size).toBe(12)
    const bytes = readFileSync(`${out}.debug`)
    writeFileSync(`${out}.debug`, Buffer.concat([bytes, Buffer.from('more')]))
    expect(sizeOf()).toMatchObject({
      size: undefined,
      troubles: expect.stringContaining('its checksum is another'),
    })
    rmSync(`${out}.debug`)
    expect(sizeOf().troubles).toContain('which is not there')
    expect(sizeOf().main).toBeDefined()
  })
})

describe('bad input', () => {
  const good = new Uint8Array(readFileSync(path('multiboot2.elf')))
  const packed = new Uint8Array(readFileSync(path('multiboot1.elf')))

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('hello')],
    ['four bytes', good.subarray(0, 4)],
    ['half a header', good.subarray(0, 40)],
    ['cut in the middle', good.subarray(0, 0x3000)],
  ])('%s is refused', (_, bytes) => {
    expect(() => new Symbols(bytesSource(bytes))).toThrow(SymbolError)
  })

  test('a packed section that promises another size than it has', () => {
    const bytes = new Uint8Array(packed)
    const { sections } = readElf(bytesSource(bytes))
    const info = sections.find(({ name }) => name === '.debug_info')!
    const view = new DataView(bytes.buffer)
    for (const [size, said] of [
      [0xffffffff, 'would have 4294967295 bytes'],
      [3, 'unpack'],
      [1_000_000, 'instead of 1000000'],
    ] as const) {
      view.setUint32(info.offset + 4, size, true)
      const symbols = new Symbols(bytesSource(bytes))
      expect(symbols.troubles.join()).toContain(said)
      expect(symbols.named('kmain')).toBeDefined()
    }
  })

  test('random damage costs some facts, never a crash or a hang', () => {
    let state = 0x2545f491
    const random = (below: number) => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return (state >>> 0) % below
    }
    const from = 0x3000
    for (let round = 0; round < 250; round++) {
      const original = round % 2 === 0 ? good : packed
      const bytes = new Uint8Array(original)
      for (let n = 1 + random(12); n > 0; n--)
        bytes[from + random(bytes.length - from)] = random(3) === 0 ? 0xff : random(256)
      try {
        const symbols = new Symbols(bytesSource(bytes))
        const { address } = symbols.named('kmain') ?? { address: 0x200100n }
        for (let i = 0n; i < 400n; i += 17n) {
          symbols.at(address + i)
          symbols.line(address + i)
          symbols.frames(address + i)
        }
        for (const _ of symbols.types.scan()) void _
        for (const reference of [...symbols.types.byName.values()].slice(0, 50)) {
          symbols.types.text(reference)
          symbols.types.sizeOf(reference)
        }
      } catch (error) {
        if (!(error instanceof SymbolError)) throw error
      }
    }
  })
})
