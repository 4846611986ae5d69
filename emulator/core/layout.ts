// The one description of a machine's memory. A machine is ONE shared WebAssembly.Memory; everything that
// exists in it lies at an address given here. Both sides compile against this file: the AssemblyScript core
// (load<T>(base, OFFSET)) and the TypeScript around it (typed views). It holds plain integer constants only,
// so that it is valid in both languages. Both sides assert LAYOUT_VERSION and the sizes below at start.
//
// "State" marks what a snapshot and the state hash cover; the rest is bookkeeping that may be dropped at any
// instruction boundary without effect on the guest (DESIGN 5.2).

export const LAYOUT_MAGIC = 0x4e495352 // 'RSIN'
export const LAYOUT_VERSION = 1

export const PAGE_SIZE = 4096
export const WASM_PAGE_SIZE = 65536

// ---------------------------------------------------------------------------------------------------------
// Regions of the memory (WebAssembly addresses)

/** Static data of core.wasm: constant tables only, rewritten identically by every instance. */
export const CORE_DATA = 0x0000_0400
export const CORE_DATA_END = 0x0001_0000
/** The machine header, see HDR_*. */
export const HEADER = 0x0001_0000
/** Device blocks (state), see DEV_*. */
export const DEVICES = 0x0001_1000
export const DEVICES_END = 0x0002_0000
/** The input queue: everything from outside comes in here, see INPUT_*. */
export const INPUT_QUEUE = 0x0002_0000
/** Output rings to the host, see RING_*; one per COM port, then the debug console (port E9h). */
export const OUTPUT_RINGS = 0x0003_0000
export const OUTPUT_RING_STRIDE = 0x0001_0000
export const RING_COM1 = 0
export const RING_COM2 = 1
export const RING_COM3 = 2
export const RING_COM4 = 3
export const RING_DEBUGCON = 4
export const OUTPUT_RING_COUNT = 5
/** Block-device table and requests to the block I/O thread, see DRIVE_* and BLOCK_*. */
export const DRIVES = 0x0009_0000
export const BLOCK_REQUESTS = 0x0009_1000
/** Transfer buffers of the block requests: one of 128 KiB per request slot. */
export const BLOCK_BUFFERS = 0x0010_0000
export const BLOCK_BUFFER_SIZE = 0x0002_0000
export const BLOCK_BUFFERS_END = 0x0020_0000
/** System ROM: the last ROM_SIZE bytes below 1 MiB and below 4 GiB of the guest's physical space. */
export const ROM = 0x0020_0000
export const ROM_SIZE = 0x0002_0000
/** More device blocks (state), see DEV_* */
export const PLATFORM = 0x0050_0000
export const PLATFORM_END = 0x0052_0000
/** Milestones of the climb (not state): MILESTONE_COUNT records of MILESTONE_SIZE, each written once, by the core; then a record per
 *  vCPU in which it notes what it was before the instruction under way */
export const MILESTONES = 0x0053_0000
export const CLIMB_NOTES = 0x0055_0000
export const CLIMB_NOTES_END = 0x0056_0000
/** What the speaker was told to do (not state), newest last: u32 count ever, then SPEAKER_COUNT records in a ring */
export const SPEAKER_LOG = 0x0056_0000
export const SPEAKER_LOG_END = 0x0057_0000
export const SPEAKER_RECORDS = 0x0056_0100
export const SPEAKER_COUNT = 1024 // power of two
export const SPEAKER_SIZE = 32
export const SPEAKER_TIME = 0 // u64 ns of machine time
export const SPEAKER_HIGH = 8 // u32, pulses of 1.193182 MHz that the cone is out in each period; 0: it moves once at most
export const SPEAKER_LOW = 12 // u32, the same for in
export const SPEAKER_LEFT = 16 // u32, pulses to the next movement; 0: it stays where it is
export const SPEAKER_LEVEL = 20 // u32, 1 out, 0 in: where the cone is at SPEAKER_TIME
/** Log of what happened to translations, of all CPUs in one order (not state): u64 count ever, then TLB_LOG_COUNT records */
export const TLB_LOG = 0x0030_0000
export const TLB_LOG_RECORDS = 0x0030_1000
export const TLB_LOG_COUNT = 16384 // power of two
export const TLB_LOG_SIZE = 64
export const TLB_LOG_KIND = 0 // u16, TLB_LOG_KIND_*
export const TLB_LOG_CPU = 2 // u16
export const TLB_LOG_FLAGS = 4 // u32, by kind
export const TLB_LOG_RETIRED = 8 // u64
export const TLB_LOG_TIME = 16 // u64 ns
export const TLB_LOG_RIP = 24 // u64
export const TLB_LOG_A = 32 // u64[4], by kind
export const TLB_LOG_KIND_CHANGE = 1 // a page-table entry was changed; a: its address, b: old, c: new, d: its number; flags: 1 a cached translation may be stale now
export const TLB_LOG_KIND_USE = 2 // stale use; flags: access | STALE_* << 8; a: linear, b: address of the entry, c: the entry when cached, d: now
export const TLB_LOG_KIND_CAUSE = 3 // behind a stale use: the change, with its CPU, time and RIP; a: its number, b: old, c: new, d: how many uses alike; flags: 1 known
export const TLB_LOG_KIND_INVALIDATE = 4 // flags: INVALIDATE_*; a: linear (INVLPG), b: PCID
export const TLB_LOG_KIND_IPI = 5 // fixed interrupt to another CPU; a: vector, b: target
export const TLB_LOG_KIND_INTERRUPT = 6 // delivered; a: vector
export const TLB_LOG_KIND_RETURN = 7 // the handler of an interrupt has returned; a: vector
export const STALE_ABSENT = 1
export const STALE_FRAME = 2
export const STALE_RIGHTS = 4
export const STALE_AFFECTS = 8 // this very access would fault or go elsewhere by the entries as they are now
export const INVALIDATE_PAGE = 0
export const INVALIDATE_PCID = 1
export const INVALIDATE_ALL = 2 // all but global ones
export const INVALIDATE_GLOBAL = 3 // all
/** The last change of each page-table entry that may have left stale translations: TLB_CHANGES_COUNT records by address */
export const TLB_CHANGES = 0x0041_0000
export const TLB_CHANGES_COUNT = 4096
/** Functions whose calls are told (not state; cpu/probes.ts). Two tables, of which HDR_PROBES names the one in use. */
export const PROBES = 0x00a0_0000
export const PROBES_TABLE_SIZE = 0x0000_8000
export const PROBES_DIRECT = 0x00 // u64, linear address at which physical memory is mapped byte for byte, all ones: none known
export const PROBES_OFFSETS = 0x40 // u8[512], bit n: a probe lies at this offset of a page
export const PROBES_SLOTS = 0x400 // PROBES_SLOT_COUNT slots of PROBE_SIZE, by address
export const PROBES_SLOT_COUNT = 256 // power of two
export const PROBES_MAX = 128
export const PROBE_SIZE = 64
export const PROBE_LINEAR = 0 // u64, 0: no probe
export const PROBE_ID = 8 // u32, 0..65535
export const PROBE_FLAGS = 12 // u32, PROBE_IS_*
export const PROBE_ADDRESS = 16 // u32, operand: offset of a register in the vCPU block, or PROBE_STACK | n: the n-th argument on the stack, from 1
export const PROBE_BYTES = 20 // u32, operand; PROBE_NONE: PROBE_UNIT is it
export const PROBE_BASE = 24 // u64, address = ((operand - base) >> right) << left
export const PROBE_UNIT = 32 // u64, bytes = unit * operand, or unit << operand
export const PROBE_RIGHT = 40 // u8
export const PROBE_LEFT = 41 // u8
export const PROBE_STACK = 0x8000_0000
export const PROBE_NONE = 0xffff_ffff
export const PROBE_IS_ALLOCATE = 1 // else it frees
export const PROBE_IS_FRAMES = 2 // addresses are physical, of page frames
export const PROBE_IS_SHIFT = 4 // bytes = unit << operand
export const PROBE_IS_LIST = 16 // frees: the operand is the head of a circular list; what is freed are its links
export const PROBE_IS_ARRAY = 32 // allocates: the operand, at entry, is an array of pointers, and RAX answers how many of them are there
export const PROBE_IS_WHOLE = 8 // nobody else gives out or takes back these frames: uses of free ones are told
/** Where probed calls return to (not state): u64 count, then at 64 a hash of u64 addresses */
export const PROBE_SITES = 0x00a1_0000
export const PROBE_SITES_TABLE = 64
export const PROBE_SITES_COUNT = 8192 // power of two
/** Video memory (state): 16 MiB; the first 256 KiB are the VGA's four planes, interleaved per address. */
export const VRAM = 0x0100_0000
export const VRAM_SIZE = 0x0100_0000
/** One block per vCPU, see CPU_*. */
export const VCPUS = 0x0200_0000
export const VCPU_STRIDE = 0x0100_0000
export const MAX_CPUS = 16
// Behind the last vCPU block, at addresses in the header: per-frame metadata (HDR_FRAMES), per-vCPU trace list
// heads (HDR_TRACE_HEADS), guest RAM (HDR_RAM).

