// Lens files as people write them, and as nobody should.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as L from '../../core/layout'
import { type MachineMemory, createMemory } from '../../machine/memory'
import type { Type } from '../symbols/type-graph'
import { ExpressionError, parseExpression } from './expression'
import { freeSpace } from './free-space'
import { viewOfKernel } from './guest-view'
import { parseJson, plain } from './json'
import type { Kernel } from './kernel'
import { type Lens, parseLens } from './lens'
import { LensError } from './lens-error'
import { readLens } from './read-lens'
import { emptyColumns, enumeratorWords } from './reading'

const seedling = readFileSync(
  fileURLToPath(new URL('../../../assets/guests/seedling/seedling.lens.json', import.meta.url)),
  'utf8',
)
const problem = (text: string): string => {
  try {
    parseLens(text)
  } catch (error) {
    if (error instanceof LensError) return error.text
    throw error
  }
  return ''
}

describe('the file', () => {
  test('Seedling’s is right', () => {
    const lens = parseLens(seedling)
    expect(lens.kernel).toBe('Seedling')
    expect(lens.allocators?.map(({ kind }) => kind)).toEqual(['bitmap', 'buddy', 'slab'])
  })

  test('what is wrong is said with line and column', () => {
    expect(problem('')).toBe('1:1: the file ends where a value is expected')
    expect(problem('{"lens": 1,\n "kernel": 5}')).toBe('2:12: "kernel" must be text')
    expect(problem('{"lens": 2, "kernel": ""}')).toBe('1:10: "lens" must be 1')
    expect(problem('{"lens": 1, "kernel": "x",\n  "frame": {}}')).toMatch(
      /^2:3: the lens has no "frame"; it may have/,
    )
    expect(problem('{"lens": 1, "kernel": "x", "frames": {"table": "f", "count": "n."}}')).toMatch(
      /^1:38: "frames" lacks "size"/,
    )
    expect(problem('{"lens": 1, "kernel": "x", "frames": {"table": "f", "size": 1, "count": "n."}}')).toBe(
      '1:76: in this expression: a name is expected here',
    )
    expect(problem('{"lens": 1, "kernel": "x", "allocators": [\n{"kind": "budy"}]}')).toBe(
      '2:10: an item of "allocators" must have a "kind" of bitmap, buddy, slab, free-list, stack, raw-list, raw-buddy',
    )
    expect(
      problem(
        '{"lens": 1, "kernel": "x", "allocators": [{"kind": "bitmap", "bits": "b", "count": 1, "used": 3, "size": 1}]}',
      ),
    ).toMatch(/"used" must be one of 0, 1/)
    expect(problem('{"lens": 1, "lens": 1, "kernel": ""}')).toBe('1:13: "lens" is there twice')
    expect(problem(`${'['.repeat(100)}`)).toMatch(/nested more than 64 deep/)
  })

  test('JSON is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(JSON.stringify(plain(parseJson(text)))).toBe(JSON.stringify(JSON.parse(text)))
      }),
      { numRuns: 300 },
    )
  })

  test('whatever is damaged is refused as a lens error, or read', () => {
    fc.assert(
      fc.property(fc.nat(seedling.length - 1), fc.string({ maxLength: 3 }), fc.nat(5), (at, put, cut) => {
        const text = seedling.slice(0, at) + put + seedling.slice(at + cut)
        expect(typeof problem(text)).toBe('string')
      }),
      { numRuns: 1000 },
    )
  })
})

