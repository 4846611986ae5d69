// The machine the vectors run on: real memory, real page tables, GDT, LDT, TSS and IDT, and a ROM of our own whose kernel
// (tools/vectors/kernel/kernel.S) runs one case after the other in ring 3. Nothing of the core is replaced.
import { readFileSync } from 'node:fs'
import corePath from '../index.ts?asc'
import kernelPath from './kernel.bin?asset'
import * as L from '../layout'
import { createMemory, type MachineMemory } from '../../machine/memory'
import { bindCore, type Core, RUN_BUDGET, RUN_HALTED } from '../../threads/core-instance'
import { background, type Header, type Patch, type Vector } from './reader'
import { blankSimd, type SimdState } from './simd'
import { blankX87, type X87State } from './x87'

const RAM_SIZE = 0x10_0000
const PAGE = 4096
/** Instructions a case may take; the longest REP runs into a page that is not mapped after some 20,000. */
const PATIENCE = 200_000n

// Addresses shared with kernel.S.
const KERNEL = 0xffff_ffff_8000_0000n
const DESCRIPTORS = 0
const IDT = 0x1000
const JOB = 0x2000
const STACK_TOP = 0x4000
const CODE_ALIASES = 0x1_0000
const ROM_PAGE = 0xf_f000
const USER_TEXT = 0x70_0000n
const USER = 0x70_1000n
const BOOT = 0x600
const ENTER_NEAR = 0x3f0
const ENTER_FAR = 0x3f8

// Page-table entry bits (SDM 3A 4.5.4).
const P = 1n
const RW = 2n
const US = 4n
const NX = 1n << 63n

/** What the next exception was, and the registers at that moment. */
export interface Outcome {
  vector: number
  error: bigint
  rip: bigint
  cr2: bigint
  rflags: number
  gpr: Uint32Array
  /** ES, CS, SS, DS, FS, GS. */
  segments: Uint16Array
  /** Valid for vectors that have a part for vector registers. */
  simd: SimdState
  /** Valid for vectors that have an x87 part. */
  x87: X87State
}

/** The machine did not come back from a case: a triple fault, or no exception at all. */
export class Lost extends Error {}

let core: WebAssembly.Module | undefined

export class VectorMachine {
  /** The windows' bytes as the guest sees them. */
  readonly windows: Uint8Array[] = []
  private readonly memory: MachineMemory
  private readonly core: Core
  private readonly view: DataView
  private readonly physical = new Map<number, number>()
  private readonly outcome: Outcome = {
    vector: 0,
    error: 0n,
    rip: 0n,
    cr2: 0n,
    rflags: 0,
    gpr: new Uint32Array(32),
    segments: new Uint16Array(6),
    simd: blankSimd(),
    x87: blankX87().after,
  }
  private nextFrame = 0x1_0000
  private done = 0n
  private lastCode = { address: 0n, length: 0 }

  constructor(private readonly header: Header) {
    core ??= new WebAssembly.Module(readFileSync(corePath))
    this.memory = createMemory(RAM_SIZE, 1)
    this.core = bindCore(core, this.memory.wasm, () => {})
    this.core.cpuStart(0)
    this.core.machinePowerOn()
    this.memory.setHeader32(L.HDR_CONTROL, L.CONTROL_RUN)
    this.memory.setHeader32(L.HDR_STATE, L.STATE_RUNNING)
    this.view = new DataView(this.memory.wasm.buffer)
    const rom = readFileSync(kernelPath)
    this.memory.u8.set(rom, L.ROM + L.ROM_SIZE - rom.length)
    this.layOut()
  }

  /** Takes features away from the processor, or gives them back: words of HDR_CPU_WITHHELD (machine/cpu-model.ts). */
  withhold(words: readonly number[]): void {
    for (const [n, word] of words.entries()) this.memory.setHeader32(L.HDR_CPU_WITHHELD + 4 * n, word)
  }