// ---------------------------------------------------------------------------------------------------------
// Machine header: offsets from HEADER

export const HDR_MAGIC = 0x00 // u32
export const HDR_VERSION = 0x04 // u32
export const HDR_CPU_COUNT = 0x08 // u32, 1..MAX_CPUS
export const HDR_RAM = 0x0c // u32, WebAssembly address of guest-physical 0
export const HDR_RAM_SIZE = 0x10 // u32, bytes; RAM is guest-physical 0..size (A0000h-FFFFFh as HDR_SHADOW says)
export const HDR_FRAMES = 0x14 // u32, WebAssembly address of the frame metadata, see FRAME_*
export const HDR_FRAME_COUNT = 0x18 // u32
export const HDR_TRACE_HEADS = 0x1c // u32, address of u32[cpus][frames]: first trace of a frame
export const HDR_MEMORY_END = 0x20 // u32
export const HDR_SCHEDULE = 0x24 // u32, SCHEDULE_*
export const HDR_SEED = 0x28 // u64
/** u64 ns, deterministic: machine time less the instructions the CPU whose turn it is has retired, that is what the
 *  others have retired and the time skipped while every CPU was halted (state) */
export const HDR_CLOCK_SKIPPED = 0x30
export const HDR_CLOCK_NOW = 0x38 // u64 ns, machine time at the last boundary, for onlookers
export const HDR_CONTROL = 0x40 // u32, host -> machine, CONTROL_*; vCPUs wait on this word
export const HDR_STATE = 0x44 // u32, machine -> host, STATE_*
export const HDR_STOP_REASON = 0x48 // u32, STOP_*
export const HDR_STOP_VALUE = 0x4c // u32, e.g. the value written to isa-debug-exit
export const HDR_CHIPSET_LOCK = 0x50 // u32, 0 free, 1 held, 2 held with waiters
export const HDR_HOST_WAKE = 0x54 // u32, 1 while a wake message to the host is under way
export const HDR_EVENT_CLASSES = 0x58 // u32, bit per EVENT_CLASS_*
export const HDR_A20 = 0x5c // u32, 1 when address line 20 passes (state)
export const HDR_INTR = 0x60 // u32, level of the interrupt controller's INTR output (state)
export const HDR_RESET_REQUEST = 0x64 // u32, RESET_*
export const HDR_DEADLINE = 0x68 // u64 ns, earliest chipset timer deadline; all ones when none
export const HDR_RTC_EPOCH = 0x70 // u64, seconds since 1970 shown by the RTC at machine time 0
export const HDR_PACE = 0x78 // u32, 1: a halted machine's clock does not run ahead of the host's
export const HDR_HOST_CLOCK_BASE = 0x80 // u64 ns, parallel: host monotonic time that is machine time 0
export const HDR_STOP_CPU = 0x90 // u32, the CPU it happened on
export const HDR_FOREIGN_ROM = 0x94 // u32, 1: the ROM is not Ringside's, its 0F 3F is no call of the firmware
export const HDR_BOOT_DRIVE = 0x88 // u32, BIOS drive number to boot first: 00h, 80h.. ; FFh = by HDR_BOOT_ORDER
export const HDR_DIRECT_BOOT = 0x8c // u32, DIRECT_BOOT_*
/** u32, what the host bridge's PAM registers say of C0000h-FFFFFh, a bit per 16 KiB: 0-15 read from RAM, 16-31 written to it (state) */
export const HDR_SHADOW = 0x9c
/** u32, a byte per kind of device from the lowest, 0 ends: BOOT_*. 0: floppy, disk, CD */
export const HDR_BOOT_ORDER = 0x98
export const BOOT_FLOPPY = 1
export const BOOT_DISK = 2
export const BOOT_CDROM = 3
/** u32[8], by cpuid.ts's WORD_*: feature bits the processor model does not offer (0: all there are) */
export const HDR_CPU_WITHHELD = 0xa0
// Deterministic schedule with several CPUs: the turn under way (state; machine/schedule.ts)
export const HDR_TURN_LEFT = 0x300 // u64, instructions left of it
export const HDR_TURN_RANDOM = 0x308 // u64, state of the generator behind order and length, from HDR_SEED
export const HDR_TURN_ORDER = 0x310 // u64, CPUs still to come in this round, four bits each, next lowest
export const HDR_TURN_CPU = 0x318 // u32, whose turn it is
export const HDR_TURN_WAITING = 0x31c // u32, how many HDR_TURN_ORDER still names
// Several CPUs (bookkeeping)
export const HDR_EXCLUSIVE = 0x320 // u32, 1 + CPU that keeps the others out of the guest, 0 none (machine/exclusive.ts)
export const HDR_CODE_LOCK = 0x324 // u32, guards the code marks of the frames
export const HDR_HOST_CORES = 0x328 // u32, cores the host has for our threads
export const HDR_ACTIVE = 0x32c // u32, threads in run() now
export const HDR_PROTECT_LOCK = 0x338 // u32, held while the writers of a frame are made to stop
export const HDR_HOLD = 0x340 // u32, not 0: an onlooker wants every CPU to stand still (machine/hold.ts)
export const HDR_HELD = 0x344 // u32, CPUs that do
export const HDR_PROBES = 0x33c // u32, address of the table of probes in use, 0: none (not state)
export const HDR_TIMEKEEPER = 0x330 // u64 ns, parallel: when the sleeping CPU that watches the timers wakes; all ones: none
// Records of MILESTONES and CLIMB_NOTES
export const MILESTONE_SIZE = 4096
export const MILESTONE_COUNT = 32
export const MILESTONE_REACHED = 0 // u32, 1 once the record is complete, 2 while the instruction is under way
export const MILESTONE_CPU = 4 // u32
export const MILESTONE_RETIRED = 8 // u64
export const MILESTONE_TIME = 16 // u64 ns
export const MILESTONE_RIP = 24 // u64, linear address of the instruction that runs next
export const MILESTONE_BY = 32 // u64, linear address of the instruction that did it
export const MILESTONE_DETAIL = 40 // u64, CLIMB_INTERRUPT: vector; CLIMB_AP: vector, index of the CPU << 8
export const MILESTONE_HAS_BEFORE = 48 // u32, 1: BY, BYTES and BEFORE are there
export const MILESTONE_LENGTH = 52 // u32, how many of BYTES; from BY to the end of its page
export const MILESTONE_NOTED = 56 // u64, notes: 1 + retired count at which BEFORE was taken
export const MILESTONE_PENDING = 64 // u32, notes: bit per stage whose AFTER is to come
export const MILESTONE_BYTES = 80 // u8[MILESTONE_BYTES_MAX], the instruction and what follows it
export const MILESTONE_BYTES_MAX = 16
export const MILESTONE_BEFORE = 0x100 // the first MILESTONE_REGISTERS bytes of the vCPU block; RIP that of the instruction
export const MILESTONE_AFTER = 0x500 // the same behind it
export const MILESTONE_REGISTERS = 0x400
export const CLIMB_RESET = 0
export const CLIMB_BIOS = 1 // firmware has set up its services (IVT, BDA) and looks for a boot device
export const CLIMB_BOOT_SECTOR = 2 // first instruction at 0000:7C00
export const CLIMB_A20 = 3
export const CLIMB_GDT = 4 // first LGDT by code outside the firmware
export const CLIMB_PROTECTED = 5 // CR0.PE set
export const CLIMB_PAE = 6 // CR4.PAE set
export const CLIMB_PAGING = 7 // CR0.PG set
export const CLIMB_LONG = 8 // EFER.LMA set
export const CLIMB_CODE64 = 9 // first instruction with CS.L = 1
export const CLIMB_RING3 = 10 // first instruction at CPL 3
export const CLIMB_CODE32 = 11 // first instruction with CS.D = 1 (and CS.L = 0) in protected mode
export const CLIMB_TABLES = 12 // first MOV to CR3 by code outside the firmware
export const CLIMB_LME = 13 // EFER.LME set
export const CLIMB_HIGHER_HALF = 14 // with paging, first jump to an instruction in the upper half of the address space
export const CLIMB_IDT = 15 // protected mode, first LIDT with room for a gate
export const CLIMB_TSS = 16 // first LTR
export const CLIMB_INTERRUPT = 17 // protected mode, first interrupt from outside whose gate was gone through
export const CLIMB_AP = 18 // first start-up IPI
export const CLIMB_SYSCALL = 19 // EFER.SCE and LSTAR are set, or SYSENTER's MSRs

