// A task of the scheduler lab: a program being executed, one instruction per tick of time.
import { lengthOf, type Mnemonic } from './program'

export interface TaskSpec {
  name: string
  code: readonly Mnemonic[]
  /** Tick at which it comes. */
  arrival: number
  /** The higher number goes first. */
  priority: number
}

export class Task {
  pc = 0
  readonly stack: number[] = []
  priority: number
  /** Ticks of time on the CPU so far. */
  ran = 0
  /** Ticks spent sleeping. */
  slept = 0
  firstRun: number | undefined
  completion: number | undefined
  /** Instructions that it has at all. */
  readonly length: number

  constructor(
    readonly index: number,
    readonly spec: TaskSpec,
  ) {
    this.priority = spec.priority
    this.length = lengthOf(spec.code)
  }

  /** What a scheduler that knows the future knows: instructions to go. */
  get remaining(): number {
    return this.length - this.pc
  }
  get done(): boolean {
    return this.remaining === 0
  }

  /** Executes one instruction. @returns it, and what PRINT says */
  step(): { instruction: Mnemonic; output?: string } {
    const instruction = this.spec.code[this.pc++]!
    const { stack } = this
    // An empty stack gives zeros: a lab has better things to teach than stack faults.
    const pop = () => stack.pop() ?? 0
    switch (instruction) {
      case 'PUSH':
        stack.push(1)
        break
      case 'LOAD':
        stack.push(stack.at(-1) ?? 0)
        break
      case 'ADD':
        stack.push(pop() + pop())
        break
      case 'SUB': {
        const upper = pop()
        stack.push(pop() - upper)
        break
      }
      case 'PRINT':
        return { instruction, output: String(stack.at(-1) ?? 0) }
      case 'SETPRIO':
        this.priority = pop()
        break
    }
    return { instruction }
  }
}
