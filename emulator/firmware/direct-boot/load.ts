// Direct boot: a kernel file of the host's, put into guest memory with everything it is to be handed.
import type { Chunk, DirectBoot, E820Range } from './chunks'
import { kernelKind, notAKernel } from './kernel'
import { planLinux } from './linux'
import { planMultiboot } from './multiboot'

export type { Chunk, DirectBoot, E820Range, InitrdFile } from './chunks'

/** What stands in the place of the boot sector: start.asm and multiboot.asm, assembled. */
export interface Starters {
  linux: Uint8Array
  multiboot: Uint8Array
}

/**
 * @param memory bytes of guest RAM
 * @param e820 the firmware's memory map
 * @returns what to write to guest memory, disjoint
 * @throws KernelError when the kernel cannot be started, or does not fit into the memory with what it is handed
 */
export function planDirectBoot(
  boot: DirectBoot,
  starters: Starters,
  memory: number,
  e820: readonly E820Range[],
): Chunk[] {
  const kind = kernelKind(boot.kernel)
  if (kind === undefined) throw notAKernel()
  return kind === 'bzimage'
    ? planLinux(boot, starters.linux, memory, e820)
    : planMultiboot(boot, starters.multiboot, e820)
}
