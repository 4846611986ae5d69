import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LabDocumentError, parseLabDocument } from './document'
import { assemble, decode, disassemble, OPCODES, PROGRAM_MAX, ProgramError } from './program'

const folder = fileURLToPath(new URL('../../../assets/guests/sched-lab/', import.meta.url))

test('the opcodes are those of the document', () => {
  expect(OPCODES.map((name, code) => `${name} ${code}`)).toEqual([
    'NOP 0',
    'PUSH 1',
    'LOAD 2',
    'ADD 3',
    'SUB 4',
    'PRINT 5',
    'SLEEP 6',
    'YIELD 7',
    'HALT 8',
    'WORK 9',
    'SETPRIO 10',
  ])
  // hexdump -C bins/p1.bin: 01 03 04 02 08
  expect([...readFileSync(`${folder}p1.bin`)]).toEqual([1, 3, 4, 2, 8])
})

test.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('%s assembles to its .bin', (name) => {
  const bytes = assemble(readFileSync(folder + name, 'utf8'))
  expect([...bytes]).toEqual([...readFileSync(folder + name.replace('.txt', '.bin'))])
})

describe('the assembler', () => {
  test('reads comments, blanks, any case and repetitions', () => {
    expect([...assemble('; a\r\n\n  push ; one\nWork 3 # three\n\thalt')]).toEqual([1, 9, 9, 9, 8])
  })
  test.each([
    ['', 'no instruction'],
    ['NOP\n  JUMP', 'line 2, column 3: there is no instruction JUMP'],
    ['NOP 1 2', 'line 1, column 7: 2 is one word too many'],
    ['WORK x', 'line 1, column 6: x is no number'],
    ['WORK 0', 'line 1, column 6'],
    ['WORK 1e9', 'line 1, column 6'],
    [`WORK ${PROGRAM_MAX + 1}`, 'at most 4096'],
  ])('%j is refused with its place', (text, message) => {
    expect(() => assemble(text)).toThrow(ProgramError)
    expect(() => assemble(text)).toThrow(message)
  })
  test('what it reads is what the disassembler writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ min: 0, max: 10, minLength: 1, maxLength: 200 }), (bytes) => {
        expect([...assemble(disassemble(bytes))]).toEqual([...bytes])
      }),
    )
  })
})

test.each([
  [[], 'empty'],
  [[1, 2, 11], 'byte 2 is 0Bh'],
  [Array.from({ length: PROGRAM_MAX + 1 }, () => 0), '4097 bytes'],
])('bytes that are no program: %#', (bytes, message) => {
  expect(() => decode(Uint8Array.from(bytes))).toThrow(message)
})

describe('a lab document', () => {
  test('has defaults', () => {
    expect(parseLabDocument('{"tasks":[{"program":"a.bin"}]}')).toEqual({
      scheduler: 'rr',
      options: { quantum: 1, boost: 100, sleep: 1 },
      tasks: [{ program: 'a.bin', arrival: 0, priority: 0 }],
    })
  })
  test.each([
    ['{', 'no JSON'],
    ['[]', 'an object'],
    ['{"tasks":[]}', 'something in it'],
    ['{"scheduler":"best","tasks":[]}', 'there are fcfs'],
    ['{"tasks":[{"program":1}]}', 'tasks[0].program'],
    ['{"tasks":[{"program":"a","arrival":1.5}]}', 'tasks[0].arrival'],
    ['{"tasks":[{"program":"a","prio":1}]}', 'a field prio'],
    ['{"quantum":"2","tasks":[{"program":"a"}]}', 'quantum is to be a whole number'],
  ])('%s is refused', (text, message) => {
    expect(() => parseLabDocument(text)).toThrow(LabDocumentError)
    expect(() => parseLabDocument(text)).toThrow(message)
  })
})