export const SCHEDULE_DETERMINISTIC = 0
export const SCHEDULE_PARALLEL = 1

export const CONTROL_PAUSE = 0
export const CONTROL_RUN = 1
export const CONTROL_QUIT = 2

export const STATE_PAUSED = 0
export const STATE_RUNNING = 1
export const STATE_STOPPED = 2 // for good (until reset): see HDR_STOP_REASON

export const STOP_NONE = 0
export const STOP_PAUSE = 1 // the host asked
export const STOP_STEP = 2 // CPU_STEP_TARGET reached
export const STOP_TRIPLE_FAULT = 3
export const STOP_DEBUG_EXIT = 4 // value: byte written to port F4h
export const STOP_POWER_OFF = 5
export const STOP_INTERNAL = 6 // an inconsistency of ours; value: code
export const STOP_RESET = 7 // the firmware came to boot again, and the host has to put the kernel into memory first

export const DIRECT_BOOT_NONE = 0
export const DIRECT_BOOT_READY = 1 // the host has put a kernel into memory, with its starter at 0000:7C00
export const DIRECT_BOOT_DONE = 2 // it has been started: what was in memory may be changed

export const RESET_NONE = 0
export const RESET_CPU = 1 // INIT: 8042 pulse, port 92h bit 0, shutdown code path
export const RESET_SYSTEM = 2 // everything, CF9h
export const RESET_SUSPEND = 3 // ACPI S3: everything but memory and what wakes the machine loses its power
export const RESET_RESUME = 4 // and has it again

// ---------------------------------------------------------------------------------------------------------
// Input queue: offsets from INPUT_QUEUE. Single producer (host), single consumer
// (vCPU 0 at a boundary; deterministic: the CPU whose turn it is).

export const INPUT_WRITE = 0x00 // u32, count of entries ever written (mod 2^32)
export const INPUT_READ = 0x04 // u32, count of entries ever taken
export const INPUT_ENTRIES = 0x40
export const INPUT_ENTRY_SIZE = 16
export const INPUT_CAPACITY = 2048 // power of two
export const INPUT_KIND = 0 // u32, INPUT_KIND_*
export const INPUT_DATA = 4 // u32
export const INPUT_STAMP = 8 // u64, retired instructions when it was taken (written by the consumer)
/** data: bits 0-7 scan code set 2 make code, bit 8 E0h prefix, bit 9 release, bit 10 Pause, bit 11 PrintScreen */
export const INPUT_KIND_KEY = 1
export const KEY_E0 = 0x100
export const KEY_RELEASE = 0x200
export const KEY_PAUSE = 0x400
export const KEY_PRINT_SCREEN = 0x800
/** data: bits 0-7 byte received, bits 8-9 COM port index (0 = COM1) */
export const INPUT_KIND_SERIAL = 2
/** data: counts moved, signed: bits 0-9 to the right, 10-19 down, 20-23 wheel towards the hand; bits 24-28 buttons that
 *  are down: left, right, middle, fourth, fifth */