  /** Runs one case to its exception. The result is overwritten by the next one. @throws Lost */
  run(v: Vector): Outcome {
    this.writeJob(v)
    this.view.setUint32(L.VCPUS + L.CPU_ACTIVITY, L.ACTIVITY_RUNNING, true)
    if (v.x87) this.loadX87(v.x87.before)
    if (v.simd) this.loadSimd(v.simd.before)
    const result = this.core.run(PATIENCE)
    this.done++
    const job = this.pointer(JOB)
    if (result !== RUN_HALTED || this.view.getBigUint64(job + 0x198, true) !== this.done) {
      throw new Lost(this.explain(result))
    }
    const o = this.outcome
    const stack = this.pointer(STACK_TOP - PAGE) + PAGE
    for (let i = 0; i < 32; i++) o.gpr[i] = this.view.getUint32(job + 0x100 + 4 * i, true)
    o.gpr[8] = this.view.getUint32(stack - 16, true)
    o.gpr[9] = this.view.getUint32(stack - 12, true)
    o.vector = this.view.getUint32(job + 0x190, true)
    o.error = this.view.getBigUint64(stack - 48, true)
    o.rip = this.view.getBigUint64(stack - 40, true)
    o.rflags = this.view.getUint32(stack - 24, true)
    o.cr2 = this.view.getBigUint64(job + 0x188, true)
    if (v.x87) this.readX87()
    if (v.simd) this.readSimd()
    const selector = (at: number) => this.view.getUint16(at, true)
    o.segments[0] = selector(job + 0x180)
    o.segments[1] = selector(stack - 32)
    o.segments[2] = selector(stack - 8)
    o.segments[3] = selector(job + 0x182)
    o.segments[4] = selector(job + 0x184)
    o.segments[5] = selector(job + 0x186)
    return o
  }

  // The kernel leaves the vector registers alone, so they can be loaded in the core's own state (XSAVE image).
  private loadSimd(state: SimdState): void {
    const { view } = this
    const at = L.VCPUS + L.CPU_XSAVE
    view.setBigUint64(L.VCPUS + L.CPU_XCR0, 7n, true)
    view.setUint16(at, 0x37f, true)
    view.setUint16(at + 2, 0, true)
    view.setUint8(at + 4, state.tags)
    // Opcode and pointers, which FXSAVE shows.
    view.setUint16(at + 6, 0, true)
    view.setBigUint64(at + 8, 0n, true)
    view.setBigUint64(at + 16, 0n, true)
    view.setUint32(at + 24, state.mxcsr, true)
    for (let i = 0; i < 16; i++) {
      for (let j = 0; j < 4; j++) {
        view.setUint32(at + 160 + 16 * i + 4 * j, state.ymm[8 * i + j]!, true)
        view.setUint32(at + 576 + 16 * i + 4 * j, state.ymm[8 * i + 4 + j]!, true)
      }
    }
    for (let i = 0; i < 8; i++) {
      view.setUint32(at + 32 + 16 * i, state.mm[2 * i]!, true)
      view.setUint32(at + 36 + 16 * i, state.mm[2 * i + 1]!, true)
      view.setUint16(at + 40 + 16 * i, 0xffff, true)
    }
  }

  private readSimd(): void {
    const { view } = this
    const state = this.outcome.simd
    const at = L.VCPUS + L.CPU_XSAVE
    state.tags = view.getUint8(at + 4)
    state.mxcsr = view.getUint32(at + 24, true)
    for (let i = 0; i < 16; i++) {
      for (let j = 0; j < 4; j++) {
        state.ymm[8 * i + j] = view.getUint32(at + 160 + 16 * i + 4 * j, true)
        state.ymm[8 * i + 4 + j] = view.getUint32(at + 576 + 16 * i + 4 * j, true)
      }
    }
    for (let i = 0; i < 8; i++) {
      state.mm[2 * i] = view.getUint32(at + 32 + 16 * i, true)
      state.mm[2 * i + 1] = view.getUint32(at + 36 + 16 * i, true)
    }
  }

  // The core keeps physical registers in the XSAVE image, significand first (emulator/core/cpu/x87/state.ts).
  private loadX87(state: X87State): void {
    const { view } = this
    const at = L.VCPUS + L.CPU_XSAVE
    view.setUint16(at, state.fcw, true)
    view.setUint16(at + 2, state.fsw, true)
    view.setUint8(at + 4, state.tags)
    for (let i = 0; i < 8; i++) {
      view.setBigUint64(at + 32 + 16 * i, state.sig[i]!, true)
      view.setUint16(at + 40 + 16 * i, state.se[i]!, true)
    }
  }

  private readX87(): void {
    const { view } = this
    const state = this.outcome.x87
    const at = L.VCPUS + L.CPU_XSAVE
    state.fcw = view.getUint16(at, true)
    state.fsw = view.getUint16(at + 2, true)
    state.tags = view.getUint8(at + 4)
    for (let i = 0; i < 8; i++) {
      state.sig[i] = view.getBigUint64(at + 32 + 16 * i, true)
      state.se[i] = view.getUint16(at + 40 + 16 * i, true)
    }
  }

