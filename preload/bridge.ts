// The bridge between the main process and the window, as types. Two verbs: `call` asks the main process for
// something and answers with a promise; `listen` hears what the main process has to tell. Both ends compile against
// this file, and the main process checks every argument at run time besides (main/ipc/checks.ts): the window shows
// an untrusted guest.
import type { NamesState } from '../emulator/insight/symbols/guest-names'
import type { Mnemonic } from '../emulator/insight/sched-lab/program'
import type { Figures, Simulation } from '../emulator/insight/sched-lab/simulate'
import type {
  CpuActivity,
  CpuMode,
  CpuSnapshot,
  E820Entry,
  IndexedScreen,
  MachineState,
  MemoryRegion,
  Milestone,
  Schedule,
  StopInfo,
  TextScreen,
} from '../emulator/machine/api'
import type { AddressSpace } from '../emulator/insight/address-space'
import type { EventWords } from '../emulator/insight/events/event-words'
import type { Colour, FrameStory, LegendEntry, Sample } from '../emulator/insight/frames/frame-observer'
import type { FreeSpace } from '../emulator/insight/lenses/free-space'
import type { Trouble } from '../emulator/insight/lenses/reader'
import type { AllocatorStructure } from '../emulator/insight/lenses/structure'
import type { AllocatorReading, Slab, SlabCache, TaskReading } from '../emulator/insight/lenses/reading'
import type { Finding } from '../emulator/insight/autopsy'
import type { ClimbAccount } from '../emulator/insight/climb/climb'
import type { FpuState } from '../emulator/insight/fpu-state'
import type { InterruptControllers } from '../emulator/insight/interrupt-controllers'
import type { InterruptSummary } from '../emulator/insight/interrupt-ledger'
import type { LocalApic } from '../emulator/insight/local-apic'
import type { SearchStep } from '../emulator/insight/memory-search'
import type { MemorySpace, MemoryWindow } from '../emulator/insight/memory-window'
import type { Overlay } from '../emulator/insight/overlays/overlay'
import type { FoundSymbol } from '../emulator/insight/symbols/find-symbols'
import type { AccessOutcome } from '../emulator/insight/page-access'
import type { EntryField } from '../emulator/insight/page-table-entry'
import type { PagingKind } from '../emulator/insight/page-walk'
import type { Shootdown } from '../emulator/insight/shootdowns'
import type { SpaceDifference } from '../emulator/insight/space-difference'
import type { StaleUse } from '../emulator/insight/stale-uses'
import type { TlbContents } from '../emulator/insight/tlb-contents'
import type { Moment } from '../emulator/insight/tlb-log'
import type { TlbBelief } from '../emulator/insight/tlb-lookup'
import type { RgbRuns, TileUpdate } from '../emulator/machine/screen-tracker'

export type { AddressSpace, MappedRange, TableNode } from '../emulator/insight/address-space'
export type { Evidence, Finding } from '../emulator/insight/autopsy'
export type { RegisterChange } from '../emulator/insight/climb/changes'
export type { ClimbAccount, StageAccount } from '../emulator/insight/climb/climb'
export type { Colour, FrameStory, LegendEntry, Sample } from '../emulator/insight/frames/frame-observer'
export type { Mapping } from '../emulator/insight/frames/reverse-map'
export type { FreeSpace } from '../emulator/insight/lenses/free-space'
export type { AllocatorStructure } from '../emulator/insight/lenses/structure'
export type { AllocatorReading, Slab, SlabCache } from '../emulator/insight/lenses/reading'
export type { FpuState } from '../emulator/insight/fpu-state'
export type { Message, Route } from '../emulator/insight/interrupt-flow'
export type {
  CpuInterrupts,
  InterruptControllers,
  IoApicInput,
  PicInput,
} from '../emulator/insight/interrupt-controllers'
export type { Interrupt, InterruptWay } from '../emulator/insight/interrupt-ledger'
export type { LocalApic } from '../emulator/insight/local-apic'
export type { SearchStep } from '../emulator/insight/memory-search'
export type { MemorySpace } from '../emulator/insight/memory-window'
export type { Overlay, OverlayItem, OverlayLink } from '../emulator/insight/overlays/overlay'
export type { FoundSymbol } from '../emulator/insight/symbols/find-symbols'
export type { AccessOutcome } from '../emulator/insight/page-access'
export type { EntryField } from '../emulator/insight/page-table-entry'
export type { TlbContents, TlbRange } from '../emulator/insight/tlb-contents'
export type { PagingKind } from '../emulator/insight/page-walk'
export type {
  Difference,
  DifferenceKind,
  Mapped,
  SpaceDifference,
} from '../emulator/insight/space-difference'
export type { Simulation } from '../emulator/insight/sched-lab/simulate'
export type {
  CpuActivity,
  CpuMode,
  CpuSnapshot,
  E820Entry,
  IndexedScreen,
  MachineState,
  MemoryRegion,
  Milestone,
  RgbScreen,
  Schedule,
  SegmentName,
  SegmentRegister,
  StopInfo,
  StopReason,
  TextScreen,
} from '../emulator/machine/api'
export type { IndexedTiles, RgbRuns, RgbTiles, TileUpdate } from '../emulator/machine/screen-tracker'

