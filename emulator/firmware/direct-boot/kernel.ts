// What kind of kernel a file is, told by its content.
import { isElf, machineName } from '../../media/elf'
import { hasBootSignature } from '../../media/partitions'
import { describeBzImage, isBzImage, readBzImage } from './bzimage'
import { KernelError } from './kernel-error'
import { readMultiboot } from './multiboot'
import { isRawMultiboot, MULTIBOOT_HEAD, multibootVersion } from './multiboot-header'

/** `elf`: an ELF file that does not say how it is to be started. */
export type KernelKind = 'bzimage' | 'multiboot' | 'multiboot2' | 'elf'

/** As much of a file as must be known for `kernelKind` and `describeKernel`. */
export const KERNEL_HEAD = MULTIBOOT_HEAD

/**
 * @param head the first KERNEL_HEAD bytes of the file, or all of it
 * @returns undefined for a file that is no kernel; it may be an image. One that ends its first sector with 55 AA and is
 *   no ELF file is an image even when a boot loader in it has a Multiboot header of its own, as GRUB has.
 */
export function kernelKind(head: Uint8Array): KernelKind | undefined {
  if (isBzImage(head)) return 'bzimage'
  const start = head.subarray(0, KERNEL_HEAD)
  const elf = isElf(start)
  if (!elf && (hasBootSignature(start) || !isRawMultiboot(start))) return undefined
  const version = multibootVersion(start)
  return version === 2 ? 'multiboot2' : version === 1 ? 'multiboot' : 'elf'
}

/** @throws KernelError when the file cannot be started on any machine, whatever its memory */
export function checkKernel(file: Uint8Array): void {
  const kind = kernelKind(file)
  if (kind === 'bzimage') readBzImage(file)
  else if (kind === undefined) throw notAKernel()
  else readMultiboot(file)
}

export function notAKernel(): KernelError {
  return new KernelError(
    'this is no kernel that can be started directly: neither a Linux bzImage (there is no “HdrS” at 202h) nor a file with a Multiboot header',
  )
}

/**
 * The kernel in a few words.
 * @param head the first KERNEL_HEAD bytes of the file, or all of it
 * @returns undefined when it is none
 */
export function describeKernel(head: Uint8Array): string | undefined {
  switch (kernelKind(head)) {
    case 'bzimage':
      return describeBzImage(head)
    case 'multiboot':
      return `${container(head)} with a Multiboot header`
    case 'multiboot2':
      return `${container(head)} with a Multiboot 2 header`
    case 'elf':
      return `${container(head)} without a Multiboot header`
    default:
      return undefined
  }
}

function container(head: Uint8Array): string {
  if (!isElf(head)) return 'flat kernel'
  const machine = head.length >= 20 ? head[18]! | (head[19]! << 8) : 0
  return `ELF${head[4] === 2 ? 64 : 32} kernel for ${machineName(machine)}`
}
