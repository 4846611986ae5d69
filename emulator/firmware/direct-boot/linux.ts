// Direct Linux boot: what lies where in guest memory when the firmware hands over to start.asm.
//
//   007C00  start.asm, in the place of a boot sector
//   010000  boot_params ("zero page"), 4 KiB
//   011000  page tables: PML4, PDPT, four page directories of 2 MiB pages
//   020000  command line
//   100000  kernel; it moves and unpacks itself to `preferred`
//   010000  instead of the three, where the set-up code is to start the kernel: that, its stack and its heap, 64 KiB
//   ......  initrd, as high as kernel and memory allow, on a page
import { type BzImage, KERNEL_ADDRESS, readBzImage } from './bzimage'
import type { Chunk, DirectBoot, E820Range, InitrdFile } from './chunks'
import { KernelError } from './kernel-error'

const START_ADDRESS = 0x7c00
const BOOT_PARAMS = 0x10000
const PAGE_TABLES = 0x11000
const COMMAND_LINE = 0x20000
const COMMAND_LINE_ROOM = 0x10000
/** Of the set-up code's segment: where its heap ends and its stack begins ("Sample Boot Configuration"). */
const SETUP_HEAP_END = 0xe000
const CAN_USE_HEAP = 0x80
const PAGE = 4096
const MIB = 0x100000
/** start.asm's parameters. */
const START_ENTRY = 0x1e0
const START_BOOT_PARAMS = 0x1e4
const START_PML4 = 0x1e8
/** type_of_loader: one without a number of its own. */
const LOADER_UNDEFINED = 0xff
const E820_MAX = 128
/** vid_mode: the text mode that the machine is in. */
const VIDEO_NORMAL = 0xffff
const VIDEO_NAMES: Readonly<Record<string, number>> = { normal: VIDEO_NORMAL, ext: 0xfffe, ask: 0xfffd }

/**
 * @param start start.asm, assembled
 * @param memory bytes of guest RAM
 * @returns what to write to guest memory, disjoint
 * @throws KernelError when kernel, initrd, command line and memory do not fit together
 */
export function planLinux(
  { kernel: file, initrd: files, append }: DirectBoot,
  start: Uint8Array,
  memory: number,
  e820: readonly E820Range[],
): Chunk[] {
  const image = readBzImage(file)
  const initrd = joined(files ?? [])
  const commandLine = encodeCommandLine(append, image)
  const top = Math.max(KERNEL_ADDRESS + image.kernel.length, image.preferred + image.needed)
  if (top > memory) {
    throw new KernelError(
      `this kernel needs ${inMib(top)} MiB of memory to unpack itself; the machine has ${Math.floor(memory / MIB)} MiB`,
    )
  }
  const chunks: Chunk[] = [{ address: KERNEL_ADDRESS, bytes: image.kernel }]
  let initrdAddress = 0
  if (initrd.length > 0) {
    const ceiling = Math.min(memory, image.initrdMax + 1)
    initrdAddress = Math.floor((ceiling - initrd.length) / PAGE) * PAGE
    if (initrdAddress < top) {
      throw new KernelError(
        `the initrd of ${inMib(initrd.length)} MiB does not fit between the kernel, which ends at ${inMib(top)} MiB, ` +
          `and ${Math.floor(ceiling / MIB)} MiB, the end of ${ceiling === memory ? 'memory' : 'what the kernel can reach'}`,
      )
    }
    chunks.push({ address: initrdAddress, bytes: initrd })
  }
  // Only the set-up code sets video modes, by the firmware; the later entries get the screen as it is.
  const video = videoMode(append)
  if (image.realMode || video !== VIDEO_NORMAL) {
    chunks.push(
      { address: BOOT_PARAMS, bytes: setUp(image, video, initrdAddress, initrd.length) },
      { address: COMMAND_LINE, bytes: commandLine },
      { address: START_ADDRESS, bytes: realModeSector() },
    )
    return chunks
  }
  const params = bootParams(image, initrdAddress, initrd.length, memory, e820)
  chunks.push({ address: BOOT_PARAMS, bytes: params }, { address: COMMAND_LINE, bytes: commandLine })
  if (image.entry64) chunks.push({ address: PAGE_TABLES, bytes: identityMap() })
  chunks.push({ address: START_ADDRESS, bytes: startSector(start, image.entry64) })
  return chunks
}

/** Several archives in a row, each on four bytes (Documentation/driver-api/early-userspace/buffer-format.rst). */
function joined(files: readonly InitrdFile[]): Uint8Array {
  if (files.length === 1) return files[0]!.bytes
  const starts: number[] = []
  let size = 0
  for (const { bytes } of files) {
    size = Math.ceil(size / 4) * 4
    starts.push(size)
    size += bytes.length
  }
  const all = new Uint8Array(size)
  files.forEach(({ bytes }, i) => {
    all.set(bytes, starts[i]!)
  })
  return all
}

function encodeCommandLine(append: string, { commandLineMax }: BzImage): Uint8Array {
  if (append.includes('\0')) throw new KernelError('the command line has a zero character in it')
  const bytes = new TextEncoder().encode(`${append}\0`)
  const most = Math.min(commandLineMax, COMMAND_LINE_ROOM - 1)
  if (bytes.length - 1 > most) {
    throw new KernelError(`the command line has ${bytes.length - 1} bytes; this kernel takes ${most}`)
  }
  return bytes
}