export const INPUT_KIND_MOUSE = 5
/** data: bits 0-7 drive, bits 8-15 MEDIUM_*, bits 16-31 id of the medium that goes in */
export const INPUT_KIND_MEDIUM = 4
/** The button on the front of the case is pressed. */
export const INPUT_KIND_POWER = 6
export const MEDIUM_EJECT = 0 // the button: a locked drive only tells the guest
export const MEDIUM_FORCE = 1 // a needle in the hole
export const MEDIUM_INSERT = 2 // takes out what is in the drive, then puts the new one in and closes the tray

// ---------------------------------------------------------------------------------------------------------
// Output rings: offsets from OUTPUT_RINGS + n * OUTPUT_RING_STRIDE. Producer: the core, under the chipset
// lock; consumer: the host. A full ring makes the producer wait (nothing is lost).

export const RING_WRITE = 0x00 // u32, count of bytes ever written (mod 2^32)
export const RING_READ = 0x04 // u32, count of bytes ever read
export const RING_DATA = 0x40
export const RING_CAPACITY = 0x8000 // power of two

// ---------------------------------------------------------------------------------------------------------
// Drives and block requests. Content lives with the host (image + copy-on-write overlay).

export const DRIVE_SIZE = 64 // stride in DRIVES
export const DRIVE_COUNT = 8
export const DRIVE_FLOPPY_A = 0
export const DRIVE_FLOPPY_B = 1
export const DRIVE_ATA0 = 2 // primary master; 3 primary slave, 4 secondary master, 5 secondary slave
export const DRIVE_PRESENT = 0 // u32, there is a drive; a removable one may be empty
export const DRIVE_SECTOR_SIZE = 4 // u32, 512: the unit of DRIVE_SECTORS, for CDs too
export const DRIVE_SECTORS = 8 // u64, of the medium, 0 when there is none
export const DRIVE_CYLINDERS = 16 // u32
export const DRIVE_HEADS = 20 // u32
export const DRIVE_SECTORS_PER_TRACK = 24 // u32
export const DRIVE_READ_ONLY = 28 // u32
export const DRIVE_KIND = 32 // u32, DRIVE_KIND_*
export const DRIVE_MEDIUM = 36 // u32, id of the medium in it, 0 none
export const DRIVE_TRAY = 40 // u32, 1: a CD drive's tray is open (what lies in it keeps its id)
export const DRIVE_LOCKED = 44 // u32, 1: the guest prevents removal
export const DRIVE_KIND_DISK = 0
export const DRIVE_KIND_CDROM = 1
export const DRIVE_KIND_FLOPPY = 2
/** What the host has to put into drives, by id from 1: written by it before INPUT_KIND_MEDIUM names the id. */
export const MEDIA = 0x0009_0400
export const MEDIUM_SIZE = 32
export const MEDIUM_COUNT = 96
export const MEDIUM_SECTORS = 0 // u64, of 512 bytes
export const MEDIUM_CYLINDERS = 8 // u32
export const MEDIUM_HEADS = 12 // u32
export const MEDIUM_SECTORS_PER_TRACK = 16 // u32
export const MEDIUM_READ_ONLY = 20 // u32

export const BLOCK_SLOTS = 8 // one request slot per drive
export const BLOCK_SLOT_SIZE = 64
export const BLOCK_STATE = 0 // u32, BLOCK_*; waited on by both sides
export const BLOCK_OP = 4 // u32
export const BLOCK_DRIVE = 8 // u32, DRIVE_* index
export const BLOCK_COUNT = 12 // u32, sectors, 1..256
export const BLOCK_LBA = 16 // u64
export const BLOCK_ADDRESS = 24 // u32, WebAssembly address of the data
export const BLOCK_ERROR = 28 // u32, BLOCK_ERROR_*
export const BLOCK_MEDIUM = 32 // u32, id of the medium that was in the drive when the request was made
/** u32 at BLOCK_REQUESTS + BLOCK_DOORBELL: raised by one with every submit; the I/O thread waits on it. */
export const BLOCK_DOORBELL = 0x800
export const BLOCK_IDLE = 0
export const BLOCK_SUBMITTED = 1
export const BLOCK_DONE = 2
export const BLOCK_READ = 0
export const BLOCK_WRITE = 1
export const BLOCK_FLUSH = 2
export const BLOCK_ERROR_NONE = 0
export const BLOCK_ERROR_RANGE = 1
export const BLOCK_ERROR_MEDIUM = 2 // the host could not read or write the image
export const BLOCK_ERROR_ABSENT = 3

// ---------------------------------------------------------------------------------------------------------
// Frame metadata (bookkeeping and insight, not state): HDR_FRAMES + frame * FRAME_SIZE

export const FRAME_SIZE = 32
export const FRAME_CODE = 0 // u64, bit n: a trace was decoded from bytes n*64 .. n*64+63 of the frame
export const FRAME_FLAGS = 8 // u32, FRAME_*
export const FRAME_STAMP = 12 // u32, machine time of the last TLB fill, in units of 2^20 ns
export const FRAME_WRITERS = 16 // u32, bit per CPU that may hold a pointer or fast entry to write the frame by
export const FRAME_CODE_CPUS = 20 // u32, bit per CPU with traces of the frame
export const FRAME_TOUCHED = 1
export const FRAME_WRITTEN = 2
export const FRAME_EXECUTED = 4
export const FRAME_PAGE_TABLE = 8
export const FRAME_FREED = 16 // the guest has freed it, by a probe: its use is an event
export const FRAME_FREED_READ = 32 // and one that reads was told

// ---------------------------------------------------------------------------------------------------------
// vCPU block: offsets from VCPUS + n * VCPU_STRIDE

// 0000h-0FFFh: architectural state
export const CPU_RAX = 0x00
export const CPU_RCX = 0x08
export const CPU_RDX = 0x10
export const CPU_RBX = 0x18
export const CPU_RSP = 0x20
export const CPU_RBP = 0x28
export const CPU_RSI = 0x30
export const CPU_RDI = 0x38
export const CPU_R8 = 0x40 // .. R15 at 0x78
export const CPU_RIP = 0x80 // u64
export const CPU_RFLAGS = 0x88 // u64; the six status bits are valid only when CPU_LAZY is LAZY_NONE
export const CPU_ZERO = 0x90 // u64, always zero: what an absent base or index register points at
// Lazy status flags (materialised into CPU_RFLAGS at every boundary, so never visible to a snapshot)
export const CPU_LAZY = 0x98 // u32
export const CPU_LAZY_A = 0xa0 // u64
export const CPU_LAZY_R = 0xa8 // u64
export const CPU_RETIRED = 0xb0 // u64, instructions retired
export const CPU_CPL = 0xb8 // u32
export const CPU_ACTIVITY = 0xbc // u32, ACTIVITY_*
export const CPU_SHADOW = 0xc0 // u32, interrupts are inhibited for the next instruction: 1 STI, 2 MOV SS (which defers #DB too)
export const CPU_NMI = 0xc4 // u32, bit 0 pending, bit 1 blocked until IRET, bit 2 another one is pending behind it
export const CPU_MODE = 0xc8 // u32, MODE_* bits, derived from CS, SS, CR0, EFER, RFLAGS.VM
export const CPU_INDEX = 0xcc // u32

