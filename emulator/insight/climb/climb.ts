// The climb, told: each stage from reset to user mode with the instruction that did it and what that changed, and of what was
// skipped or botched what the CPU will do about it. Pure functions over the machine's memory.
import * as L from '../../core/layout'
import type { CpuSnapshot, Milestone } from '../../machine/api'
import { cpuSnapshot } from '../../machine/cpu-snapshot'
import type { MachineMemory } from '../../machine/memory'
import { type MilestoneMoment, milestoneMoment, milestones } from '../../machine/milestones'
import type { Finding } from '../autopsy'
import { addressDigits, hex } from '../hex'
import { pagingControl, readThroughPages } from '../page-walk'
import { modeWords, type RegisterChange, registerPairs } from './changes'
import { STAGES } from './stages'
import { type Trouble, troublesOf } from './troubles'

/** `skipped`: a later stage that builds on it was reached without it. */
export type StageState = 'reached' | 'open' | 'skipped'

export interface StageAccount {
  id: number
  name: string
  text: string
  documents: readonly { source: string; term: string }[]
  state: StageState
  cpu: number
  /** Retired when it was reached. */
  instructions: bigint
  /** Machine time, ns. */
  time: bigint
  by?: {
    /** Linear. */
    address: bigint
    /** As the guest addresses it: 0000:7C4A, 0008:00007C4A, FFFFFFFF80001234. */
    at: string
    /** What the CPU was in. */
    mode: string
    bits: 16 | 32 | 64
    text: string
    symbol?: string
    /** An interrupt came before it; it did nothing itself. */
    interrupted: boolean
    firmware: boolean
  }
  /** Linear address of what ran next. */
  next?: { address: bigint; symbol?: string; bits: 16 | 32 | 64 }
  /** Before and after; empty while the stage is not reached. */
  registers: RegisterChange[]
  /** What else belongs to it, in words. */
  detail?: string
  troubles: Trouble[]
}

export interface ClimbAccount {
  stages: StageAccount[]
  /** Where the boot processor is now. */
  mode: string
  /** What went wrong that belongs to none of the stages: after which of them. */
  after?: { stage: string; troubles: Trouble[] }
}

export interface ClimbWords {
  /** One instruction in words. */
  disassemble: (bytes: Uint8Array, rip: bigint, bits: 16 | 32 | 64) => string
  /** Name of a linear address, when symbols can be believed. */
  label: (address: bigint) => string | undefined
}

/** @param findings of the autopsy, when the machine has died or come to rest */
export function climbAccount(
  memory: MachineMemory,
  { disassemble, label }: ClimbWords,
  findings: readonly Finding[] = [],
): ClimbAccount {
  const reached = new Map(milestones(memory).map((stage) => [stage.id, stage]))
  const moments = new Map<number, MilestoneMoment>()
  for (const { id } of STAGES) {
    const moment = milestoneMoment(memory, id)
    if (moment) moments.set(id, moment)
  }
  const now = cpuSnapshot(memory, 0)
  const { byStage, rest } = troublesOf({ memory, now, moments, reached, findings })
  const stages = STAGES.map(({ id, name, text, documents }): StageAccount => {
    const stage = reached.get(id)!
    const moment = moments.get(id)
    const skipped = !moment && STAGES.some(({ id: later, after }) => moments.has(later) && after.includes(id))
    const account: StageAccount = {
      ...{ id, name, text, documents },
      state: moment ? 'reached' : skipped ? 'skipped' : 'open',
      cpu: stage.cpu,
      instructions: stage.instructions,
      time: stage.time,
      registers: moment ? registerPairs(moment.before, moment.after) : [],
      troubles: byStage.get(id) ?? [],
    }
    if (!moment) return account
    const { by, before } = moment
    if (by && before) account.by = instruction(memory, by, before, id, disassemble, label)
    account.next = { ...named(stage.rip, label), bits: moment.after.bits }
    const detail = detailOf(id, moment.detail)
    if (detail !== undefined) account.detail = detail
    return account
  })
  const account: ClimbAccount = { stages, mode: modeWords(now) }
  if (rest.length > 0) {
    const last = latest([...reached.values()])
    account.after = {
      stage: STAGES.find(({ id }) => id === last)?.name ?? '',
      troubles: rest,
    }
  }
  return account
}

function latest(all: readonly Milestone[]): number | undefined {
  let found: Milestone | undefined
  for (const stage of all)
    if (stage.reached && (!found || stage.instructions >= found.instructions)) found = stage
  return found?.id
}

const named = (address: bigint, label: ClimbWords['label']) => {
  const symbol = label(address)
  return symbol === undefined ? { address } : { address, symbol }
}

const isFirmware = (linear: bigint): boolean =>
  (linear >= 0xf0000n && linear < 0x100000n) || (linear >= 0xffff0000n && linear < 0x1_0000_0000n)

function instruction(
  memory: MachineMemory,
  by: NonNullable<MilestoneMoment['by']>,
  before: CpuSnapshot,
  id: number,
  disassemble: ClimbWords['disassemble'],
  label: ClimbWords['label'],
): StageAccount['by'] {
  // What could not be read at the time is read now.
  const bytes =
    by.bytes.length > 0
      ? by.bytes
      : readThroughPages(memory, pagingControl(memory, before.index), by.address, 15)
  const { selector } = before.segments.cs
  const offset = hex(before.rip, before.bits === 16 ? 4 : addressDigits(before.bits))
  return {
    ...named(by.address, label),
    at: before.bits === 64 ? offset : `${hex(selector, 4)}:${offset}`,
    mode: modeWords(before),
    bits: before.bits,
    text: bytes.length > 0 ? disassemble(bytes, before.rip, before.bits) : '',
    interrupted: id === L.CLIMB_INTERRUPT,
    firmware: before.mode === 'real' && isFirmware(by.address),
  }
}

function detailOf(id: number, detail: bigint): string | undefined {
  const vector = Number(detail & 0xffn)
  if (id === L.CLIMB_INTERRUPT) return `vector ${hex(vector, 2)}h`
  if (id === L.CLIMB_AP) return `CPU ${detail >> 8n} begins at ${hex(vector << 8, 4)}:0000`
  return undefined
}
