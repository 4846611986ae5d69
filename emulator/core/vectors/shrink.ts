// A case in full, as text (tools/vectors/README.md, "Found"), and the simpler cases to try in its place.
import type { Header, Patch, Vector } from './reader'
import type { SimdState } from './simd'
import type { X87State } from './x87'

/** All that a case begins with, and what of its end is not compared. */
export interface Case {
  code: Uint8Array
  codeWindow: number
  codeOffset: number
  gpr: bigint[]
  rflags: number
  /** ES, CS, SS, DS, FS, GS. */
  segments: number[]
  patches: Patch[]
  undefinedFlags: number
  undefinedGprs: number
  simd?: SimdState
  x87?: X87State
  undefinedFsw: number
  inexact: boolean
  holes: { window: number; offset: number; length: number }[]
}

const RFLAGS = 0x202
const MXCSR = 0x1f80
const FCW = 0x37f
const TOP_BITS = 0x3800
const MEANT = 0x3f_7fd5
const CODE_OFFSET = 0x200
/** Prefixes, by the mode-independent numbers. */
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3])

export function caseOf(v: Vector): Case {
  return {
    code: v.code.slice(),
    codeWindow: v.codeWindow,
    codeOffset: v.codeOffset,
    gpr: [...Array(16).keys()].map((i) => (BigInt(v.gpr[2 * i + 1]!) << 32n) | BigInt(v.gpr[2 * i]!)),
    rflags: v.rflags,
    segments: [...v.segments],
    patches: v.patches.map((patch) => ({ ...patch, bytes: patch.bytes.slice() })),
    undefinedFlags: v.undefinedFlags,
    undefinedGprs: v.undefinedGprs,
    undefinedFsw: v.x87?.undefinedFsw ?? 0,
    inexact: v.x87?.inexact ?? false,
    holes: v.x87?.holes.map((hole) => ({ ...hole })) ?? [],
    ...(v.simd && { simd: structuredClone(v.simd.before) }),
    ...(v.x87 && { x87: structuredClone(v.x87.before) }),
  }
}

const hex = (value: number | bigint) => value.toString(16)
const hexBytes = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Lines as replay.c reads them. What is not said is zero, or as after a reset of the unit. */
export function caseText(c: Case, header: Header, set: string, name: string): string {
  const lines = [
    `case ${set} ${header.mode} ${name}`,
    `code ${hex(c.codeWindow)} ${hex(c.codeOffset)} ${hexBytes(c.code)}`,
  ]
  const add = (line: string, wanted: boolean) => {
    if (wanted) lines.push(line)
  }
  c.gpr.forEach((value, i) => {
    add(`gpr ${hex(i)} ${hex(value)}`, value !== 0n)
  })
  add(`flags ${hex(c.rflags)}`, c.rflags !== RFLAGS)
  const selectors = Object.values(header.segments).map(({ selector }) => selector)
  c.segments.forEach((value, i) => {
    add(`segment ${i} ${hex(value)}`, value !== selectors[i])
  })
  for (const { window, offset, bytes } of c.patches)
    lines.push(`memory ${hex(window)} ${hex(offset)} ${hexBytes(bytes)}`)
  if (c.x87) {
    const { fcw, fsw, tags, se, sig } = c.x87
    add(`x87 ${hex(fcw)} ${hex(fsw)} ${hex(tags)}`, fcw !== FCW || fsw !== 0 || tags !== 0)
    se.forEach((exponent, i) => {
      const significand = sig[i]!
      add(`st ${i} ${hex(exponent)} ${hex(significand)}`, exponent !== 0 || significand !== 0n)
    })
  }
  if (c.simd) {
    const { ymm, mm, mxcsr, tags } = c.simd
    add(`mxcsr ${hex(mxcsr)} ${hex(tags)}`, mxcsr !== MXCSR || tags !== 0)
    for (let i = 0; i < 16; i++) {
      const words = [...ymm.subarray(8 * i, 8 * i + 8)]
      add(`ymm ${hex(i)} ${words.map(hex).join(' ')}`, words.some(Boolean))
    }
    for (let i = 0; i < 8; i++) {
      const words = [...mm.subarray(2 * i, 2 * i + 2)]
      add(`mm ${i} ${words.map(hex).join(' ')}`, words.some(Boolean))
    }
  }
  const open = [c.undefinedFlags, c.undefinedGprs, c.undefinedFsw, Number(c.inexact)]
  add(`open ${open.map(hex).join(' ')}`, open.some(Boolean))
  for (const { window, offset, length } of c.holes)
    lines.push(`hole ${hex(window)} ${hex(offset)} ${hex(length)}`)
  lines.push('end', '')
  return lines.join('\n')
}

