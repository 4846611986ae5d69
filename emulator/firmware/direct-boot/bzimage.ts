// A Linux kernel file: the set-up header of the x86 boot protocol (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel
// Header"), read and judged.

import { KernelError } from './kernel-error'

export interface BzImage {
  /** 0x0206 is 2.06. */
  protocol: number
  /** What the kernel calls itself, if it does. */
  version: string | undefined
  /** The set-up header as boot_params wants it at 1F1h. */
  header: Uint8Array
  /** Boot sector and set-up code, the real-mode part. */
  setup: Uint8Array
  /** The protected-mode part. */
  kernel: Uint8Array
  /** Longest command line in bytes, without the final zero. */
  commandLineMax: number
  /** Highest address that the last byte of the initrd may have. */
  initrdMax: number
  /** Where the kernel wants to run and how many bytes it needs from there, before it has looked at the memory map. */
  preferred: number
  needed: number
  /** The file has a 64-bit entry point 200h behind its start. */
  entry64: boolean
  /**
   * To be started by its set-up code. Before protocol 2.10 (Linux 2.6.31) that is the only entry all such files have: programs
   * that only look like kernels (iPXE's ipxe.lkrn, SYSLINUX's memdisk) have nothing at their 32-bit one.
   */
  realMode: boolean
}

const SECTOR = 512
const HEADER = 0x1f1
const BOOT_FLAG = 0x1fe
const MAGIC = 0x202
/** Load address of a kernel with LOADED_HIGH. */
export const KERNEL_ADDRESS = 0x100000
const LOADED_HIGH = 1
const XLF_KERNEL_64 = 1

const hex = (value: number) => `${value.toString(16).toUpperCase()}h`
const dotted = (protocol: number) => `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`

/** Whether the file calls itself a Linux kernel: "HdrS" in the set-up header. */
export function isBzImage(file: Uint8Array): boolean {
  return file.length >= MAGIC + 4 && [0x48, 0x64, 0x72, 0x53].every((byte, i) => file[MAGIC + i] === byte)
}

/**
 * @param file all of it
 * @throws KernelError
 */
export function readBzImage(file: Uint8Array): BzImage {
  if (file.length < 2 * SECTOR) {
    throw new KernelError(
      `${file.length} bytes cannot be a Linux kernel: the boot sector and set-up code alone have more`,
    )
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (!isBzImage(file)) {
    throw new KernelError(
      `there is no “HdrS” at ${hex(MAGIC)}: this is no Linux kernel with the boot protocol 2.00 or later (a bzImage)`,
    )
  }
  if (view.getUint16(BOOT_FLAG, true) !== 0xaa55) {
    throw new KernelError(
      `the boot flag at ${hex(BOOT_FLAG)} is ${hex(view.getUint16(BOOT_FLAG, true))}, not AA55h`,
    )
  }
  const protocol = view.getUint16(0x206, true)
  if (protocol < 0x202 || protocol > 0x2ff) {
    throw new KernelError(
      `it has boot protocol ${dotted(protocol)} (at 206h); this program starts kernels with 2.02 and later`,
    )
  }
  const loadFlags = view.getUint8(0x211)
  if ((loadFlags & LOADED_HIGH) === 0) {
    throw new KernelError(
      'it is a zImage, which is loaded below 1 MiB (loadflags at 211h); build it as a bzImage',
    )
  }
  // 0 stands for 4, as in the first kernels.
  const setupSectors = view.getUint8(HEADER) || 4
  const start = (setupSectors + 1) * SECTOR
  const size = protocol >= 0x204 ? view.getUint32(0x1f4, true) * 16 : file.length - start
  if (start >= file.length || size - (file.length - start) >= 16) {
    throw new KernelError(
      `it was cut off: the header promises ${setupSectors} set-up sectors and ${size} bytes of kernel, ` +
        `${start + size} bytes with the boot sector; the file has ${file.length}`,
    )
  }
  if (size < 0x200)
    throw new KernelError(`the header gives the kernel ${size} bytes (syssize at 1F4h): there is none`)
  // The header ends where the jump at 200h goes, but behind everything its version has.
  const headerEnd = MAGIC + view.getUint8(0x201)
  if (headerEnd < 0x22c || headerEnd > 0x290 || headerEnd > start) {
    throw new KernelError(`the set-up header ends at ${hex(headerEnd)} (jump at 200h), which cannot be`)
  }
  const field = (since: number, at: number, read: () => number, otherwise: number) =>
    protocol >= since && headerEnd > at ? read() : otherwise
  const initSize = field(0x20a, 0x260, () => view.getUint32(0x260, true), 0)
  const preferred = field(0x20a, 0x258, () => Number(view.getBigUint64(0x258, true)), KERNEL_ADDRESS)
  if (preferred >= 0x1_0000_0000) {
    throw new KernelError(`it wants to run at ${hex(preferred)} (pref_address at 258h), above 4 GiB`)
  }
  const kernel = file.subarray(start, Math.min(start + size, file.length))
  return {
    protocol,
    version: versionOf(file, view, start),
    header: file.subarray(HEADER, headerEnd),
    setup: file.subarray(0, start),
    kernel,
    commandLineMax: field(0x206, 0x238, () => view.getUint32(0x238, true), 255),
    initrdMax: field(0x203, 0x22c, () => view.getUint32(0x22c, true), 0x37ffffff),
    preferred: Math.max(preferred, KERNEL_ADDRESS),
    needed: Math.max(initSize, kernel.length),
    entry64: (field(0x20c, 0x236, () => view.getUint16(0x236, true), 0) & XLF_KERNEL_64) !== 0,
    realMode: protocol < 0x20a,
  }
}

/** kernel_version at 20Eh: offset of a text, less 200h. */
function versionOf(file: Uint8Array, view: DataView, end: number): string | undefined {
  const offset = view.getUint16(0x20e, true)
  if (offset === 0 || offset + 0x200 >= end) return undefined
  const text = file.subarray(offset + 0x200, Math.min(offset + 0x200 + 256, end))
  const zero = text.indexOf(0)
  if (zero <= 0) return undefined
  const characters = String.fromCharCode(...text.subarray(0, zero))
  return /^[ -~]+$/.test(characters) ? characters : undefined
}

/** The kernel in a few words. @param head the first 32 KiB of the file, or all of it */
export function describeBzImage(head: Uint8Array): string {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const version = versionOf(head, view, head.length)
  return `Linux kernel (bzImage)${version ? ` ${version}` : ''}, boot protocol ${dotted(view.getUint16(0x206, true))}`
}
