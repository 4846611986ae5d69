// Programs of the scheduler lab: one byte per instruction, no operands. Text in, bytes out, and back.

export const OPCODES = [
  'NOP',
  'PUSH',
  'LOAD',
  'ADD',
  'SUB',
  'PRINT',
  'SLEEP',
  'YIELD',
  'HALT',
  'WORK',
  'SETPRIO',
] as const
/** Its place in OPCODES is its byte: 00h-0Ah. */
export type Mnemonic = (typeof OPCODES)[number]

/** What each does, in a few words. */
export const MEANINGS: Record<Mnemonic, string> = {
  NOP: 'nothing',
  PUSH: 'pushes 1',
  LOAD: 'pushes a copy of the top of the stack',
  ADD: 'pops two, pushes their sum',
  SUB: 'pops two, pushes the lower one less the upper one',
  PRINT: 'says what is on top of the stack',
  SLEEP: 'blocks for a while',
  YIELD: 'gives the CPU to the next task',
  HALT: 'ends the task',
  WORK: 'computes',
  SETPRIO: 'pops the task’s new priority',
}

/** More instructions a program need not have; a file of a gigabyte is none. */
export const PROGRAM_MAX = 4096

/** What is wrong with a program; the message says where. */
export class ProgramError extends Error {
  override name = 'ProgramError'
}

/**
 * @param text a mnemonic per line, in any case; `WORK 5` is five of them; comments begin with ; or #
 * @throws ProgramError with line and column (from 1)
 */
export function assemble(text: string): Uint8Array {
  const bytes: number[] = []
  text.split(/\r?\n/).forEach((line, index) => {
    const [, blank = '', code = ''] = /^(\s*)([^;#]*)/.exec(line)!
    const words = code.trim().split(/\s+/)
    if (words[0] === '') return
    const at = (word: string) => `line ${index + 1}, column ${code.indexOf(word) + blank.length + 1}`
    const [name = '', count = '1', more] = words
    const opcode = OPCODES.indexOf(name.toUpperCase() as Mnemonic)
    if (opcode < 0) {
      throw new ProgramError(`${at(name)}: there is no instruction ${name}; there are ${OPCODES.join(', ')}`)
    }
    if (more !== undefined) throw new ProgramError(`${at(more)}: ${more} is one word too many`)
    if (!/^[1-9]\d*$/.test(count)) {
      throw new ProgramError(
        `${at(count)}: ${count} is no number of repetitions; instructions have no operands`,
      )
    }
    if (bytes.length + Number(count) > PROGRAM_MAX) {
      throw new ProgramError(`${at(name)}: a program has at most ${PROGRAM_MAX} instructions`)
    }
    for (let i = 0; i < Number(count); i++) bytes.push(opcode)
  })
  if (bytes.length === 0) throw new ProgramError('there is no instruction in it')
  return Uint8Array.from(bytes)
}

/** @throws ProgramError for a byte that is no instruction */
export function decode(bytes: Uint8Array): Mnemonic[] {
  if (bytes.length === 0) throw new ProgramError('the program is empty')
  if (bytes.length > PROGRAM_MAX) {
    throw new ProgramError(`${bytes.length} bytes; a program has at most ${PROGRAM_MAX}`)
  }
  return Array.from(bytes, (byte, at) => {
    const name = OPCODES[byte]
    if (name === undefined) {
      const hex = byte.toString(16).toUpperCase().padStart(2, '0')
      throw new ProgramError(`byte ${at} is ${hex}h, which is no instruction (00h to 0Ah)`)
    }
    return name
  })
}

export function disassemble(bytes: Uint8Array): string {
  return `${decode(bytes).join('\n')}\n`
}

/** Instructions that will run: up to the first HALT, that one included. */
export function lengthOf(code: readonly Mnemonic[]): number {
  const halt = code.indexOf('HALT')
  return halt < 0 ? code.length : halt + 1
}
