// The public face of a machine: what the command line, the Electron main process and the tests use.
//
//   import { createMachine } from '@emulator/machine/machine'
//   import { openMedium } from '@emulator/media/medium'
//
// Everything here is data or a call; nothing blocks. Reading (registers, memory, screen, flags) looks straight into
// the machine's shared memory and never disturbs or stops the guest: while it runs, what is read is a moment's
// view of a moving thing, exact once the machine is paused or stopped.
import type { Medium, MediumKind } from '../media/medium'
import type { DirectBoot } from '../firmware/direct-boot/load'
import type { MachineMemory } from './memory'
import type { Probe } from './probes'

// ---------------------------------------------------------------------------------------------------------
// Units

declare const unit: unique symbol
type Unit<T, Name extends string> = T & { readonly [unit]: Name }

/** Guest-physical address, 0 .. 2^52 - 1. */
export type PhysicalAddress = Unit<number, 'guest-physical'>
/** Guest linear address, 0 .. 2^64 - 1 (unsigned; canonical ones of the upper half are FFFF8000... and up). */
export type LinearAddress = Unit<bigint, 'linear'>
/** A count of retired guest instructions. */
export type Instructions = Unit<bigint, 'instructions'>
/** Machine time: ns since power-on. */
export type Nanoseconds = Unit<bigint, 'ns'>

export const physical = (address: number | bigint) => Number(address) as PhysicalAddress
export const linear = (address: number | bigint) => BigInt.asUintN(64, BigInt(address)) as LinearAddress
export const instructions = (count: number | bigint) => BigInt(count) as Instructions
export const nanoseconds = (time: number | bigint) => BigInt(time) as Nanoseconds

// ---------------------------------------------------------------------------------------------------------
// Configuration

/** fd = floppy drives A and B; hda/hdb = primary master/slave, hdc/hdd = secondary master/slave (ATA, ATAPI). */
export type DriveSlot = 'fda' | 'fdb' | 'hda' | 'hdb' | 'hdc' | 'hdd'

export interface DriveConfig {
  slot: DriveSlot
  /** What kind of drive is there; by the medium when left out (fda and fdb are floppy drives in any case). */
  kind?: MediumKind
  /** An opened image. The machine owns it from `createMachine` on and closes it in `dispose()`. A floppy or CD drive
   *  without one is empty. */
  medium?: Medium | undefined
}

/** A drive as it is now: the guest may have ejected a CD, or locked its drive. */
export interface DriveState {
  slot: DriveSlot
  kind: MediumKind
  /** What lies in it (in an open tray, too). */
  medium: Medium | undefined
  trayOpen: boolean
  /** The guest does not want it to be taken out. */
  locked: boolean
}

export type BootDevice = MediumKind

/** `deterministic`: the CPUs take turns, and the clock is the count of instructions all of them have retired; the same
 *  inputs and seed give the same machine. `parallel`: a thread a CPU, the clock is the host's. */
export type Schedule = 'deterministic' | 'parallel'

export interface MachineConfig {
  /** Guest RAM in bytes, a multiple of 64 KiB, MEMORY_MIN .. MEMORY_MAX. */
  memory: number
  /** 1 to 16. */
  cpus: number
  /** Processor model, and features added or taken away: `v2,+avx` (cpu-model.ts); v3 when left out. */
  cpu?: string
  schedule: Schedule
  /** Decides the order of the vCPUs in the deterministic schedule; no effect with one CPU. */
  seed: bigint
  drives: DriveConfig[]
  /** What the firmware tries, in this order. `auto`: floppy, hard disk, CD; the first that boots. */
  boot: 'auto' | BootDevice | readonly BootDevice[]
  /** A Linux or Multiboot kernel that the firmware starts instead of a boot sector; after a reset it is loaded again. */
  direct?: DirectBoot
  /** A ROM in place of the firmware: at most 128 KiB, whose last byte is the one below 1 MiB and below 4 GiB. No `direct` then. */
  rom?: Uint8Array
  /** What the real-time clock shows at power-on: seconds since 1970, UTC. */
  rtcEpoch: number
  /** true: while the guest halts, machine time does not run ahead of the host's clock (for people looking on);
   *  false: idle time is skipped (for tests, and for a run that ends as soon as it can). No effect on the guest
   *  except through input, whose moment it decides. */
  pace: boolean
}