// ---------------------------------------------------------------------------------------------------------
// The document of a window

/** Why something did not work, in the words of people: what was wrong, where, what to do about it. */
export interface Failure {
  what: string
  where: string
  remedy: string
}

export interface DriveSummary {
  slot: string
  /** Bytes of the image. */
  size: number
  /** What the image was recognised as, e.g. "floppy 1.44 MB". */
  description: string
}

export interface MachineSummary {
  /** Bytes of guest RAM. */
  memory: number
  cpus: number
  schedule: Schedule
  seed: bigint
  drives: DriveSummary[]
  regions: MemoryRegion[]
  e820: E820Entry[]
}

export interface ImageChoice {
  kind: 'floppy' | 'disk' | 'cdrom'
  path: string
}

/** What a document's machine is made of; remembered per document, and counts from the next power-on. */
export interface MachineSettings {
  /** 1 to 16. */
  cpus: number
  /** Bytes, a multiple of 64 KiB. */
  memory: number
  /** Processor model and features: `v2,+avx`. */
  cpu: string
  schedule: Schedule
  /** A decimal number of at most 64 bits. */
  seed: string
  /** What to boot from, in order; empty: whatever boots. */
  boot: ('floppy' | 'disk' | 'cdrom')[]
  /** Images beside the document's own. */
  images: ImageChoice[]
  /** For a kernel: Linux's initial RAM disks, or Multiboot modules (`FILE TEXT`). */
  initrd: string[]
  /** For a kernel: its command line. */
  append: string
}

export interface KernelSummary {
  /** A bzImage; else by Multiboot. */
  linux: boolean
  description: string
}

/** A drive whose medium can be changed. */
export interface RemovableDrive {
  slot: string
  kind: 'floppy' | 'cdrom'
  /** Name of the image in it, empty when there is none. */
  medium: string
}

/** A CPU in a word. */
export interface CpuBrief {
  ring: number
  activity: CpuActivity
}

export type DocumentView =
  | { kind: 'empty' }
  /** `reading`: a large file that its machine is given, and how much of all of them has been read, 0 to 1. */
  | { kind: 'loading'; path: string; name: string; reading?: { file: string; done: number } }
  | { kind: 'failed'; path: string; name: string; failure: Failure }
  /** A kernel, before it is started: what it is to be given can be chosen. */
  | { kind: 'kernel'; path: string; name: string; kernel: KernelSummary; settings: MachineSettings }
  | {
      kind: 'open'
      path: string
      name: string
      machine: MachineSummary
      settings: MachineSettings
      /** The panels of last time, as the window saved them; empty when there is none. */
      layout: string
      kernel?: KernelSummary
    }
  | { kind: 'lab'; path: string; name: string; lab: LabFile }

/** The scheduler lab: programs, and how they are to be run. */
export interface LabProgram {
  name: string
  code: readonly Mnemonic[]
}

export interface LabPlan {
  scheduler: string
  quantum: number
  sleep: number
  boost: number
  tasks: { program: number; arrival: number; priority: number }[]
}