  /** Writes bytes into windows. */
  apply(patches: readonly Patch[]): void {
    for (const { window, offset, bytes } of patches) this.windows[window]!.set(bytes, offset)
  }

  private writeJob(v: Vector): void {
    const { mode, segments } = this.header
    const { view } = this
    const job = this.pointer(JOB)
    const alias = KERNEL + BigInt(CODE_ALIASES + v.codeWindow * 2 * PAGE + v.codeOffset)
    const length = Math.min(v.code.length, 2 * PAGE - v.codeOffset)
    view.setBigUint64(job, this.lastCode.address || alias, true)
    view.setBigUint64(job + 8, BigInt(this.lastCode.length), true)
    view.setBigUint64(job + 16, alias, true)
    view.setBigUint64(job + 24, BigInt(length), true)
    this.memory.u8.set(v.code, job + 32)
    this.lastCode = { address: alias, length }
    const [es, , ss, ds, fs, gs] = v.segments
    for (const [i, selector] of [es, ds, fs, gs].entries()) view.setUint16(job + 64 + 2 * i, selector!, true)
    view.setBigUint64(job + 72, mode === 64 ? 1n : 0n, true)
    view.setBigUint64(job + 80, segments.fs.base, true)
    view.setBigUint64(job + 88, segments.gs.base, true)
    const user = this.physicalOf(USER)
    for (let i = 0; i < 32; i++) view.setUint32(user + 4 * i, v.gpr[i]!, true)
    view.setBigUint64(user + 0x80, BigInt(v.rflags), true)
    view.setUint16(user + 0x88, ss!, true)
    const far = mode !== 64
    view.setBigUint64(user + 0x90, far ? (BigInt(segments.cs.selector) << 32n) | v.rip : v.rip, true)
    view.setBigUint64(user + 0x98, USER_TEXT + BigInt(far ? ENTER_FAR : ENTER_NEAR), true)
  }

  private explain(result: number): string {
    const at = this.memory.cpu64(0, L.CPU_RIP).toString(16)
    const reason = this.memory.header32(L.HDR_STOP_REASON)
    if (reason === L.STOP_TRIPLE_FAULT) return `triple fault, RIP ${at}h`
    if (reason !== L.STOP_NONE) return `the machine stopped (reason ${reason}), RIP ${at}h`
    if (result === RUN_BUDGET) return `no exception within ${PATIENCE} instructions, RIP ${at}h`
    return `run() answered ${result}, RIP ${at}h, ${this.done} cases begun`
  }

  // --- what lies where -------------------------------------------------------------------------------------------

  private frame(): number {
    const at = this.nextFrame
    this.nextFrame += PAGE
    if (this.nextFrame > 0xa_0000) throw new Error('the vectors need more memory than lies below 640 KiB')
    return at
  }

  /** WebAssembly address of an offset in the kernel's pages. */
  private pointer(offset: number): number {
    return this.physicalOf(KERNEL + BigInt(offset))
  }

  private physicalOf(linear: bigint): number {
    const frame = this.physical.get(Number(linear >> 12n))
    if (frame === undefined) throw new Error(`nothing mapped at ${linear.toString(16)}h`)
    return this.memory.ram + frame + Number(linear & 0xfffn)
  }

  private pml4 = 0

  /** Maps a page of linear memory; an upper-level entry allows everything, the leaf decides. */
  private map(linear: bigint, frame: number, bits: bigint, root = this.pml4): void {
    let table = root
    for (const shift of [39n, 30n, 21n]) {
      const entry = this.memory.ram + table + Number((linear >> shift) & 511n) * 8
      let value = this.view.getBigUint64(entry, true)
      if (!(value & P)) {
        value = BigInt(this.frame()) | P | RW | US
        this.view.setBigUint64(entry, value, true)
      }
      table = Number(value & 0xff_ffff_f000n)
    }
    this.view.setBigUint64(
      this.memory.ram + table + Number((linear >> 12n) & 511n) * 8,
      BigInt(frame) | P | bits,
      true,
    )
    if (root === this.pml4) this.physical.set(Number(linear >> 12n), frame)
  }