/** Segment registers: CPU_SEGMENTS + index * SEGMENT_SIZE */
export const CPU_SEGMENTS = 0x100
export const SEGMENT_SIZE = 32
export const SEG_ES = 0
export const SEG_CS = 1
export const SEG_SS = 2
export const SEG_DS = 3
export const SEG_FS = 4
export const SEG_GS = 5
export const SEG_LDTR = 6
export const SEG_TR = 7
export const SEGMENT_BASE = 0 // u64
export const SEGMENT_LIMIT = 8 // u32, in bytes, granularity applied
export const SEGMENT_SELECTOR = 12 // u16
/** u16: bits 0-3 type, 4 S, 5-6 DPL, 7 P, 12 AVL, 13 L, 14 D/B, 15 G (descriptor bits 40-47 and 52-55);
 *  bit 8: the register holds a null selector (unusable) */
export const SEGMENT_ATTRIBUTES = 14
export const SEGMENT_UNUSABLE = 0x100
/** i64, derived: highest offset that may be read / written without a further check; -1 when every access
 *  must take the slow, exact path (expand-down, not readable, not writable, unusable). */
export const SEGMENT_READ_LIMIT = 16
export const SEGMENT_WRITE_LIMIT = 24

export const CPU_GDTR_BASE = 0x200 // u64
export const CPU_GDTR_LIMIT = 0x208 // u32
export const CPU_IDTR_BASE = 0x210 // u64
export const CPU_IDTR_LIMIT = 0x218 // u32
export const CPU_CR0 = 0x220 // u64
export const CPU_CR2 = 0x228
export const CPU_CR3 = 0x230
export const CPU_CR4 = 0x238
export const CPU_CR8 = 0x240
export const CPU_EFER = 0x248
export const CPU_XCR0 = 0x250
export const CPU_DR0 = 0x260 // .. DR7 at 0x298
export const CPU_DR6 = 0x290
export const CPU_DR7 = 0x298
export const CPU_PDPTE = 0x2a0 // u64[4], PAE paging: the PDPTEs loaded with CR3 (SDM 3A 4.4.1)
export const CPU_STAR = 0x300
export const CPU_LSTAR = 0x308
export const CPU_CSTAR = 0x310
export const CPU_SFMASK = 0x318
export const CPU_KERNEL_GS_BASE = 0x320
export const CPU_SYSENTER_CS = 0x328
export const CPU_SYSENTER_ESP = 0x330
export const CPU_SYSENTER_EIP = 0x338
export const CPU_TSC_OFFSET = 0x340 // i64, IA32_TSC = machine time in ns + this
export const CPU_PAT = 0x348
export const CPU_APIC_BASE = 0x350
export const CPU_TSC_AUX = 0x358
export const CPU_MISC_ENABLE = 0x360
export const CPU_MTRR_DEF_TYPE = 0x368
export const CPU_MTRR_FIXED = 0x370 // u64[11]
export const CPU_MTRR_VARIABLE = 0x3d0 // u64[16]: base/mask pairs
export const CPU_UCODE_REV = 0x450
/** Software TLB, architectural part: generation of the non-global entries (see TLB_*) */
export const CPU_TLB_GENERATION = 0x460 // u32
export const CPU_TLB_LARGE = 0x464 // u32, bit n: an entry from a large page may be present in gigabyte n of every 32
/** The page instructions are being fetched from (SDM 3A 4.10.2: a cached translation like a TLB entry). */
export const CPU_FETCH_PAGE = 0x468 // u64, linear page address | 1 when valid, 0 when not
export const CPU_FETCH_FRAME = 0x470 // u64, guest-physical address of that page
/** An exception raised by the instruction being executed and not yet delivered; see FAULT_DETAIL_*. */
export const CPU_FAULT = 0x480 // u32, vector + 1, 0 when none
export const CPU_FAULT_ERROR = 0x484 // u32, error code
export const CPU_FAULT_DETAIL = 0x488 // u32, FAULT_DETAIL_*: which check failed
export const CPU_FAULT_A = 0x490 // u64, meaning by detail (selector, address, ...)
export const CPU_FAULT_B = 0x498 // u64, meaning by detail (raw descriptor, entry, ...)
export const CPU_FAULT_ADDRESS = 0x4a0 // u64, what CR2 becomes if it is a page fault
export const CPU_FAULT_RIP = 0x4a8 // u64, RIP of the instruction being executed (CPU_RIP is already the next)

/** Debug exceptions of completed instructions, not yet reported: bits of DR6 (SDM 3B 18.3) */
export const CPU_DEBUG_PENDING = 0x4b0 // u32
/** 1 between two iterations of a repeated string instruction: RF is set in the image of what comes in between */
export const CPU_REPEATING = 0x4b4 // u32
/** State of the random number generator behind RDRAND and RDSEED */
export const CPU_RANDOM = 0x4b8 // u64
export const CPU_APERF_OFFSET = 0x4c0 // i64, IA32_APERF = machine time in ns + this
export const CPU_MPERF_OFFSET = 0x4c8 // i64
export const CPU_DEBUGCTL = 0x4d0 // u64
export const CPU_PKRS = 0x4e0 // u64, IA32_PKRS; PKRU lies with the XSAVE components
export const CPU_TSC_ADJUST = 0x4e8 // u64
export const CPU_PCID_SERIAL = 0x4d8 // u32, last generation given out

/** What others ask of this CPU; it alone carries it out, at a boundary (machine/smp.ts). Written with atomics. */
export const CPU_REQUEST = 0x500 // u32, REQUEST_*
export const REQUEST_INTERRUPT = 1 // CPU_INBOX holds vectors for the local APIC
export const REQUEST_NMI = 2
export const REQUEST_INIT = 4
export const REQUEST_SIPI = 8 // start-up vector in bits 8-15
export const REQUEST_SMI = 16
export const REQUEST_NMI_AGAIN = 32 // one more behind REQUEST_NMI
export const CPU_INBOX = 0x520 // u32[8], bit per vector accepted for the local APIC and not yet in its IRR
export const CPU_INBOX_LEVEL = 0x540 // u32[8], those that are level-triggered
/** MONITOR: guest-physical address of the line | 1 when armed, and its content then */
export const CPU_MONITOR = 0x560 // u64
export const CPU_MONITOR_LINE = 0x580 // u8[64]