export interface LabFile {
  programs: LabProgram[]
  plan: LabPlan
  schedulers: { id: string; name: string; rule: string; preemptive: boolean }[]
}

export interface LabRun {
  simulation: Simulation
  /** The figures of every scheduler on the same tasks. */
  comparison: ({ id: string } & Figures)[]
}

export interface RecentFile {
  path: string
  name: string
  /** The folder, with the home folder as ~. */
  folder: string
  /** ms since 1970. */
  opened: number
  /** The file is (no longer) there. */
  missing: boolean
}

// ---------------------------------------------------------------------------------------------------------
// What is drawn. Every part of a frame is sent only when it changed, and dense ones only while somebody looks.

/** Readouts of the title and the status bar. */
export interface Status {
  state: MachineState
  /** Why it last came to rest; absent while running and before the first time. */
  stop?: StopInfo
  instructions: bigint
  /** Machine time in ns. */
  time: bigint
  /** Millions of instructions per second, about the last half second; 0 when the guest is idle. */
  mips: number
  /** Bytes through COM1, as the guest sees it. */
  sent: number
  received: number
  /** Bytes that each serial port has sent. */
  ports: number[]
  /** Where each serial port is a terminal device of the host. */
  devices: (string | undefined)[]
  /** The host's shell: not opened, running, or the exit status it ended with. */
  shell: 'none' | 'running' | number
  /** What the host could not read or write of an image, newest last. */
  mediumTroubles: string[]
  /** Every CPU, in order. */
  cpus: CpuBrief[]
  schedule: Schedule
  removable: RemovableDrive[]
  /** Lights of the keyboard that are lit: 1 Scroll Lock, 2 Num Lock, 4 Caps Lock. */
  leds: number
  /** What goes on beside the machine and takes long. */
  work: Work[]
  /** A CPU that will do nothing any more although nothing failed: halted with interrupts off, or in a jump to itself. */
  stuck?: Finding
}

/** Something that takes more than half a second, and can be stopped. */
export interface Work {
  id: number
  /** `Reading the symbols of kernel.elf` */
  title: string
  /** 0 to 1. */
  done: number
}

/** Bytes from `start` (a count from the beginning). `skipped` bytes before it came faster than anyone reads. */
export interface ByteChunk {
  start: number
  skipped: number
  bytes: Uint8Array
}

/** Of a serial port, 0 = COM1, since power-on. */
export type SerialChunk = ByteChunk & { port: number }

/** A text screen; the glyphs come along only when they are new. */
export type TextUpdate = Omit<TextScreen, 'font' | 'font2'> & {
  fonts?: { font: Uint8Array; font2: Uint8Array }
}
/** Pictures come whole when they are new, then as the tiles of them that changed. */
export type ScreenUpdate = TextUpdate | IndexedScreen | RgbRuns | TileUpdate | { kind: 'blank' }

/** What the guest's speaker does up to a moment. */
export interface SpeakerUpdate {
  /** ns of machine time. */
  time: bigint
  /** Five numbers a change, oldest first: ns of machine time; pulses of 1.193182 MHz out and in by turns; pulses to the next movement;
   *  1 out, 0 in (emulator/machine/speaker.ts). */
  changes: Float64Array<ArrayBuffer>
  /** It goes on moving by itself. */
  moving: boolean
  /** Hertz. */
  tone?: number
}

export interface CodeLine {
  /** Offset in CS. */
  offset: bigint
  bytes: Uint8Array
  /** Mnemonic and operands, NASM syntax. */
  text: string
  /** Offset in CS of the branch's target, for near branches. */
  target?: bigint
  /** By the guest's symbols: what begins here, what the target is called, and the line of the source. */
  label?: string
  targetLabel?: string
  source?: string
}

export interface CodeListing {
  /** Offset in CS of the next instruction to execute. */
  rip: bigint
  selector: number
  base: bigint
  bits: 16 | 32 | 64
  protectedMode: boolean
  lines: CodeLine[]
  /** Nothing is mapped at the address. */
  unmapped: boolean
  /** The file with the guest's symbols, and whether it is that of the running code. */
  names?: NamesState
  /** Where RIP is, by them: `kmain+1Ch`. */
  here?: string
}