export const KIB = 1024
export const MIB = 1024 * KIB
export const MEMORY_MIN = 1 * MIB
/** Up to the hole below 4 GiB where devices and the ROM live. */
export const MEMORY_MAX = 3072 * MIB
export const MEMORY_DEFAULT = 256 * MIB

/** The defaults: 256 MiB, one CPU, deterministic, no drive, RTC at 2026-01-01 00:00:00 UTC, paced. */
export function defaultConfig(): MachineConfig {
  return {
    memory: MEMORY_DEFAULT,
    cpus: 1,
    schedule: 'deterministic',
    seed: 0n,
    drives: [],
    boot: 'auto',
    rtcEpoch: Date.UTC(2026, 0, 1) / 1000,
    pace: true,
  }
}

// ---------------------------------------------------------------------------------------------------------
// Life

/** paused: may go on; stopped: for good until `reset()`, `stopInfo` says why; disposed: gone. */
export type MachineState = 'paused' | 'running' | 'stopped' | 'disposed'

export type StopReason = 'pause' | 'step' | 'triple-fault' | 'debug-exit' | 'power-off' | 'internal'

export interface StopInfo {
  reason: StopReason
  /** debug-exit: the value written to port F4h; internal: a code; else 0. */
  value: number
  /** Retired by all CPUs since power-on. */
  instructions: Instructions
  time: Nanoseconds
  /** One sentence for a person. */
  message: string
  /** triple-fault and internal: the full account, several lines of plain text. */
  report?: string
}

export interface MachineEvents {
  /** Bytes the guest sent on a serial port, 0 = COM1 .. 3 = COM4. The array is the listener's to keep. */
  serial: { port: number; bytes: Uint8Array }
  /** Bytes written to the debug console, port E9h. */
  debugcon: { bytes: Uint8Array }
  state: { state: MachineState }
  /** The machine came to rest: after pause(), a step, or for good. All output before it has been delivered. */
  stopped: StopInfo
  /** The host could not read or write an image; the guest saw a disk error and the machine lives on. Reported once
   *  per drive and message. */
  medium: { slot: DriveSlot; message: string }
}

// ---------------------------------------------------------------------------------------------------------
// What can be looked at

export type SegmentName = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'ldtr' | 'tr'

/** A segment register with the hidden part (SDM 3A 3.4.3). */
export interface SegmentRegister {
  name: SegmentName
  selector: number
  base: LinearAddress
  /** In bytes, granularity applied. */
  limit: number
  /** Descriptor bits 40-47 in bits 0-7 and 52-55 in bits 12-15. */
  attributes: number
  type: number
  /** S: true for code and data, false for system descriptors. */
  codeOrData: boolean
  dpl: number
  present: boolean
  /** L, D/B, G. */
  long: boolean
  big: boolean
  granular: boolean
  /** The register holds a null selector in protected mode. */
  unusable: boolean
}

export type CpuMode = 'real' | 'v86' | 'protected16' | 'protected32' | 'compat16' | 'compat32' | 'long64'
export type CpuActivity = 'running' | 'halted' | 'shutdown' | 'wait-for-sipi'