export const CPU_STATE_END = 0x1000
/** FXSAVE/XSAVE image (state) */
export const CPU_XSAVE = 0x1000
/** Local APIC (state) */
export const CPU_LAPIC = 0x2000
export const CPU_HASHED_END = 0x3000

// 3000h-FFFFh: scratch and bookkeeping, not state
export const CPU_BOUNCE = 0x3000 // u8[64]: data of an access that crosses a page or hits a device
export const CPU_TLB_CONTEXT = 0x3080 // u64, low 12 bits of the tags of valid fast entries
export const CPU_SLICE_END = 0x3088 // u64, retired count at which the running slice ends
export const CPU_TRACE_NEXT = 0x3090 // u32, bump pointer in the trace arena
export const CPU_TRACE_EPOCH = 0x3094 // u32, times the arena was emptied
export const CPU_TRACE = 0x30a8 // u32, WebAssembly address of the trace being executed
export const CPU_FETCH_DISTANCE = 0x30ac // u32, WebAssembly address of the byte at a linear address of CPU_FETCH_PAGE = low 32 bits of that + this
export const CPU_RECORD = 0x30b0 // u32, the record interpret() stopped at
export const CPU_NEXT_SLOT = 0x30b4 // u32, where the jump it stopped at remembers its target's trace
export const CPU_NEXT_RIP = 0x30b8 // u64, where that jump leads
export const CPU_BUDGET = 0x30c0 // i64, instructions left in the slice after the current trace
export const CPU_ADDRESS = 0x30c8 // u64, linear address of the operand of a record behind an ADDRESS record
export const CPU_ADDRESS_MASK = 0x30d0 // u64, bits of a linear address in the present mode
export const CPU_STATS = 0x3100 // u64 counters, STAT_*
export const STAT_TRACES_BUILT = 0
export const STAT_TRACES_DROPPED = 8
export const STAT_TLB_FILLS = 16
export const STAT_TLB_FLUSHES = 24
export const STAT_EXCEPTIONS = 32
export const STAT_INTERRUPTS = 40
/** Log of the last exceptions and interrupts delivered, for the triple-fault report, see XLOG_* */
export const CPU_EXCEPTION_LOG = 0x4000
export const CPU_EXCEPTION_LOG_NEXT = 0x4ff8 // u64, count ever logged
export const XLOG_SIZE = 256 // GPRs and all, see the offsets below
export const XLOG_COUNT = 15
export const XLOG_VECTOR = 0 // u32
export const XLOG_ERROR = 4 // u32
export const XLOG_DETAIL = 8 // u32
export const XLOG_KIND = 12 // u32, XLOG_KIND_*
export const XLOG_A = 16 // u64
export const XLOG_B = 24 // u64
export const XLOG_RIP = 32 // u64
export const XLOG_RSP = 40 // u64
export const XLOG_RFLAGS = 48 // u64
export const XLOG_CR2 = 56 // u64
export const XLOG_CS = 64 // u16
export const XLOG_SS = 66 // u16
export const XLOG_MODE = 68 // u32
export const XLOG_RETIRED = 72 // u64
export const XLOG_IDTR_BASE = 80 // u64
export const XLOG_IDTR_LIMIT = 88 // u32
export const XLOG_CR0 = 92 // u32
export const XLOG_GPR = 96 // u64[16], ends at 224
export const XLOG_CS_BASE = 224 // u64
export const XLOG_GDTR_BASE = 232 // u64
export const XLOG_GDTR_LIMIT = 240 // u32
export const XLOG_CPL = 244 // u32
export const XLOG_CR3 = 248 // u64
export const XLOG_KIND_FAULT = 0
export const XLOG_KIND_INTERRUPT = 1
export const XLOG_KIND_SOFTWARE = 2
export const XLOG_KIND_TRIPLE = 3 // the shutdown that ended a chain