/** One paging-structure entry on the way from a linear address to a physical one. */
export interface PageTableStep {
  /** PML4E, PDPTE, PDE, PTE */
  name: string
  level: number
  /** Which entry of its table. */
  index: number
  /** Guest-physical address of the entry; absent for a PDPTE that the processor holds. */
  at?: bigint
  /** With the what-if applied; absent when its table lies outside memory. */
  entry?: bigint
  present: boolean
  leaf: boolean
  fields: EntryField[]
  /** Bits that the what-if changed. */
  changed: bigint
}

/** The walk of one address, what it allows, and what the TLB believes. */
export interface PagesView {
  cpu: number
  kind: PagingKind
  cr3: bigint
  linear: bigint
  canonical: boolean
  steps: PageTableStep[]
  /** Guest-physical; absent when the walk does not arrive. */
  physical?: bigint
  pageSize: number
  writable: boolean
  user: boolean
  executable: boolean
  /** Read, write, execute in ring 0, then in ring 3; with the what-if applied. */
  outcomes: AccessOutcome[]
  /** Without the what-if, while there is one. */
  outcomesNow?: AccessOutcome[]
  /** What the CPU's TLB holds for the address; absent when it would walk. */
  tlb?: TlbBelief & { stale: string[] }
}

/** What of a CPU is looked at now and then. */
export interface CpuDetails {
  cpu: number
  fpu: FpuState
  /** ST(0) to ST(7) as numbers. */
  st: string[]
  apic: LocalApic
}

/** Bytes of memory, what answers for them, and what they mean. */
export interface HexView extends MemoryWindow {
  /** Through whose page tables linear addresses go. */
  cpu: number
  overlays: Overlay[]
  /** Why the overlay that was asked for is not there. */
  problem?: string
}

/** Flags of guest frames (4 KiB): all of them, or those that changed. */
export type FrameFlagsUpdate =
  | { kind: 'all'; flags: Uint8Array }
  | { kind: 'changed'; frames: Uint32Array; flags: Uint8Array }

/** A byte per frame: all of them, or those that changed. */
export type ByteColumnUpdate =
  | { kind: 'all'; values: Uint8Array }
  | { kind: 'changed'; at: Uint32Array; values: Uint8Array }

/** The lens that a kernel's allocators are read through. */
export interface LensState {
  /** File name; empty when there is none. */
  file: string
  kernel: string
  /** none: there is no lens; broken: it cannot be used, `problem` says why; waiting: the kernel has not set up what the lens
   *  points at, or no code of its file has been seen yet; ready: what is shown is the kernel's own. */
  state: 'none' | 'broken' | 'waiting' | 'ready'
  problem?: string
}

/** An address of code with its name, where there is one. */
export interface NamedCode {
  address: bigint
  label: string
}

/** A call that gave out memory or took it back, or a use of it. */
export interface NamedCall {
  /** Machine time, ms, and instructions that the CPU had retired. */
  time: number
  retired: number
  cpu: number
  /** Who called (of a use: the instruction), then the callers behind it. */
  stack: NamedCode[]
}

/** What is known of a kernel's allocations call by call, since somebody looks. */
export interface AllocationsView {
  /** Who tells: the kernel itself by the debug port, or probes of its functions. */
  source: 'port' | 'probes'
  /** Functions that are probed, and what was asked for in vain. */
  probes: string[]
  allocations: number
  frees: number
  failed: number
  /** Events that came too fast. */
  lost: number
  /** Frames that look leaked, the oldest first, and how many there are. */
  leaks: { frame: number; why: 'never touched' | 'owner gone'; by: NamedCall }[]
  leaked: number
  doubleFrees: { pool: string; address: bigint; frame?: number; again: NamedCall; before: NamedCall }[]
  uses: { frame: number; address: number; linear: bigint; write: boolean; by: NamedCall; freed?: NamedCall }[]
}