export interface CpuSnapshot {
  index: number
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 .. R15 */
  gpr: bigint[]
  /** Offset in CS of the next instruction. */
  rip: bigint
  /** Linear address of the next instruction. */
  ripLinear: LinearAddress
  rflags: bigint
  segments: Record<SegmentName, SegmentRegister>
  gdtr: { base: LinearAddress; limit: number }
  idtr: { base: LinearAddress; limit: number }
  cr0: bigint
  cr2: bigint
  cr3: bigint
  cr4: bigint
  cr8: bigint
  efer: bigint
  xcr0: bigint
  /** DR0-DR3, DR6, DR7 */
  dr: { dr0: bigint; dr1: bigint; dr2: bigint; dr3: bigint; dr6: bigint; dr7: bigint }
  /** By name as in the SDM (IA32_STAR, IA32_LSTAR, IA32_PAT, ...). */
  msrs: { name: string; index: number; value: bigint }[]
  cpl: number
  mode: CpuMode
  /** Size of the code being executed: 16, 32 or 64. For a disassembler. */
  bits: 16 | 32 | 64
  paging: boolean
  activity: CpuActivity
  /** The next instruction boundary takes no interrupt (after STI or MOV SS). */
  interruptShadow: boolean
  instructions: Instructions
}

export interface Milestone {
  id: number
  /** Short name: BIOS, boot sector, A20, GDT, protected mode, ... */
  name: string
  reached: boolean
  cpu: number
  instructions: Instructions
  time: Nanoseconds
  /** Linear address of the instruction that comes next. */
  rip: LinearAddress
}

/** E820h as the firmware reports it (ACPI 6.5, 15.3: type 1 memory, 2 reserved). */
export interface E820Entry {
  base: PhysicalAddress
  length: number
  type: 1 | 2
}

/** Who answers at a range of guest-physical addresses. Ranges are disjoint and sorted. */
export interface MemoryRegion {
  start: PhysicalAddress
  /** First address behind it. */
  end: PhysicalAddress
  kind: 'ram' | 'rom' | 'video' | 'device'
  name: string
}

export interface TextScreen {
  kind: 'text'
  columns: number
  rows: number
  /** rows * columns pairs: character code, attribute. */
  cells: Uint8Array
  /** 256 glyphs of 32 bytes each, one byte per scan line, bit 7 leftmost. */
  font: Uint8Array
  /** The second font, chosen by attribute bit 3; equal to `font` unless the guest loaded one. */
  font2: Uint8Array
  /** Scan lines per character, 1..32. */
  cellHeight: number
  /** 8 or 9; the ninth column repeats the eighth for codes C0h-DFh when `lineGraphics`. */
  cellWidth: 8 | 9
  lineGraphics: boolean
  /** Attribute bit 7 means blinking (else bright background). */
  blink: boolean
  /** Scan line of the cell that attributes X1h (MDA) are underlined in; not in the cell when they are not. */
  underline: number
  cursor: { visible: boolean; column: number; row: number; start: number; end: number }
  /** 16 colours, RGB, 8 bits each. */
  palette: Uint8Array
}

export interface IndexedScreen {
  kind: 'indexed'
  width: number
  height: number
  /** Width to height of the picture as a monitor shows it: VGA modes fill a 4:3 tube whatever their size. */
  aspect: number
  /** Bits that make a colour: 1, 2, 4 or 8. */
  depth: number
  /** width * height palette indices, one byte per pixel. */
  pixels: Uint8Array
  /** 256 colours, RGB, 8 bits each. */
  palette: Uint8Array
}

export interface RgbScreen {
  kind: 'rgb'
  width: number
  height: number
  aspect: number
  /** Bits of a pixel in video memory: 15, 16, 24 or 32. */
  depth: number
  /** width * height pixels: blue in bits 0-7, green, red; bits 24-31 are anything. */
  pixels: Uint32Array
}

/** Sync is off, or the video hardware has not been set up yet. */
export interface BlankScreen {
  kind: 'blank'
}

export type ScreenSnapshot = TextScreen | IndexedScreen | RgbScreen | BlankScreen

export interface Speed {
  /** Retired by all CPUs since power-on. */
  instructions: Instructions
  /** Machine time since power-on. */
  time: Nanoseconds
  /** Host seconds spent in the state `running` since power-on. */
  seconds: number
  /** Host seconds the guest really executed (halted time left out), summed over the CPUs' threads. */
  busySeconds: number
  /** Millions of instructions per busy host second, since power-on. */
  mips: number
  /** The same over about the last half second; 0 when idle or paused. */
  currentMips: number
}

