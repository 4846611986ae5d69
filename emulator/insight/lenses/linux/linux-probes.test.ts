// Probes of a real Linux 6.1 against its own counters, and against its struct pages (real-linux.ts).
import { afterEach, expect, test } from 'vitest'
import * as L from '../../../core/layout'
import { linear, type Machine } from '../../../machine/api'
import { AllocationLedger } from '../../events/allocation-ledger'
import { EventReader } from '../../events/event-reader'
import { type EventRecord, EventTable } from '../../events/event-table'
import { viewOfKernel } from '../guest-view'
import { lensProbes } from '../probes'
import { Reader } from '../reader'
import { findLinux, type LinuxKernel } from './find-linux'
import { KernelReader } from './kernel-reader'
import { LINUX_DIRECT_MAP, LINUX_PROBES } from './linux-probes'
import { Orc } from './orc'
import { bootRealLinux, createRealLinux, hasRealLinux } from './real-linux'
import { readLinux } from './read-linux'

let machine: Machine | undefined
afterEach(async () => {
  await machine?.dispose()
  machine = undefined
})

/** mm/vmstat.c: what /proc/vmstat adds up, a count of pages on each CPU. */
function counters(linux: KernelReader) {
  const item = (name: string) => linux.enumerator('enum vm_event_item', name)
  const sum = (name: string) => {
    const index = item(name)
    const area = linux.kernel.address('vm_event_states')
    if (index === undefined || area === undefined) return 0
    let total = 0
    for (let cpu = 0; cpu < linux.cpus; cpu++)
      total += Number(linux.word(area + linux.perCpu(cpu) + BigInt(8 * index)))
    return total
  }
  const allocated = ['DMA', 'DMA32', 'NORMAL', 'MOVABLE'].map((zone) => sum(`PGALLOC_${zone}`))
  return { allocated: allocated.reduce((a, b) => a + b, 0), freed: sum('PGFREE') }
}

test.skipIf(!hasRealLinux)(
  'a real Linux: as many frames as it counts, each with who asked for it, and the last word on each is its struct page’s',
  { timeout: 900_000 },
  async () => {
    const real = await createRealLinux()
    const started = (machine = real.machine)
    const table = new EventTable(512)
    let reader: EventReader | undefined
    let ledger = new AllocationLedger([])
    const all: EventRecord[] = []
    const take = (rest = false) => {
      for (const event of reader?.take(rest) ?? []) {
        ledger.hear(event)
        all.push(event)
      }
    }
    const said = (what: RegExp) => real.said(what, take)
    await bootRealLinux(real)
    // A moment at which the kernel is not in the middle of anything.
    const stand = async (command: string) => {
      await started.pause()
      void started.serialInput(0, Buffer.from(command))
      await started.runUntil(linear(kernel.address('frag_show')!))
      take(true)
    }
    await started.pause()
    const kernel: LinuxKernel = findLinux(started.memory)!
    const probeReader = new Reader(viewOfKernel(started.memory), kernel)
    const probes = lensProbes(probeReader, LINUX_PROBES)
    expect(probeReader.troubles).toEqual([])
    expect(probes).toHaveLength(LINUX_PROBES.length)
    await stand('cat /proc/buddyinfo\n')
    const before = counters(new KernelReader(started.memory, kernel))
    ledger = new AllocationLedger(probes)
    reader = new EventReader(started.memory, table)
    const orc = Orc.read(viewOfKernel(started.memory), kernel)!
    expect(orc).toBeDefined()
    reader.unwind = (caller, candidates, places) => orc.unwind(caller, candidates, places)
    started.watchEvents(L.EVENT_CLASS_PROBE)
    started.setProbes(probes, probeReader.big(LINUX_DIRECT_MAP))
    started.run()
    await said(/zone/)
    real.text = ''
    await started.serialInput(
      0,
      Buffer.from(
        'i=0; while [ $i -lt 40 ]; do (cat /proc/vmstat | sha256sum; dd if=/dev/zero of=/tmp/f bs=64k count=16; rm /tmp/f) >/dev/null 2>&1; i=$((i+1)); done; echo STORM""DONE\n',
      ),
    )
    await said(/STORMDONE/)
    await stand('cat /proc/buddyinfo\n')
    const after = counters(new KernelReader(started.memory, kernel))
    const counted = { allocated: after.allocated - before.allocated, freed: after.freed - before.freed }
    const heard = { allocated: ledger.framesTaken, freed: ledger.framesGiven }
    // Who asked, and who asked for that, by the kernel's own tables.
    const chains = new Map<string, number>()
    for (const { a, d, stack } of all) {
      const names = [d, ...(stack ?? [])].map((at) => (kernel.label(at) ?? '').replace(/\+.*/, ''))
      const name = [probes[a & 0xffff]!.function, ...names].join(' < ')
      chains.set(name, (chains.get(name) ?? 0) + 1)
    }
    const most = [...chains].sort((one, other) => other[1] - one[1]).map(([name]) => name)
    for (const chain of [
      '__alloc_pages < __folio_alloc < vma_alloc_folio < wp_page_copy < __handle_mm_fault < handle_mm_fault < do_user_addr_fault < exc_page_fault < asm_exc_page_fault',
      'free_unref_page_list < release_pages < tlb_batch_pages_flush < tlb_finish_mmu < exit_mmap < __mmput < do_exit < do_group_exit < __x64_sys_exit_group',
      '__alloc_pages_bulk < __vmalloc_node_range < copy_process',
    ])
      expect(most.slice(0, 30).filter((each) => each.startsWith(chain))).not.toEqual([])
    expect(table.lost).toBe(0)
    // The page's struct page agrees with what was heard of it last.
    const reading = readLinux(started.memory, kernel)
    const differ = [...ledger.frames()].filter(([frame, { what }]) => {
      const use = reading.frames.uses[reading.frames.use[frame]!]!.name
      return (what === 'freed') !== /^free/.test(use)
    })
    expect(differ).toEqual([])
    expect(ledger.usesAfterFree).toEqual([])
    expect(ledger.doubleFrees).toEqual([])
    expect(counted.allocated).toBeGreaterThan(2000)
    expect(heard).toEqual(counted)
  },
)