/** What a kernel's allocators make of physical memory. */
export interface AllocatorView {
  lens: LensState
  colour: Colour
  /** Index into the legend, by frame; absent when no shade has changed. */
  shades?: ByteColumnUpdate
  legend: LegendEntry[]
  space: FreeSpace
  allocators: AllocatorReading[]
  caches: SlabCache[]
  tasks: TaskReading[]
  /** By CPU, what runs there as far as the lens knows: `sh (80)`, `idle`. */
  running: string[]
  /** What the kernel counts itself, by its own names, KiB. */
  counters: { name: string; kib: number }[]
  /** What could not be read. */
  troubles: Trouble[]
  samples: Sample[]
  /** What is known of its allocations call by call. */
  said?: AllocationsView
  /** Frames that are free although a program still maps them: how many, and some of them. */
  stillMapped: { count: number; frames: number[] }
  /** Without a lens: what looks like an allocator, and why. */
  guesses?: { kind: 'bitmap' | 'free-list' | 'buddy'; at: bigint; evidence: string[] }[]
  /** Page tables that are followed, and whether some were left out. */
  tables: number
  tablesLeftOut: boolean
  /** Machine time of the look, ms, and how long it took on the host, ms. */
  time: number
  cost: number
}

export type NamedMoment = Moment & { where?: string }
/** A TLB shootdown; of its changes at most 16 of `changed`. */
export type NamedShootdown = Omit<Shootdown, 'changes' | 'began'> & {
  changes: (Omit<Shootdown['changes'][number], 'at'> & { at: NamedMoment })[]
  changed: number
  began: NamedMoment
}
export type NamedStaleUse = Omit<StaleUse, 'used' | 'changed'> & {
  used: NamedMoment
  changed: NamedMoment | undefined
}

/** The TLB shootdowns that were seen since somebody looks. Times in ns. */
export interface ShootdownsView {
  count: number
  median: number
  most: number
  slowest: NamedShootdown[]
  latest: NamedShootdown[]
  /** Uses of translations that nobody has shot down, newest first. */
  stale: NamedStaleUse[]
  /** Records that were overwritten before they could be read. */
  lost: number
}

/** An event in words. */
export type EventRow = EventWords & {
  sequence: number
  /** Machine time, ns. */
  time: number
  /** Retired by its CPU. */
  retired: number
  cpu: number
  /** EVENT_CLASS_* */
  group: number
  /** What the code is called. */
  where?: string
}

/** The events that a filter lets through, as far as the panel shows them. */
export interface EventsView {
  /** Which of the matching ones the first row is. */
  at: number
  rows: EventRow[]
  matching: number
  /** Events that are kept, and those that have fallen out because there is room for `capacity`. */
  kept: number
  fallen: number
  capacity: number
  /** Came faster than they could be taken. */
  lost: number
  /** How many of each class there were. */
  counts: { group: number; count: number }[]
}

/** The ways of interrupts since somebody looks, and the controllers as they are now. */
export interface InterruptsView extends InterruptSummary {
  controllers: InterruptControllers
  /** What the guest's gates lead to, by its symbols. */
  handlers: { vector: number; name: string }[]
  /** Events that came faster than they could be taken: some paths are not whole. */
  lost: number
}

/** A CPU beside the others. */
export interface CpuRow {
  cpu: number
  activity: CpuActivity
  ring: number
  mode: CpuMode
  /** Linear address of the next instruction, and what is there. */
  rip: bigint
  where?: string
  rflags: bigint
  cr3: bigint
  paging: boolean
  instructions: bigint
  /** Of the instructions of all CPUs of late, 0 to 1. */
  share: number
  /** Vectors that wait in the local APIC, and those in service; ascending. */
  requested: number[]
  inService: number[]
  taskPriority: number
}

export interface Frame {
  sequence: number
  /** Power-ons of this machine: everything shown of an earlier one is history. */
  epoch: number
  status?: Status
  climb?: Milestone[]
  cpu?: CpuSnapshot
  screen?: ScreenUpdate
  code?: CodeListing
  frames?: FrameFlagsUpdate
  /** Who answers where in physical memory, when that has changed. */
  regions?: MemoryRegion[]
  pages?: PagesView
  hex?: HexView
  details?: CpuDetails
  space?: AddressSpace
  tlb?: TlbContents
  allocator?: AllocatorView
  events?: EventsView
  interrupts?: InterruptsView
  cpus?: CpuRow[]
  shootdowns?: ShootdownsView
  serial?: SerialChunk
  shell?: ByteChunk
  speaker?: SpeakerUpdate
}

