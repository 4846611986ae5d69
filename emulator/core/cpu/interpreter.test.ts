// What interpret() owes its speed to can be lost without any test of behaviour noticing: a call in it, or more values
// than V8's better register allocator takes on (ARCHITECTURE, what was learned). So it is looked at.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import corePath from '../index.ts?asc'

/** The compiler's own reader of WebAssembly. */
async function textOf(path: string): Promise<string> {
  const compiler = createRequire(import.meta.url).resolve('assemblyscript/package.json')
  const reader = createRequire(compiler).resolve('binaryen')
  const { default: binaryen } = await import(pathToFileURL(reader).href)
  const module = binaryen.readBinary(readFileSync(path))
  return module.emitText() as string
}

/**
 * Lines of text of a function whose TurboFan code has about 8,000 virtual registers; from 8,192 on V8 falls back to an
 * allocator that keeps every value of the loop in the stack frame, and the guest runs at 60 % of its speed.
 * (31,380 lines had 8,534, 27,053 had 7,272: node --trace-turbo.)
 */
const LINES_MAX = 29_500

test('the loop of the interpreter has no call and is within the good register allocator’s reach', async () => {
  const functions = (await textOf(corePath)).split(/^ (?=\(func )/m).slice(1)
  const lines = (text: string) => text.split('\n').length
  const [loop] = functions.sort((a, b) => b.length - a.length)
  expect(loop!.match(/\(call(_indirect)? /g) ?? []).toEqual([])
  expect(lines(loop!)).toBeGreaterThan(10_000)
  expect(lines(loop!)).toBeLessThan(LINES_MAX)
})