describe('expressions', () => {
  test('have C’s precedence', () => {
    const text = (source: string) =>
      JSON.stringify(parseExpression(source), (_, v) => (typeof v === 'bigint' ? `${v}n` : v))
    expect(text('*a.b')).toBe(text('*(a.b)'))
    expect(text('&a[1].b')).toBe(text('&((a[1]).b)'))
    expect(text('(struct slab)0x1000')).toContain('"type":{"name":"struct slab","pointers":0}')
    expect(text('(struct slab *)p->q')).toContain('"pointers":1')
    expect(text('index of @ in frames')).toContain('index-of')
    expect(text('a::b')).toContain('"name":"a::b"')
    expect(() => parseExpression('a b')).toThrow(ExpressionError)
    expect(() => parseExpression('a + 1')).toThrow('"+" means nothing here')
    expect(() => parseExpression(`${'*'.repeat(200)}a`)).toThrow(/nested/)
  })
  test('any text is an expression or an expression error', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-c@^*&().[\]>\- 0x]{0,20}$/), (source) => {
        try {
          parseExpression(source)
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError)
        }
      }),
      { numRuns: 2000 },
    )
  })
  test('enumerators lose what they have in common', () => {
    expect(enumeratorWords(['FRAME_FREE', 'FRAME_PAGE_TABLE'])).toEqual(['free', 'page table'])
    expect(enumeratorWords(['FREE', 'FULL'])).toEqual(['free', 'full'])
    expect(enumeratorWords([])).toEqual([])
  })
})

// ---------------------------------------------------------------------------------------------------------
// Kernels of 1 MiB whose memory is nonsense. Paging is off, so linear addresses are physical ones.

const TYPES: Type[] = [
  { kind: 'base', name: 'u64', size: 8, encoding: 7 },
  { kind: 'pointer', size: 8, to: 2 },
  {
    ...{ kind: 'struct', name: 'node', size: 32, declaration: false },
    members: [
      { name: 'link', type: 3, offset: 0 },
      { name: 'value', type: 0, offset: 16 },
      { name: 'u', type: 4, offset: 24 },
    ],
  },
  {
    ...{ kind: 'struct', name: 'list', size: 16, declaration: false },
    members: [
      { name: 'next', type: 1, offset: 0 },
      { name: 'previous', type: 1, offset: 8 },
    ],
  },
  { kind: 'base', name: 'u8', size: 1, encoding: 7 },
  { kind: 'array', of: 3, counts: [8] },
  {
    kind: 'enum',
    name: 'use',
    size: 1,
    values: [
      { name: 'U_FREE', value: 0 },
      { name: 'U_USED', value: 1 },
    ],
    of: undefined,
  },
]
const SYMBOLS: Record<string, [number, number]> = {
  head: [0x1000, 3],
  lists: [0x2000, 5],
  nodes: [0x3000, 1],
  count: [0x4000, 0],
  table: [0x5000, 1],
}

function kernelOf(): Kernel {
  const bare = (reference: number | undefined) => (reference === undefined ? undefined : TYPES[reference])
  const sizeOf = (reference: number | undefined): number | undefined => {
    const type = bare(reference)
    if (type?.kind === 'array') return (sizeOf(type.of) ?? 0) * 8
    return type && 'size' in type ? type.size : undefined
  }
  return {
    types: {
      ...{ get: bare, bare, sizeOf, text: () => 'a type' },
      member: (reference, name) => {
        const type = bare(reference)
        return type && 'members' in type ? type.members.find((each) => each.name === name) : undefined
      },
    },
    address: (name) => (SYMBOLS[name] ? BigInt(SYMBOLS[name][0]) : undefined),
    typeOf: (name) => SYMBOLS[name]?.[1],
    typeNamed: (name) => {
      const short = name.replace(/^\w+ /, '')
      const found = TYPES.findIndex((type) => 'name' in type && type.name === short)
      return found < 0 ? undefined : found
    },
    label: () => undefined,
  }
}

const hostile: Lens = {
  ...{ lens: 1, kernel: 'nonsense' },
  frames: {
    table: 'table',
    count: 'count',
    size: 4096,
    use: { value: '@.u', enum: 'enum use', free: ['U_FREE'] },
    order: '@.u',
    owner: '@.value',
  },
  allocators: [
    {
      kind: 'buddy',
      orders: 8,
      lists: 'lists',
      type: 'struct node',
      link: 'link',
      frame: 'index of @ in nodes',
      size: 4096,
    },
    { kind: 'bitmap', bits: 'nodes', count: 'count', used: 1, size: 4096 },
    { kind: 'free-list', list: { list: 'head.next', type: 'struct node', next: 'link' }, size: 4096 },
    { kind: 'stack', entries: 'nodes', top: 'count', size: 4096 },
    {
      ...{ kind: 'slab', caches: { list: '&head', type: 'struct node', link: 'link' } },
      cache: { name: '@.value', size: '@.value', perSlab: '@.value', order: '@.u', lists: ['@.link'] },
      slab: { type: 'struct node', link: 'link', objects: '@.value', free: '@.value', links: '^.value' },
    },
  ],
  tasks: { tree: 'head.next', type: 'struct node', link: 'link', id: '@.value', name: '@.value' },
}