/** What the window shows at the moment, so that the main process reads and sends nothing else. */
export interface Interest {
  screen: boolean
  /** The port that the console shows, 0 = COM1. */
  serial: false | number
  shell: boolean
  cpu: boolean
  /** FPU, vector registers and local APIC as well. */
  details: boolean
  /** The CPU that the panels follow and that is stepped. */
  chosen: number
  memory: boolean
  /** `at` is an offset in CS as hexadecimal digits; without it the listing follows RIP. `bits`: the code there is of this size,
   *  whatever the CPU executes now. */
  code: false | { lines: number; before: number; at?: string; bits?: 16 | 32 | 64 }
  /** The CPU whose TLB is shown. */
  tlb: false | number
  /** Changes of translations are watched, and shootdowns told. */
  shootdowns: boolean
  /** The paths of interrupts are watched, and told with the controllers; the last ones only of these ways (InterruptWay.id), when
   *  there are any. */
  interrupts: false | { ways: number[] }
  /** All CPUs side by side. */
  cpus: boolean
  /** What the allocator heatmap colours its cells by. */
  allocator: false | Colour
  /** `classes` (EVENT_CLASS_*) are switched on and shown; `rows` of them from number `at` on, or the last ones; only those of a CPU,
   *  or between two times (ms), when that is said. */
  events: false | { classes: number; rows: number; at?: number; cpu?: number; from?: number; to?: number }
  /** `at` is a linear address as hexadecimal digits; without it the walk follows RIP. `changes`: bits of the entry of
   *  a level that are taken to be the other way round, as hexadecimal digits. */
  pages: false | { at?: string; changes: { level: number; bits: string }[] }
  /** `at` is the address of the first row as hexadecimal digits. `overlay`: what the processor's tables and the symbols
   *  say, or a type of the debugging information from `base` on. */
  hex:
    | false
    | {
        space: MemorySpace
        at: string
        rows: number
        overlay: false | { auto: true } | { type: string; base: string }
      }
}

/** The other names of an address. */
export interface Located {
  /** Linear addresses that lead there, some of them; none: it is not mapped. */
  linear: bigint[]
  /** Guest-physical; absent when the linear address is not mapped. */
  physical?: bigint
  /** Guest-physical address of the page-table entry that maps it, or where the walk ended. */
  entry?: bigint
  /** Level of the page table that it lies in, 1 page table .. 5. */
  table?: number
}

/** An address space that can be compared: one that is live, by its CR3 (hexadecimal digits), or the followed CPU's as it was
 *  at the last rest (while the machine rests: the one before), or when somebody asked for it. */
export type SpaceSide = { cr3: string } | { moment: 'rest' | 'asked' }

export interface SpaceChoices {
  spaces: { cr3: string; name: string }[]
  /** CR3 of the followed CPU. */
  now: string
  /** Machine time in ms. */
  moments: { which: 'rest' | 'asked'; cr3: string; time: number }[]
}

/** Everything about one 4 KiB frame of guest memory. */
export interface FrameFacts {
  frame: number
  flags: number
  /** Machine time of the last translation made for it, ms; undefined when there was none. */
  lastTranslation?: number
  region: string
  /** Its first 16 bytes. */
  bytes: Uint8Array
  /** Bytes that are not zero. */
  used: number
  /** What the kernel's allocator says of it and where it is mapped, while somebody looks at the allocator. */
  story?: FrameStory
}

/** One step on the way to a triple fault, or the one exception that a report is about. */
export interface FaultStep {
  /** E.g. "#NP segment not present, error code 0008". */
  title: string
  /** Why, in one or two sentences. */
  text: string
  /** The instruction: where it is, as the guest addresses it (0008:00007C4A), and what it is. */
  at?: string
  instruction?: string
  /** What was looked up and found: table entries, page-table entries; one line each. */
  found: { what: string; value: string }[]
  registers: { name: string; value: bigint; digits: number }[]
}

