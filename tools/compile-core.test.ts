import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { checkCore, compileCore, STATIC_DATA_END } from './compile-core.mjs'
import { describeModule } from './wasm-sections.mjs'

const section = (id: number, ...content: number[]) => [id, content.length, ...content]
const name = (text: string) => [text.length, ...Buffer.from(text)]
const module = (...sections: number[][]) =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()])

/** (import "env" "memory" (memory 2 65536 shared)) */
const memory = [...name('env'), ...name('memory'), 2, 3, 2, 0x80, 0x80, 4]
/** (import MODULE NAME (func)) */
const imported = (from: string, what: string) => [...name(from), ...name(what), 0, 0]
const nullary = section(1, 1, 0x60, 0, 0)
/** (data (i32.const 0xffff) LENGTH bytes) */
const dataAtFfff = (length: number) => [
  0,
  0x41,
  0xff,
  0xff,
  3,
  0x0b,
  length,
  ...new Array<number>(length).fill(7),
]

describe('checkCore', () => {
  test('accepts tables that end exactly where the header begins', () => {
    const bytes = module(
      nullary,
      section(2, 2, ...memory, ...imported('host', 'wait')),
      section(11, 1, ...dataAtFfff(1)),
    )
    expect(checkCore(bytes)).toEqual({
      imports: [
        { module: 'env', name: 'memory' },
        { module: 'host', name: 'wait' },
      ],
      dataEnd: STATIC_DATA_END,
      passiveSegments: 0,
    })
  })

  test('refuses tables that reach into the header', () => {
    const bytes = module(section(2, 1, ...memory), section(11, 1, ...dataAtFfff(2)))
    expect(() => checkCore(bytes)).toThrow('1 bytes past 0x10000')
  })

  test('refuses an import of anything but the memory and the host', () => {
    const bytes = module(nullary, section(2, 2, ...memory, ...imported('env', 'abort')))
    expect(() => checkCore(bytes)).toThrow('core.wasm imports env.abort')
  })

  test('refuses passive segments', () => {
    const bytes = module(section(2, 1, ...memory), section(11, 1, 1, 1, 7))
    expect(() => checkCore(bytes)).toThrow('passive')
  })

  test('refuses what is no module', () => {
    expect(() => describeModule(Buffer.from('first light'))).toThrow('not a WebAssembly module')
  })
})

describe('compileCore', () => {
  test('answers the same file for the same sources, also to several callers at once', async () => {
    const [one, two] = await Promise.all([compileCore(), compileCore()])
    expect(two.path).toBe(one.path)
    expect(one.sources.some((file) => file.endsWith('emulator/core/layout.ts'))).toBe(true)
    expect(checkCore(await readFile(one.path)).imports).toContainEqual({ module: 'env', name: 'memory' })
  })
})