describe('nonsense in memory', () => {
  test('lists that run in circles or into nothing end, and it is said', () => {
    const memory: MachineMemory = createMemory(2 ** 20, 1)
    const put = (at: number, value: number) => memory.view.setBigUint64(memory.ram + at, BigInt(value), true)
    put(0x1000, 0x6000)
    put(0x6000, 0x7000)
    put(0x7000, 0x6000)
    put(0x3000, 0x8000)
    const { troubles } = readLens(memory, kernelOf(), hostile)
    expect(troubles.map(({ why }) => why)).toContain('the list runs in a circle behind 2 nodes')
    put(0x7000, 0x9999_0000)
    expect(
      readLens(memory, kernelOf(), hostile).troubles.some(({ why }) =>
        /leads to 99990000, where nothing is mapped/.test(why),
      ),
    ).toBe(true)
    put(0x4000, 2 ** 52)
    expect(() => readLens(memory, kernelOf(), hostile)).not.toThrow()
  })

  test('random memory does no harm', () => {
    const memory = createMemory(2 ** 20, 1)
    const word = fc.oneof(
      fc.nat(0xfffff),
      fc.constantFrom(0, 0x1000, 0x2000, 0x3000, 0x6000),
      fc.maxSafeInteger(),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(0x9fff), word), { maxLength: 60 }), (words) => {
        for (const [at, value] of words)
          memory.view.setBigUint64(memory.ram + (at & ~7), BigInt(value) & 0xffff_ffff_ffff_ffffn, true)
        const { frames, troubles } = readLens(memory, kernelOf(), hostile)
        expect(frames.count).toBe(256)
        expect(troubles.length).toBeLessThanOrEqual(50)
      }),
      { numRuns: 200 },
    )
  })
})

test('free space: aligned blocks, the longest run, and how much of it is of use', () => {
  const columns = emptyColumns(2048)
  columns.uses.push({ name: 'free', kind: 'free' }, { name: 'used', kind: 'used' })
  columns.use.fill(2)
  columns.use.fill(1, 512, 1024)
  columns.use.fill(1, 1027, 1032)
  const space = freeSpace(columns)
  expect(space).toMatchObject({ free: 517, used: 1531, largest: 9, longestRun: 512, longestAt: 512 })
  expect(space.blocks.slice(0, 4)).toEqual([1, 0, 1, 0])
  expect(space.blocks[9]).toBe(1)
  expect(space.fragmentation).toBeCloseTo(5 / 517)
  expect(freeSpace(emptyColumns(0))).toMatchObject({ free: 0, largest: -1, fragmentation: 0 })
})

test('a kernel that is left out of a program’s page tables is read through its own', () => {
  const memory = createMemory(4 << 20, 1)
  const put = (at: number, value: bigint) => memory.view.setBigUint64(memory.ram + at, value, true)
  // Kernel: table at 2000h maps the upper half; program: table at 3000h maps nothing of it.
  put(0x2000 + 511 * 8, 0x4003n)
  put(0x4000 + 510 * 8, 0x5003n)
  put(0x5000, 0x83n)
  const kernel = 0xffff_ffff_8000_0000n
  const set = (cr3: bigint) => {
    for (const [register, value] of [
      [L.CPU_CR0, 0x8000_0001n],
      [L.CPU_CR3, cr3],
      [L.CPU_CR4, 0x20n],
      [L.CPU_EFER, 0xd00n],
    ] as const)
      memory.view.setBigUint64(L.VCPUS + register, value, true)
  }
  for (const cr3 of [0x2000n, 0x3000n, 0x3005n]) {
    set(cr3)
    expect(viewOfKernel(memory, kernel).unsigned(kernel + 0x2000n + 511n * 8n, 8)).toBe(0x4003n)
  }
  set(0x3000n)
  expect(viewOfKernel(memory).unsigned(kernel, 8)).toBeUndefined()
})