/** Which buttons of the mouse are down. */
export interface MouseButtons {
  left?: boolean
  right?: boolean
  middle?: boolean
  /** Back and forward, on mice that have them. */
  fourth?: boolean
  fifth?: boolean
}

/** KeyboardEvent.code of the UI Events specification: 'KeyA', 'Enter', 'ArrowUp' ... */
export type KeyCode = string

// ---------------------------------------------------------------------------------------------------------

export interface Machine {
  /** With the schedule as it is now. */
  readonly config: Readonly<MachineConfig>
  readonly state: MachineState
  /** Why it last came to rest; undefined before the first time and while running. */
  readonly stopInfo: StopInfo | undefined
  /** The machine's memory by the layout, for insight functions. */
  readonly memory: MachineMemory

  /** Calls `listener` for every event until the returned function is called. A listener of serial or debugcon may
   *  return a promise: the port gives nothing more until it is settled, and the guest waits when the ring of 32 KiB
   *  behind it is full. */
  on<E extends keyof MachineEvents>(
    event: E,
    listener: (value: MachineEvents[E]) => void | Promise<void>,
  ): () => void

  /** Goes on from where it is. No effect when running; an Error when stopped or disposed. */
  run(): void
  /** Comes to rest at the next instruction boundary (a few ms). Resolves at once when not running. */
  pause(): Promise<StopInfo>
  /** Executes `count` instructions (default 1; a REP iteration is one) of CPU `cpu` (default 0). A halted CPU steps to
   *  what wakes it, or comes to rest where it is when nothing can. The machine must be paused.
   *  Deterministic: the other CPUs take their turns meanwhile, so that a run that is stepped is the run that is not; 'all':
   *  `count` instructions of the machine, of whichever CPU's turn it is. Parallel: the other CPUs stand still; 'all': each
   *  CPU executes `count`. */
  step(count?: number, cpu?: number | 'all'): Promise<StopInfo>
  /** Executes the next instruction of CPU `cpu` (default 0); if that is a CALL, INT n, LOOP or a REP string instruction, to
   *  the instruction behind it (a breakpoint, another stop or `pause()` may come first). The other CPUs run meanwhile. */
  stepOver(cpu?: number): Promise<StopInfo>
  /** Runs all CPUs until CPU `cpu` (default 0) is about to execute the instruction at `address` (linear); at once when it
   *  is. Another stop or `pause()` may come first. */
  runUntil(address: LinearAddress, cpu?: number): Promise<StopInfo>
  /** Switches the log of what happens to translations on or off (emulator/insight/tlb-log.ts, stale-uses.ts, shootdowns.ts).
   *  At any time; what happens from the CPUs' next boundary on is in it. The guest sees nothing of it. */
  watchTlb(on: boolean): void
  /** Switches classes of events on (EVENT_CLASS_* of the layout, all but EVENT_CLASS_TLB) and all others off: what happens
   *  from now on is written into the CPUs' rings (emulator/insight/events). The guest sees nothing of it. */
  watchEvents(classes: number): void
  /** Calls of these functions are told from now on, as events of EVENT_CLASS_PROBE while that is on (the last ones set are the
   *  ones in force, none: nothing is told); so are uses of frames that they have freed. At any time; the guest sees nothing of it.
   *  @param direct linear address at which physical memory is mapped byte for byte, where that is known */
  setProbes(probes: readonly Probe[], direct?: bigint): void
  /** Changes the schedule of a paused machine; its clock goes on from where it is. An Error when it runs. */
  setSchedule(schedule: Schedule): Promise<void>
  /** Resolves when the machine comes to rest; at once when it is at rest. */
  whenStopped(): Promise<StopInfo>
  /** Power-on reset: RAM cleared, devices and CPUs in their power-on state, time at 0. What the guest wrote to its
   *  disks stays. Goes on running if it was running. */
  reset(): Promise<void>
  /** Ends the threads, closes the media and drops what the guest wrote to them. No event comes after it. */
  dispose(): Promise<void>