  private layOut(): void {
    this.pml4 = this.frame()
    for (const offset of [DESCRIPTORS, IDT, JOB, STACK_TOP - PAGE]) {
      this.map(KERNEL + BigInt(offset), this.frame(), RW | NX)
    }
    this.map(KERNEL + BigInt(ROM_PAGE), ROM_PAGE, 0n)
    this.map(USER_TEXT, ROM_PAGE, US)
    this.map(USER, this.frame(), US | RW | NX)

    const content = background(this.header.windows)
    for (const [index, window] of this.header.windows.entries()) {
      const first = this.nextFrame
      for (let page = 0; page < window.pages.length; page++) this.frame()
      for (const [page, kind] of [...window.pages].entries()) {
        const bits = kind === 'w' ? RW | NX : kind === 'r' ? NX : 0n
        const at = first + page * PAGE
        this.map(window.base + BigInt(page * PAGE), at, US | bits)
        if (kind === 'x') this.map(KERNEL + BigInt(CODE_ALIASES + (index * 2 + page) * PAGE), at, RW | NX)
      }
      const bytes = this.memory.u8.subarray(
        this.memory.ram + first,
        this.memory.ram + first + content[index]!.length,
      )
      bytes.set(content[index]!)
      this.windows.push(bytes)
    }
    this.writeDescriptors()
  }

  private writeDescriptors(): void {
    const { view } = this
    const table = this.pointer(DESCRIPTORS)
    const ldt = DESCRIPTORS + 0x100
    const tss = DESCRIPTORS + 0x200
    const used = this.header.ldt.findLastIndex((raw) => raw !== 0n) + 1
    // As Linux has it: 08h kernel code 32, 10h kernel code 64, 18h kernel data, 20h user code 32, 28h user data,
    // 30h user code 64, 40h TSS, 50h LDT.
    const gdt = [
      0n,
      0x00cf9b000000ffffn,
      0x00af9b000000ffffn,
      0x00cf93000000ffffn,
      0x00cffb000000ffffn,
      0x00cff3000000ffffn,
      0x00affb000000ffffn,
      0n,
      ...systemDescriptor(KERNEL + BigInt(tss), 0x67, 0x89n),
      ...systemDescriptor(KERNEL + BigInt(ldt), used * 8 - 1, 0x82n),
    ]
    for (const [i, raw] of gdt.entries()) view.setBigUint64(table + 8 * i, raw, true)
    for (const [i, raw] of this.header.ldt.entries()) view.setBigUint64(table + ldt + 8 * i, raw, true)
    view.setBigUint64(table + tss + 4, KERNEL + BigInt(STACK_TOP), true) // RSP0
    view.setUint16(table + tss + 102, 0x68, true) // no I/O permission bitmap

    const idt = this.pointer(IDT)
    for (let n = 0; n < 256; n++) {
      const handler = KERNEL + BigInt(ROM_PAGE + 16 * Math.min(n, 31))
      const dpl = n === 3 || n === 4 ? 3n : 0n
      const low = (handler & 0xffffn) | (0x10n << 16n) | ((0x8en | (dpl << 5n)) << 40n)
      view.setBigUint64(idt + 16 * n, low | (((handler >> 16n) & 0xffffn) << 48n), true)
      view.setBigUint64(idt + 16 * n + 8, handler >> 32n, true)
    }

    // The climb into long mode: page tables with what it needs mapped one to one and the kernel, then the final ones.
    const boot = this.frame()
    const gdt32 = this.physical.get(Number((KERNEL + BigInt(DESCRIPTORS)) >> 12n))!
    for (const frame of [0, gdt32, ROM_PAGE]) this.map(BigInt(frame), frame, 0n, boot)
    const ram = this.memory.ram
    const last = 511 * 8
    view.setBigUint64(ram + boot + last, view.getBigUint64(ram + this.pml4 + last, true), true)
    view.setUint16(ram + BOOT, 0x7f, true)
    view.setUint32(ram + BOOT + 2, gdt32, true)
    view.setUint32(ram + BOOT + 8, boot, true)
    view.setUint16(ram + BOOT + 16, 0xfff, true)
    view.setBigUint64(ram + BOOT + 18, KERNEL + BigInt(IDT), true)
    view.setUint16(ram + BOOT + 32, 0x7f, true)
    view.setBigUint64(ram + BOOT + 34, KERNEL + BigInt(DESCRIPTORS), true)
    view.setUint32(ram + BOOT + 48, this.pml4, true)
  }
}

/** The two halves of a 16-byte system descriptor (SDM 3A 7.2.3). */
function systemDescriptor(base: bigint, limit: number, access: bigint): [bigint, bigint] {
  const low =
    BigInt(limit) | ((base & 0xff_ffffn) << 16n) | (access << 40n) | (((base >> 24n) & 0xffn) << 56n)
  return [low, base >> 32n]
}