/** Where an FSAVE or FXSAVE image is put together and taken apart (it may cross pages) */
export const CPU_X87_IMAGE = 0x6000 // u8[512]
/** Where an XSAVE image is put together and taken apart */
export const CPU_XSAVE_IMAGE = 0x6800 // u8[1024]
/** The new task's state while tasks are switched, in the form of a 32-bit TSS */
export const CPU_TASK_IMAGE = 0x6400 // u8[104]
/** Generation of the TLB entries of each PCID, 0: it has none (state, with the TLB) */
export const CPU_PCIDS = 0x8000 // u32[4096]
// How other threads reach this CPU (bookkeeping; machine/smp.ts). Lines of their own: others write them.
export const CPU_ATTENTION = 0xc000 // u32, 1: come to a boundary and look; what a sleeping thread waits on
export const CPU_SLEEPING = 0xc008 // u32, 1 while the thread waits on CPU_ATTENTION
export const CPU_MAINTENANCE = 0xc00c // u32, MAINTENANCE_*
export const MAINTENANCE_DROP_FAST = 1 // fast entries of the TLB
export const MAINTENANCE_DROP_TRACES = 2 // all traces
export const MAINTENANCE_CODE = 4 // the writes in CPU_CODE_WRITES
export const MAINTENANCE_REBIND = 8 // another thread has changed this CPU's block
export const MAINTENANCE_DROP_JUMPS = 16 // the jump cache
export const CPU_IN_GUEST = 0xc040 // u32, 1 while the CPU may touch guest memory
export const CPU_DROP_SERIAL = 0xc044 // u32, times MAINTENANCE_DROP_FAST was served
export const CPU_STEP_TARGET = 0xc048 // u64, 1 + retired count at which the CPU comes to rest; 0 when none
export const CPU_HANDLERS = 0xcc00 // u32 count, then 4 of u64 RIP, u64 RSP, u64 vector: interrupts delivered while EVENT_CLASS_TLB is on
export const CPU_TABLE_BEFORE = 0xcc80 // u64[9]: page-table entries as they were before the write under way
export const CPU_STALE_USES = 0xcd00 // 16 of u64 RIP, u64 linear page, u64 change, u64 1 + number of the record: the last stale uses noted
export const CPU_FENCE = 0xc050 // u32, 0: what a full fence exchanges
export const CPU_CODE_WRITES = 0xc080 // u32 count, then CODE_WRITES_MAX entries: u32 frame, u16 offset, u16 length
export const CODE_WRITES_MAX = 60
export const CPU_CODE_BYTES = 0xc400 // u8[1024], the bytes a trace is being decoded from
export const CODE_BYTES_MAX = 1024
/** Calls of probed functions that have not returned (bookkeeping; cpu/probes.ts): u32 lock, u32 count, at 16 the stack being told, then from 256 on */
export const CPU_PROBE_CALLS = 0xe000
export const PROBE_STACK_MAX = 8 // return addresses behind the caller's
export const PROBE_SCAN_WORDS = 96 // of the stack, looked at for return addresses where there is no chain of frame pointers
export const PROBE_CALLS_FIRST = 256
export const PROBE_CALLS_MAX = 64
export const PROBE_CALL_SIZE = 64
/** Jump cache (bookkeeping): where jumps that lead to many places led last. u64 linear address, u32 trace */
export const CPU_JUMPS = 0x0001_0000
export const JUMPS_COUNT = 4096 // of 16 bytes
/** Event ring, see EVENT_*: next at CPU_EVENTS_NEXT (u64, count ever written) */
export const CPU_EVENTS_NEXT = 0x5000
export const CPU_EVENTS = 0x0008_0000
export const EVENT_SIZE = 32
export const EVENT_COUNT = 16384
export const EVENT_RETIRED = 0 // u64
export const EVENT_KIND = 8 // u16
export const EVENT_CPU = 10 // u16
export const EVENT_A = 12 // u32
export const EVENT_B = 16 // u64
export const EVENT_C = 24 // u64
export const EVENT_CLASS_EXCEPTION = 1
export const EVENT_CLASS_INTERRUPT = 2
export const EVENT_CLASS_MODE = 4
export const EVENT_CLASS_BIOS = 8
export const EVENT_CLASS_DISK = 16
export const EVENT_CLASS_PORT = 32
export const EVENT_CLASS_GUEST = 0x10000 // the debug port, docs/debug-port.md
export const EVENT_KIND_EXCEPTION = 1 // a: vector | error << 8, b: RIP, c: CR2
export const EVENT_KIND_INTERRUPT = 2 // a: vector, b: RIP
export const EVENT_KIND_MODE = 3 // a: new MODE, b: RIP, c: CR0 | EFER << 32
export const EVENT_KIND_BIOS = 4 // a: interrupt number, b: AX | BX << 16 | CX << 32 | DX << 48, c: return address CS:IP
export const EVENT_KIND_DISK = 5 // a: op | drive << 8 | count << 16, b: LBA
export const EVENT_KIND_PORT = 6 // a: port | size << 16 | write << 24, b: value
/** The path of an interrupt from a device's line to its end. c of all of them: machine time, ns */
/** What happens to translations: into the log at TLB_LOG, not the rings (memory/tlb-log.ts) */
export const EVENT_CLASS_TLB = 4096
export const EVENT_CLASS_PATH = 64
export const EVENT_KIND_LINE = 16 // a: line | high << 8; line: 0-15 IRQ, 16-19 PIRQA-PIRQD
export const EVENT_KIND_ROUTE = 17 // a: PATH_* | input << 8 | vector << 16, b: PATH_IOAPIC destination | low half of the entry << 32, from PATH_MSI on the CPU that is reached (or PATH_NOBODY) | delivery mode << 40
export const EVENT_KIND_ACCEPT = 18 // a: vector | CPU << 8 | level-triggered << 16: now in the CPU's IRR
export const EVENT_KIND_DELIVER = 19 // a: vector | CPU << 8 | by the 8259 << 16: now in service
export const EVENT_KIND_EOI = 20 // a: vector | CPU << 8 | of the 8259 << 16, b: IRQ if of the 8259
export const PATH_PIC = 0 // input: IRQ
export const PATH_IOAPIC = 1 // input: pin
export const PATH_MSI = 2 // input: 0
export const PATH_IPI = 3 // input: CPU that sent it
export const PATH_NOBODY = 0xffff // in place of a CPU: no local APIC was meant
export const PATH_LOCAL = 4 // input: entry of the local vector table, (register - 320h) >> 4
/** One event of the debug port is a GUEST, a GUEST_MORE and, if it has a name, up to four GUEST_NAME, one behind the other. */
export const EVENT_KIND_GUEST = 64 // a: EAX of the OUT, b: RBX, c: RCX
export const EVENT_KIND_GUEST_MORE = 65 // a: low half of the machine time in ns, b: RSI, c: RDI
export const EVENT_KIND_GUEST_NAME = 66 // a, b, c: the next 20 bytes of the name
/** Calls of probed functions (cpu/probes.ts): a PROBE, a PROBE_MORE and as many PROBE_STACK as it says, one behind the other. */
export const EVENT_CLASS_PROBE = 0x20000
export const EVENT_KIND_PROBE = 72 // a: id | PROBE_* << 16 | number of PROBE_STACK << 24, b: address, c: bytes, of a use the linear address
export const EVENT_KIND_PROBE_MORE = 73 // a: low half of the machine time in ns, b: return address, of a use the instruction, c: machine time of the call, ns
export const EVENT_KIND_PROBE_STACK = 74 // b, c: return addresses, 0: none; a: low and high half, 0: by the chain of frame pointers, else 1 + how many words behind the caller's return address it lies
export const PROBE_ALLOCATED = 1
export const PROBE_FREED = 2
export const PROBE_FAILED = 3 // to allocate
export const PROBE_USE_READ = 4 // of a free frame; id: 65535
export const PROBE_USE_WRITE = 5

/** Software TLB, architectural part (state): direct-mapped, TLB_COUNT entries of TLB_ENTRY_SIZE */
export const CPU_TLB = 0x0010_0000
export const TLB_COUNT = 16384
export const TLB_ENTRY_SIZE = 64
export const TLB_TAG = 0 // u64, linear page address | TLB_VALID, 0 when empty
export const TLB_VALID = 1
export const TLB_FRAME = 8 // u64, guest-physical page address
export const TLB_FLAGS = 16 // u32, TLB_* bits below
export const TLB_GENERATION = 20 // u32, valid only if global or equal to CPU_TLB_GENERATION
export const TLB_PTE = 24 // u64[4], guest-physical addresses of the entries walked, leaf first; 0 ends (a PML5E is left out)
export const TLB_LEAF = 56 // u64, value of the leaf entry when the translation was made
export const TLB_WRITABLE = 2
export const TLB_USER = 4
export const TLB_NX = 8
export const TLB_GLOBAL = 16
export const TLB_DIRTY = 32
export const TLB_LARGE = 64 // from a 2 MiB, 4 MiB or 1 GiB page
export const TLB_HUGE = 128 // from a 1 GiB page
export const TLB_LARGE4M = 256 // from a 4 MiB page
export const TLB_KEY_SHIFT = 12 // bits 12-15: protection key

/** Fast path of the TLB (bookkeeping): same index as the architectural entry it stands for */
export const CPU_FAST = 0x0020_0000
export const FAST_ENTRY_SIZE = 32
export const FAST_READ = 0 // u64, linear page address | context
export const FAST_WRITE = 8 // u64
export const FAST_EXECUTE = 16 // u64
export const FAST_ADDEND = 24 // u32, WebAssembly address = low 32 bits of linear address + this
/** Trace cache (bookkeeping) */
export const CPU_TRACE_HASH = 0x0028_0000
export const TRACE_HASH_COUNT = 65536
export const CPU_TRACES = 0x0030_0000
export const CPU_TRACES_END = 0x0100_0000

