// Is it Linux that runs? Its symbols (kallsyms) and types (BTF) are in its memory.
import type { MachineMemory } from '../../../machine/memory'
import { viewOfKernel } from '../guest-view'
import type { Kernel } from '../kernel'
import { Btf, BtfError } from './btf'
import { Kallsyms } from './kallsyms'
import type { Field } from './kernel-reader'

const BTF_MAX = 64 << 20

export interface LinuxKernel extends Kernel {
  readonly btf: Btf
  readonly kallsyms: Kallsyms
  /** Places of fields that were asked for. */
  readonly fields: Map<string, Field | undefined>
}

/**
 * @param progress is told now and then how much of the way is done, 0 to 1
 * @returns undefined when no Linux kernel with kallsyms and BTF runs; takes as long as going through the guest's RAM once
 */
export function findLinux(memory: MachineMemory, progress?: (done: number) => void): LinuxKernel | undefined {
  if (viewOfKernel(memory).unpaged) return undefined
  const kallsyms = Kallsyms.find(memory, progress)
  const start = kallsyms?.address('__start_BTF')
  const stop = kallsyms?.address('__stop_BTF')
  if (!kallsyms || start === undefined || stop === undefined || stop <= start || stop - start > BTF_MAX)
    return undefined
  const view = viewOfKernel(memory, start)
  try {
    return linuxKernel(Btf.read(view.bytes(start, Number(stop - start))), kallsyms)
  } catch (error) {
    if (error instanceof BtfError) return undefined
    throw error
  }
}

/** BTF says nothing about variables: those that are read here. */
const VARIABLES: Record<string, string> = {
  ...{ vmemmap_base: 'long unsigned int', page_offset_base: 'long unsigned int' },
  ...{ slab_caches: 'struct list_head', init_task: 'struct task_struct' },
}

export function linuxKernel(btf: Btf, kallsyms: Kallsyms): LinuxKernel {
  return {
    ...{ btf, kallsyms, types: btf, fields: new Map<string, Field | undefined>() },
    address: (name) => kallsyms.address(name),
    typeOf: (name) => btf.named(VARIABLES[name] ?? ''),
    typeNamed: (name) => btf.named(name),
    label: (address) => kallsyms.label(address),
  }
}