/** A triple fault or an internal stop, told to a person. */
export interface FaultAccount {
  kind: 'triple-fault' | 'internal'
  /** The CPU that has shut down, where there are several. */
  cpu?: number
  /** What went wrong, in one sentence. */
  sentence: string
  /** What it looks like, the likeliest first. */
  findings: Finding[]
  steps: FaultStep[]
  /** Facts that belong to the whole, e.g. where IDTR points. */
  context: { what: string; value: string }[]
  /** The whole as plain text, for the clipboard and for a bug report. */
  report: string
}

// ---------------------------------------------------------------------------------------------------------
// The two verbs

/** `step` and `stepOver` are of the CPU that is followed (Interest.chosen), `stepAll` of all. */
export type MachineCommand = 'run' | 'pause' | 'step' | 'stepAll' | 'stepOver' | 'reset' | 'powerButton'

/** What the menu asks the window to do. */
export type WindowCommand =
  | 'palette'
  | 'places'
  | 'resetLayout'
  | `preset.${string}`
  | `show.${string}`
  | 'screenshot'
  | 'settings'
  | 'preferences'
  | 'tour'
  | 'copyScreen'

export type Theme = 'system' | 'light' | 'dark'

/** What the user has chosen for all documents. */
export interface Preferences {
  theme: Theme
  /** Of text and everything with it, percent. */
  textSize: 80 | 90 | 100 | 110 | 125 | 150
  /** reduced: nothing moves by itself, whatever the system says. */
  motion: 'system' | 'reduced'
  /** The guest's speaker is heard. */
  sound: boolean
  /** Whether the page may open a shell of the host: after asking, at once, or not at all. */
  shell: 'ask' | 'allow' | 'never'
  /** Symbols and a lens are looked for beside the image. */
  symbolsBeside: boolean
  lensBeside: boolean
  /** Of documents that have no settings of their own. */
  machine: Pick<MachineSettings, 'memory' | 'cpus' | 'cpu' | 'schedule'>
}

/** Guests that ship with Ringside. */
export type SampleGuest = 'seedling' | 'first-light' | 'kiln'

export interface Hello {
  version: string
  platform: string
  hasSample: boolean
  /** The tour was taken or skipped before. */
  tourTaken: boolean
  /** This window is to begin with the tour. */
  tour: boolean
}