/** What the last vga= of the command line asks for: a boot loader's option, not the kernel's (boot.rst, "Special Command Line Options"). */
function videoMode(append: string): number {
  const text = append
    .split(/\s+/)
    .findLast((word) => word.startsWith('vga='))
    ?.slice(4)
  if (text === undefined) return VIDEO_NORMAL
  const named = VIDEO_NAMES[text]
  if (named !== undefined) return named
  // As in C: 0x begins hexadecimal digits, 0 octal ones.
  const octal = /^0[0-7]+$/.test(text)
  const number = octal
    ? Number.parseInt(text, 8)
    : /^(0x[0-9a-f]+|[1-9]\d*|0)$/i.test(text)
      ? Number(text)
      : -1
  if (number < 0 || number > 0xffff) {
    throw new KernelError(
      `the command line has vga=${text}: a video mode is a number up to 0xFFFF, “normal”, “ext” or “ask”`,
    )
  }
  return number
}

/** struct boot_params (arch/x86/include/uapi/asm/bootparam.h; Documentation/arch/x86/zero-page.rst). */
function bootParams(
  { header }: BzImage,
  initrd: number,
  initrdSize: number,
  memory: number,
  e820: readonly E820Range[],
): Uint8Array {
  const bytes = new Uint8Array(PAGE)
  const view = new DataView(bytes.buffer)
  bytes.set(header, 0x1f1)
  // screen_info: VGA text mode 3 as the firmware left it; start.asm adds the cursor.
  const extendedKib = Math.min((memory - MIB) / 1024, 0xfc00)
  view.setUint16(0x02, extendedKib, true)
  view.setUint8(0x06, 3)
  view.setUint8(0x07, 80)
  view.setUint8(0x0e, 25)
  view.setUint8(0x0f, 1)
  view.setUint16(0x10, 16, true)
  view.setUint32(0x1e0, (memory - MIB) / 1024, true) // alt_mem_k
  if (e820.length > E820_MAX) throw new RangeError(`${e820.length} memory ranges`)
  view.setUint8(0x1e8, e820.length)
  e820.forEach(({ base, length, type }, i) => {
    const at = 0x2d0 + i * 20
    view.setBigUint64(at, BigInt(base), true)
    view.setBigUint64(at + 8, BigInt(length), true)
    view.setUint32(at + 16, type, true)
  })
  view.setUint16(0x1fa, VIDEO_NORMAL, true) // vid_mode
  view.setUint8(0x210, LOADER_UNDEFINED)
  view.setUint32(0x214, KERNEL_ADDRESS, true)
  view.setUint32(0x218, initrd, true)
  view.setUint32(0x21c, initrdSize, true)
  view.setUint32(0x228, COMMAND_LINE, true)
  return bytes
}

/** The set-up code with the fields that a boot loader fills in (boot.rst, "Details of Header Fields"). */
function setUp({ setup, protocol }: BzImage, video: number, initrd: number, initrdSize: number): Uint8Array {
  if (setup.length > SETUP_HEAP_END - PAGE) {
    throw new KernelError(
      `its set-up code of ${setup.length} bytes leaves no room for a heap and a stack in 64 KiB`,
    )
  }
  const bytes = new Uint8Array(setup)
  const view = new DataView(bytes.buffer)
  view.setUint16(0x1fa, video, true) // vid_mode
  view.setUint8(0x210, LOADER_UNDEFINED)
  view.setUint8(0x211, view.getUint8(0x211) | CAN_USE_HEAP)
  view.setUint32(0x218, initrd, true)
  view.setUint32(0x21c, initrdSize, true)
  if (protocol >= 0x201) view.setUint16(0x224, SETUP_HEAP_END - 0x200, true)
  view.setUint32(0x228, COMMAND_LINE, true)
  return bytes
}

/** In the place of a boot sector: all segments on the set-up code, interrupts off, and into it ("Running the Kernel"). */
function realModeSector(): Uint8Array {
  const segment = BOOT_PARAMS >> 4
  const [low, high] = [segment & 0xff, segment >> 8]
  const entry = segment + 0x20
  const bytes = new Uint8Array(512)
  bytes.set([0xfa, 0xfc]) // CLI, CLD
  bytes.set([0xb8, low, high], 2) // MOV AX, segment
  bytes.set([0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8, 0x8e, 0xd0], 5) // MOV DS, ES, FS, GS, SS, AX
  bytes.set([0xbc, SETUP_HEAP_END & 0xff, SETUP_HEAP_END >> 8], 15) // MOV SP, heap's end
  bytes.set([0xea, 0, 0, entry & 0xff, entry >> 8], 18) // JMP segment + 20h:0
  return bytes
}

/** The first 4 GiB onto themselves, with 2 MiB pages. */
function identityMap(): Uint8Array {
  const bytes = new Uint8Array(6 * PAGE)
  const view = new DataView(bytes.buffer)
  const table = (index: number) => BigInt(PAGE_TABLES + index * PAGE) | 3n
  view.setBigUint64(0, table(1), true)
  for (let gib = 0; gib < 4; gib++) view.setBigUint64(PAGE + gib * 8, table(2 + gib), true)
  for (let page = 0; page < 4 * 512; page++) {
    view.setBigUint64(2 * PAGE + page * 8, (BigInt(page) << 21n) | 0x83n, true)
  }
  return bytes
}

function startSector(start: Uint8Array, entry64: boolean): Uint8Array {
  if (start.length !== 512) throw new RangeError(`direct-boot.bin has ${start.length} bytes instead of 512`)
  const bytes = new Uint8Array(start)
  const view = new DataView(bytes.buffer)
  view.setUint32(START_ENTRY, KERNEL_ADDRESS + (entry64 ? 0x200 : 0), true)
  view.setUint32(START_BOOT_PARAMS, BOOT_PARAMS, true)
  view.setUint32(START_PML4, entry64 ? PAGE_TABLES : 0, true)
  return bytes
}

function inMib(bytes: number): number {
  return Math.ceil(bytes / MIB)
}
