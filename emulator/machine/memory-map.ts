// Who answers where in the guest-physical address space, and what of it the firmware tells the guest.
import * as P from '../core/chipset/pci-layout'
import * as L from '../core/layout'
import { type E820Entry, type MemoryRegion, physical } from './api'
import type { MachineMemory } from './memory'

/** The extended BIOS data area begins here (emulator/core/bios/bda.ts). */
const EBDA = 0x9fc00
const VGA = 0xa0000
const ROM_LOW = 0x100000 - L.ROM_SIZE
const ROM_HIGH = 0x1_0000_0000 - L.ROM_SIZE
const MIB = 0x100000
const SEGMENT = 0x4000
const IO_APIC = 0xfec0_0000
const HPET = 0xfed0_0000
const HPET_SIZE = 0x400
// IA32_APIC_BASE
const APIC_ENABLED = 0x800n
const APIC_MODE = 0xc00n
/** What the firmware keeps free for ROM below 4 GiB (core/bios/int15-system.ts). */
const RESERVED_HIGH = 0xfffc_0000

/** As INT 15h/E820h answers it. */
export function e820(memory: MachineMemory): E820Entry[] {
  const entry = (base: number, end: number, type: 1 | 2): E820Entry => ({
    base: physical(base),
    length: end - base,
    type,
  })
  return [
    entry(0, EBDA, 1),
    entry(EBDA, VGA, 2),
    entry(ROM_LOW, MIB, 2),
    entry(MIB, memory.ramSize, 1),
    entry(RESERVED_HIGH, 0x1_0000_0000, 2),
  ].filter(({ length }) => length > 0)
}

/** Who answers where now, lowest first: RAM in place of the ROM, and ranges of the PCI bus, as the guest has them. */
export function memoryMap(memory: MachineMemory): MemoryRegion[] {
  const region = (start: number, end: number, kind: MemoryRegion['kind'], name: string): MemoryRegion => ({
    start: physical(start),
    end: physical(end),
    kind,
    name,
  })
  const apic = memory.cpu64(0, L.CPU_APIC_BASE)
  const apicPage = Number(apic & 0xf_ffff_f000n)
  return [
    region(0, VGA, 'ram', 'conventional memory'),
    region(VGA, 0xc0000, 'video', 'VGA'),
    ...upperMemory(memory).map(([start, end, kind, name]) => region(start, end, kind, name)),
    region(MIB, memory.ramSize, 'ram', 'extended memory'),
    ...pciWindows(memory).map(([start, end, kind, name]) => region(start, end, kind, name)),
    region(IO_APIC, IO_APIC + L.PAGE_SIZE, 'device', 'I/O APIC'),
    region(HPET, HPET + HPET_SIZE, 'device', 'HPET'),
    // In x2APIC mode, or switched off, the page is not there.
    ...((apic & APIC_MODE) === APIC_ENABLED
      ? [region(apicPage, apicPage + L.PAGE_SIZE, 'device', 'local APIC')]
      : []),
    region(ROM_HIGH, 0x1_0000_0000, 'rom', 'system ROM'),
  ]
    .filter(({ start, end }) => end > start)
    .sort((a, b) => Number(a.start) - Number(b.start))
}

/** Memory ranges of PCI functions, where BARs and command registers have them now. */
function pciWindows({ view }: MachineMemory): [number, number, 'video' | 'device', string][] {
  const windows: [number, number, 'video' | 'device', string][] = []
  const count = Math.min(view.getUint32(L.DEV_PCI + P.PCI_WINDOW_COUNT, true), P.PCI_WINDOW_MAX)
  for (let n = 0; n < count; n++) {
    const record = L.DEV_PCI + P.PCI_WINDOWS + n * P.PCI_WINDOW_SIZE
    if (view.getUint32(record + P.PCI_WINDOW_IO, true)) continue
    const start = Number(view.getBigUint64(record + P.PCI_WINDOW_BASE, true))
    const end = start + Number(view.getBigUint64(record + P.PCI_WINDOW_LENGTH, true))
    const handler = view.getUint32(record + P.PCI_WINDOW_HANDLER, true)
    if (handler === P.RANGE_VGA_FRAMEBUFFER) windows.push([start, end, 'video', 'linear frame buffer'])
    else windows.push([start, end, 'device', handler === P.RANGE_VGA_REGISTERS ? 'VGA registers' : 'PCI'])
  }
  return windows
}

/** C0000h-FFFFFh by 16 KiB, neighbours of one kind together: ROM, or RAM where the host bridge says so. */
function upperMemory(memory: MachineMemory): [number, number, 'ram' | 'rom', string][] {
  const shadow = memory.header32(L.HDR_SHADOW)
  const parts: [number, number, 'ram' | 'rom', string][] = []
  for (let segment = 0; segment < 16; segment++) {
    const start = 0xc0000 + segment * SEGMENT
    const read = (shadow >>> segment) & 1
    if (!read && start < ROM_LOW) continue
    const kind = read ? 'ram' : 'rom'
    const name = read ? 'shadow RAM' : 'system ROM'
    const last = parts.at(-1)
    if (last && last[1] === start && last[2] === kind) last[1] = start + SEGMENT
    else parts.push([start, start + SEGMENT, kind, name])
  }
  return parts
}