export interface Calls {
  /** The page is ready: events start to come. */
  hello: () => Hello
  'document.open': (path: string) => void
  /** Asks the user for a file. */
  'document.choose': () => void
  'document.sample': (sample: SampleGuest) => void
  /** The tour is over or was skipped: it does not begin by itself again. */
  'tour.taken': () => void
  /** Applies to all windows at once. More rights for the page are asked for in a dialog of the system. @returns what was taken */
  'preferences.set': (preferences: Preferences) => Preferences
  /** Whether the file manager opens images and kernels in Ringside; undefined: on this system it cannot be chosen here. */
  associated: () => boolean | undefined
  /** Asks the user, then lets it or no longer. @returns how it is now */
  'associated.set': (on: boolean) => boolean
  /** Forgets how the panels of all documents were laid out. */
  'layouts.forget': () => void
  /** Shows the image in the system's file manager. */
  'document.reveal': () => void
  'recent.forget': (path: string) => void
  /** Asks the user for the file with the guest's symbols. */
  'symbols.choose': () => void
  /** Opens the sample of the scheduler lab. */
  'lab.sample': () => void
  /** Runs the tasks of the lab that is open in this window. */
  'lab.run': (plan: LabPlan) => LabRun
  /** Reads further programs; asks the user for them when there are no paths. Answers all programs. */
  'lab.add': (paths: string[]) => LabProgram[]
  /** Asks where, and writes the plan as a lab document there. @returns its name; undefined when nobody wanted it */
  'lab.save': (plan: LabPlan) => string | undefined
  /** Remembers the settings of the document; they count from the next power-on. */
  'settings.save': (settings: MachineSettings) => void
  /** The same, and powers the machine on with them (again). */
  'settings.start': (settings: MachineSettings) => void
  /** Asks the user for a file; nothing when they changed their mind. */
  'settings.file': (what: 'initrd' | 'disk' | 'cdrom' | 'floppy') => string | undefined
  /** Changes the schedule of a paused machine. */
  schedule: (schedule: Schedule) => void
  /** Asks for an image and puts it into a drive. */
  'drive.insert': (slot: string) => void
  'drive.eject': (slot: string) => void
  machine: (command: MachineCommand) => void
  /** Text typed at the console of a serial port. */
  'serial.input': (port: number, text: string) => void
  /** Makes a serial port a terminal device of the host, or ends that. */
  'serial.device': (port: number, on: boolean) => void
  /** Opens a shell of the host in the image's folder, if the user agrees; false when not. */
  'shell.open': (columns: number, rows: number) => boolean
  'shell.input': (text: string) => void
  'shell.resize': (columns: number, rows: number) => void
  /** KeyboardEvent.code, down or up. */
  key: (code: string, pressed: boolean) => void
  /** The guest's mouse: counts to the right and down, notches of the wheel towards the hand, MouseEvent.buttons. */
  mouse: (dx: number, dy: number, wheel: number, buttons: number) => void
  /** The guest's screen has the keyboard: menu shortcuts go to the guest, too. */
  capture: (on: boolean) => void
  interest: (interest: Interest) => void
  /** Every stage of the climb, with what did it, what that changed, and what was skipped or botched. */
  'climb.account': () => ClimbAccount
  'memory.frame': (frame: number) => FrameFacts
  /** Bytes from an address (hexadecimal digits) on; only those that are there, so they may be fewer or none. */
  'memory.bytes': (space: MemorySpace, at: string, length: number) => Uint8Array
  /** What else an address (hexadecimal digits) is: its frame, where it is mapped and by which entry. */
  'memory.locate': (space: MemorySpace, at: string) => Located
  /** The address spaces that can be compared. */
  'spaces.choices': () => SpaceChoices
  /** What the page tables of a CR3 (hexadecimal digits; empty: that of the followed CPU) map; the tree is left out. */
  'spaces.read': (cr3: string) => AddressSpace
  /** Keeps the address space of the followed CPU as it is now, to compare with later. */
  'spaces.remember': () => void
  'spaces.difference': (a: SpaceSide, b: SpaceSide) => SpaceDifference
  /** The slabs of a slab cache, by its number in AllocatorView.caches; those that fit. */
  'allocator.slabs': (cache: number) => Slab[]
  /** How an allocator keeps what is free, by its number in AllocatorView.allocators. */
  'allocator.structure': (allocator: number) => AllocatorStructure | undefined
  /** Writes a guess as a lens file where the user wants it, and reads the allocators through it. */
  'lens.guess': (guess: number) => void
  /** Asks the user for a lens file. */
  'lens.choose': () => void
  /** Looks for bytes from an address (hexadecimal digits) upwards, a bounded step of it. */
  'memory.search': (space: MemorySpace, from: string, pattern: Uint8Array) => SearchStep
  /** Changes memory of a paused machine. */
  'memory.write': (space: MemorySpace, at: string, bytes: Uint8Array) => void
  /** Symbols of the guest by a part of their names, the best first. */
  'symbols.find': (query: string) => FoundSymbol[]
  /** Stops something of Status.work. */
  'work.cancel': (id: number) => void
  'layout.save': (layout: string) => void
  'clipboard.text': (text: string) => void
  /** Saves a PNG where the user says; answers the path, or nothing when the user changed their mind. */
  'screenshot.save': (png: Uint8Array) => string | undefined
  theme: (theme: Theme) => void
}

export interface Events {
  document: DocumentView
  recent: RecentFile[]
  frame: Frame
  fault: FaultAccount | undefined
  preferences: Preferences
  command: WindowCommand
}

export type CallName = keyof Calls
export type EventName = keyof Events

/** What the preload script puts into the page. Events come by a MessagePort, see preload/index.ts. */
export interface Bridge {
  call<Name extends CallName>(name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>>
  /** Path of a file that the user dropped on the window; empty when it is not a file on disk. */
  pathOf(file: File): string
}

/** What travels on the port, main process to page. */
export type EventMessage = { [Name in EventName]: { name: Name; value: Events[Name] } }[EventName]
/** What travels on the port, page to main process: a frame has been drawn. */
export interface Acknowledgement {
  drawn: number
}