type Change = (c: Case) => void

/** Each way in which one thing of the case can be made simpler, the coarse ones first. */
export function simplifications(c: Case): Change[] {
  const changes: Change[] = []
  const add = (wanted: boolean, change: Change) => {
    if (wanted) changes.push(change)
  }
  c.patches.forEach(({ window, offset }) => {
    changes.push((x) => {
      x.patches = x.patches.filter((patch) => patch.window !== window || patch.offset !== offset)
    })
  })
  if (c.simd) vectorChanges(c.simd, add)
  if (c.x87) x87Changes(c.x87, add)
  c.gpr.forEach((value, i) => {
    add(value !== 0n, (x) => {
      x.gpr[i] = 0n
    })
    add(value > 0xffffn, (x) => {
      x.gpr[i] = value & 0xffffn
    })
  })
  for (let bit = 1; bit < 1 << 22; bit <<= 1) {
    add((c.rflags & bit & MEANT & ~RFLAGS) !== 0, (x) => {
      x.rflags &= ~bit
    })
  }
  add(c.codeOffset !== CODE_OFFSET, (x) => {
    x.codeOffset = CODE_OFFSET
  })
  add(c.code.length > 1 && PREFIXES.has(c.code[0]!), (x) => {
    x.code = x.code.slice(1)
  })
  for (const [i, patch] of c.patches.entries()) {
    add(patch.bytes.some(Boolean), (x) => {
      const it = x.patches[i]
      if (it?.offset === patch.offset) it.bytes = new Uint8Array(it.bytes.length)
    })
  }
  return changes
}

function vectorChanges({ ymm, mm, mxcsr, tags }: SimdState, add: (wanted: boolean, change: Change) => void) {
  for (const width of [8, 4, 1]) {
    for (let at = 0; at < ymm.length; at += width) {
      add(ymm.subarray(at, at + width).some(Boolean), (x) => x.simd!.ymm.fill(0, at, at + width))
    }
  }
  for (let i = 0; i < 8; i++)
    add(mm[2 * i]! + mm[2 * i + 1]! > 0, (x) => x.simd!.mm.fill(0, 2 * i, 2 * i + 2))
  add(mxcsr !== MXCSR, (x) => {
    x.simd!.mxcsr = MXCSR
  })
  for (let bit = 1; bit < 0x10000; bit <<= 1) {
    add(((mxcsr ^ MXCSR) & bit) !== 0, (x) => {
      x.simd!.mxcsr = (x.simd!.mxcsr & ~bit) | (MXCSR & bit)
    })
  }
  add(tags !== 0, (x) => {
    x.simd!.tags = 0
  })
}

function x87Changes({ fcw, fsw, tags, se, sig }: X87State, add: (wanted: boolean, change: Change) => void) {
  for (let i = 0; i < 8; i++) {
    const used = (tags & (1 << i)) !== 0
    add(used, (x) => {
      x.x87!.tags &= ~(1 << i)
    })
    add(se[i] !== 0 || sig[i] !== 0n, (x) => {
      x.x87!.se[i] = 0
      x.x87!.sig[i] = 0n
    })
  }
  add(fcw !== FCW, (x) => {
    x.x87!.fcw = FCW
  })
  for (let bit = 1; bit < 0x1000; bit <<= 1) {
    add(((fcw ^ FCW) & bit) !== 0, (x) => {
      x.x87!.fcw = (x.x87!.fcw & ~bit) | (FCW & bit)
    })
  }
  add((fsw & ~TOP_BITS) !== 0, (x) => {
    x.x87!.fsw &= TOP_BITS
  })
}

/**
 * The smallest case that `differs` still says yes to. It is asked about several at once, and answers in their order.
 * Every round tries each change by itself, then all that helped together.
 */
export async function shrink(
  first: Case,
  differs: (cases: readonly Case[]) => Promise<readonly boolean[]>,
): Promise<Case> {
  let best = first
  // Each round that goes on takes something away: some 200 things can be taken.
  for (let round = 0; round < 40; round++) {
    const changes = simplifications(best)
    const alone = changes.map((change) => changed(best, [change]))
    const answers = await differs(alone)
    const helping = changes.filter((_, i) => answers[i])
    if (helping.length === 0) return best
    const halves: Change[][] = [helping, helping.filter((_, i) => i % 2 === 0), helping.slice(0, 2)]
    const together = halves.map((some) => changed(best, some))
    const which = (await differs(together)).indexOf(true)
    best = which < 0 ? changed(best, helping.slice(0, 1)) : together[which]!
  }
  return best
}

function changed(c: Case, changes: readonly Change[]): Case {
  const copy = structuredClone(c)
  for (const change of changes) change(copy)
  return copy
}