  /** Bytes for a serial port's receiver, 0 = COM1 .. 3 = COM4. Any length: resolves when the guest's queue has taken
   *  all of them (at once for what a person types). Rejects when the machine is disposed meanwhile. */
  serialInput(port: number, bytes: Uint8Array): Promise<void>
  /** A key of the guest's keyboard goes down or up. false: there is no such key on a PC keyboard, or 1000 events
   *  wait already. The guest's keyboard repeats a held key by itself; reports of a key that is down already are ignored. */
  keyEvent(code: KeyCode, pressed: boolean): boolean
  /** The guest's mouse moves by counts to the right and down, its wheel by notches towards the hand, and its buttons are
   *  as told. false: 1000 events wait already. */
  mouseEvent(dx: number, dy: number, wheel: number, buttons: MouseButtons): boolean
  /** Presses the power button: an operating system that knows ACPI is told and may shut down; a machine that sleeps (S3) wakes;
   *  any other is switched off. */
  powerButton(): void
  /** Types text on a US keyboard, as fast as the guest reads it; resolves when the last key is on its way. An Error
   *  names a character that is on no key. */
  typeText(text: string): Promise<void>

  /** The drives and what is in them now. */
  drives(): DriveState[]
  /** Puts an image into a floppy or CD drive; what was in it is taken out, even if the guest has locked it. The machine
   *  owns the medium from here on. The guest sees it when it takes the input, like a key.
   *  @throws Error when the drive does not take it; the medium is the caller's then */
  insert(slot: DriveSlot, medium: Medium): void
  /** Presses the eject button of a floppy or CD drive. A drive that the guest has locked only tells the guest, unless
   *  `force`. @throws Error when there is no such drive */
  eject(slot: DriveSlot, force?: boolean): void

  cpu(index?: number): CpuSnapshot
  milestones(): Milestone[]
  speed(): Speed
  /** What is on the screen now, as data; the shot is a copy. */
  screen(): ScreenSnapshot

  /** One moment of a running machine: every CPU stands at an instruction boundary while `look` runs, which must not wait
   *  for anything and should take milliseconds. The guest cannot tell in the deterministic schedule; in the parallel one
   *  its clock goes on. Where a CPU does not come within 4 ms (its thread waits for the host) `look` sees what moves. */
  hold<T>(look: () => T): T

  /** Bytes at a guest-physical address, without side effects: RAM, ROM and video memory; elsewhere (devices, nothing)
   *  every byte is FFh. */
  readPhysical(address: PhysicalAddress, length: number): Uint8Array
  /** Bytes at a linear address through the page tables of a CPU as they are in memory (not its TLB), without side
   *  effects. Shorter than `length` when a page is not mapped; empty when the first one is not. */
  readLinear(address: LinearAddress, length: number, cpu?: number): Uint8Array
  /** Changes up to 4096 bytes by hand, in RAM or video memory; code that was translated from there is translated anew. The
   *  machine must be paused. What follows is another run than the one that was not touched.
   *  @throws RangeError where something of the range takes no bytes (what lies before it has been written) */
  writePhysical(address: PhysicalAddress, bytes: Uint8Array): Promise<void>
  /** Guest-physical address behind a linear one, undefined when not mapped. */
  translate(address: LinearAddress, cpu?: number): PhysicalAddress | undefined

  e820(): E820Entry[]
  memoryMap(): MemoryRegion[]
  /** One byte per 4 KiB frame of RAM: FRAME_TOUCHED | FRAME_WRITTEN | FRAME_EXECUTED | FRAME_PAGE_TABLE of the
   *  layout. Pass the last result to have it refilled. */
  frameFlags(into?: Uint8Array): Uint8Array

  /** SHA-256, hex, over the machine's state (DESIGN 5.2): equal machines have equal hashes, on any host. The machine
   *  must not be running. */
  stateHash(): Promise<string>
}