export const ACTIVITY_RUNNING = 0
export const ACTIVITY_HALTED = 1
export const ACTIVITY_SHUTDOWN = 2
export const ACTIVITY_WAIT_SIPI = 3
export const ACTIVITY_MWAIT = 4 // as halted, and a store to the line of CPU_MONITOR ends it

export const MODE_SIZE = 3 // mask of the code size:
export const MODE_CODE16 = 0
export const MODE_CODE32 = 1
export const MODE_CODE64 = 2
export const MODE_STACK32 = 4 // SS.B, or 64-bit mode's 64-bit stack when MODE_CODE64
export const MODE_PROTECTED = 8 // CR0.PE
export const MODE_V86 = 16
export const MODE_LONG = 32 // EFER.LMA
export const MODE_PAGING = 64 // CR0.PG
export const MODE_FLAT = 128 // 64-bit code, or CS, SS, DS and ES all from 0 to 4 GiB, readable, and (but CS) writable

export const LAZY_NONE = 0

// ---------------------------------------------------------------------------------------------------------
// Which check raised an exception: the raw material of the reports

export const FAULT_DETAIL_NONE = 0
export const FAULT_DETAIL_UNDEFINED_OPCODE = 1 // no such instruction in this mode
export const FAULT_DETAIL_NOT_IMPLEMENTED = 2 // exists on hardware, not (yet) here
export const FAULT_DETAIL_LOCK = 3 // LOCK on an instruction that cannot have it
export const FAULT_DETAIL_PRIVILEGE = 4 // CPL or IOPL too weak for the instruction
export const FAULT_DETAIL_DIVIDE = 5
export const FAULT_DETAIL_SEGMENT_LIMIT = 6 // a: offset, b: segment index | limit << 32
export const FAULT_DETAIL_SEGMENT_TYPE = 7 // access the segment's type forbids; a: offset, b: segment index
export const FAULT_DETAIL_SEGMENT_NULL = 8 // access through a null selector; a: offset, b: segment index
export const FAULT_DETAIL_NON_CANONICAL = 9 // a: linear address
export const FAULT_DETAIL_PAGE_NOT_PRESENT = 10 // a: linear address, b: level | entry value in bits 8..
export const FAULT_DETAIL_PAGE_PROTECTION = 11 // a: linear address, b: leaf entry
export const FAULT_DETAIL_PAGE_RESERVED = 12 // a: linear address, b: the entry with the reserved bit
export const FAULT_DETAIL_SELECTOR_NULL = 20 // a: selector
export const FAULT_DETAIL_SELECTOR_LIMIT = 21 // beyond GDT/LDT limit; a: selector, b: table limit
export const FAULT_DETAIL_DESCRIPTOR_TYPE = 22 // a: selector, b: raw descriptor
export const FAULT_DETAIL_DESCRIPTOR_PRIVILEGE = 23 // a: selector, b: raw descriptor
export const FAULT_DETAIL_DESCRIPTOR_NOT_PRESENT = 24 // a: selector, b: raw descriptor
export const FAULT_DETAIL_DESCRIPTOR_LONG = 25 // L and D both set, or 16/32-bit gate in long mode; a, b as above
export const FAULT_DETAIL_TARGET_LIMIT = 26 // far target beyond the code segment limit; a: offset, b: limit
export const FAULT_DETAIL_IDT_LIMIT = 30 // a: vector, b: IDTR limit
export const FAULT_DETAIL_IDT_TYPE = 31 // a: vector, b: low 8 bytes of the gate
export const FAULT_DETAIL_IDT_NOT_PRESENT = 32 // a: vector, b: low 8 bytes of the gate
export const FAULT_DETAIL_IDT_PRIVILEGE = 33 // INT n with gate DPL < CPL; a: vector, b: gate
export const FAULT_DETAIL_TSS = 34 // TSS too small or not loaded for the stack switch; a: offset, b: limit
export const FAULT_DETAIL_CONTROL_REGISTER = 40 // reserved bit or forbidden combination; a: value, b: register
export const FAULT_DETAIL_MSR = 41 // a: MSR index, b: value
export const FAULT_DETAIL_INSTRUCTION_LENGTH = 42 // more than 15 bytes
export const FAULT_DETAIL_STACK = 43 // stack access beyond SS limit; a: offset, b: limit

// ---------------------------------------------------------------------------------------------------------
// Device blocks: WebAssembly addresses (state). Each device documents its own fields below its address.

export const DEV_PIC = 0x0001_1000 // two 8259A, PIC_SIZE bytes each
export const PIC_SIZE = 256
/** u8 each, from DEV_PIC + controller * PIC_SIZE */
export const PIC_LINES = 0 // levels at the IR inputs
export const PIC_IRR = 1 // edges latched and not yet acknowledged
export const PIC_IMR = 2
export const PIC_ISR = 3
export const PIC_ELCR = 4 // 1: level-triggered
export const PIC_ICW2 = 6
export const DEV_PIT = 0x0001_1400
export const DEV_RTC = 0x0001_1800
export const DEV_KBC = 0x0001_2000
export const DEV_SYSCTL = 0x0001_2800 // port 92h, port 61h, POST code, CF9h
export const DEV_UART = 0x0001_3000 // four 16550A, 256 bytes each
export const DEV_DEBUG = 0x0001_3800 // debugcon, isa-debug-exit
export const DEV_ATA = 0x0001_4000 // two channels, 4 KiB each (sector buffers included)
export const DEV_VGA = 0x0001_8000 // registers and palette, 4 KiB
/** u32 in DEV_VGA: guest-physical address where the PCI function shows all of VRAM, 0 when it does not (state) */
export const VGA_FRAME_BUFFER = 0x800
export const DEV_BIOS = 0x0001_a000 // state of the firmware services, 8 KiB
export const DEV_LINES = 0x0001_2c00 // interrupt lines and their routes
export const DEV_FDC = 0x0001_9000 // floppy controller, 1 KiB
export const DEV_DMA = 0x0001_9800 // two 8237A with their page registers
export const DEV_TIMERS = 0x0001_c000 // deadlines, one u64 per timer
export const DEV_PCI = 0x0050_0000 // configuration spaces and what they decode, 32 KiB
export const DEV_IOAPIC = 0x0050_8000
export const IOAPIC_LEVELS = 12 // u32 from DEV_IOAPIC, the inputs
export const IOAPIC_TABLE = 64 // u64[24] from DEV_IOAPIC, the redirection table
export const DEV_HPET = 0x0050_8400
export const DEV_ACPI = 0x0050_8800 // power management registers
export const ACPI_ASLEEP = 12 // u8 from DEV_ACPI, 1 in S3
export const DEV_SMBUS = 0x0050_8a00 // SMBus host controller
export const DEV_FW_CFG = 0x0050_8c00 // selector and DMA of QEMU's configuration device
export const DEV_TEST = 0x0050_8d00 // port of the test device
export const DEV_TEST_MEMORY = 0x0051_0000 // its memory, 64 KiB: to PLATFORM_END
