// The interrupt controllers as they are programmed now: the I/O APIC's inputs, the pair of 8259A, and of each CPU what waits and what
// is in service (82093AA 3.2.4; 8259A data sheet; SDM 3A 11).
import * as L from '../core/layout'
import type { MachineMemory } from '../machine/memory'
import { lineOf } from './interrupt-flow'
import { type LocalApic, localApic } from './local-apic'

export interface IoApicInput {
  input: number
  /** IRQ 0-15, 16-19 PIRQA-PIRQD; absent: the 8259's INTR. */
  line?: number
  /** The level at the input, and whether that is what the entry calls active. */
  high: boolean
  active: boolean
  masked: boolean
  vector: number
  delivery: string
  /** Level-triggered; else by edges. */
  level: boolean
  activeLow: boolean
  /** Sent, accepted and not yet ended. */
  remoteIrr: boolean
  logical: boolean
  destination: number
  /** CPUs that the destination means now. */
  cpus: number[]
}

export interface PicInput {
  irq: number
  high: boolean
  masked: boolean
  requested: boolean
  inService: boolean
  level: boolean
  vector: number
}

export interface CpuInterrupts {
  cpu: number
  /** Takes interrupts: RFLAGS.IF. */
  enabled: boolean
  apic: Pick<
    LocalApic,
    'mode' | 'enabled' | 'id' | 'taskPriority' | 'logicalDestination' | 'requested' | 'inService' | 'timer'
  >
  /** Of the APIC's timer. */
  timerVector: number
  timerMasked: boolean
}

export interface InterruptControllers {
  ioapic: IoApicInput[]
  pic: PicInput[]
  /** PIRQA-PIRQD: the IRQ that the PIIX routes it to. */
  pirqs: (number | undefined)[]
  cpus: CpuInterrupts[]
}

const INPUTS = 24
const PIRQ_ROUTES = 8
const DELIVERY = ['fixed', 'lowest priority', 'SMI', 'reserved', 'NMI', 'INIT', 'reserved', 'ExtINT'] as const
const IF = 0x200n

export function interruptControllers(memory: MachineMemory): InterruptControllers {
  const { view } = memory
  const apics = Array.from({ length: memory.cpuCount }, (_, cpu) => localApic(memory, cpu))
  const levels = view.getUint32(L.DEV_IOAPIC + L.IOAPIC_LEVELS, true)
  const ioapic = Array.from({ length: INPUTS }, (_, input): IoApicInput => {
    const at = L.DEV_IOAPIC + L.IOAPIC_TABLE + input * 8
    const low = view.getUint32(at, true)
    const destination = view.getUint32(at + 4, true) >>> 24
    const line = lineOf(input)
    const high = ((levels >>> input) & 1) !== 0
    const activeLow = (low & 0x2000) !== 0
    const logical = (low & 0x800) !== 0
    return {
      ...{ input, high, activeLow, logical, destination },
      ...(line === undefined ? {} : { line }),
      active: high !== activeLow,
      masked: (low & 0x10000) !== 0,
      vector: low & 0xff,
      delivery: DELIVERY[(low >> 8) & 7]!,
      level: (low & 0x8000) !== 0,
      remoteIrr: (low & 0x4000) !== 0,
      cpus: apics.flatMap((apic, cpu) => (isMeant(apic, cpu, destination, logical) ? [cpu] : [])),
    }
  })
  const pic = Array.from({ length: 16 }, (_, irq): PicInput => {
    const at = L.DEV_PIC + (irq >> 3) * L.PIC_SIZE
    const bit = (register: number) => ((view.getUint8(at + register) >> (irq & 7)) & 1) !== 0
    const level = bit(L.PIC_ELCR)
    const high = bit(L.PIC_LINES)
    return {
      ...{ irq, level, high },
      masked: bit(L.PIC_IMR),
      // A level is not latched.
      requested: level ? high : bit(L.PIC_IRR),
      inService: bit(L.PIC_ISR),
      vector: (view.getUint8(at + L.PIC_ICW2) & 0xf8) | (irq & 7),
    }
  })
  const pirqs = [0, 1, 2, 3].map((pirq) => {
    const route = view.getUint8(L.DEV_LINES + PIRQ_ROUTES + pirq)
    return route & 0x80 ? undefined : route & 15
  })
  const cpus = apics.map((apic, cpu): CpuInterrupts => {
    const { mode, enabled, id, taskPriority, logicalDestination, requested, inService, timer } = apic
    const entry = apic.vectors.find(({ name }) => name === 'timer')
    return {
      cpu,
      enabled: (memory.cpu64(cpu, L.CPU_RFLAGS) & IF) !== 0n,
      apic: { mode, enabled, id, taskPriority, logicalDestination, requested, inService, timer },
      timerVector: entry?.vector ?? 0,
      timerMasked: entry?.masked ?? true,
    }
  })
  return { ioapic, pic, pirqs, cpus }
}

/** Whether a message of the I/O APIC means this CPU (SDM 3A 10.6.2, 10.12.10). */
function isMeant(apic: LocalApic, cpu: number, destination: number, logical: boolean): boolean {
  if (apic.mode === 'off') return false
  if (destination === 0xff) return true
  if (!logical) return destination === cpu
  const ldr = apic.logicalDestination
  if (apic.mode === 'x2APIC') return ldr >>> 16 === 0 && (ldr & destination & 0xffff) !== 0
  if (apic.destinationFormat === 15) return (ldr & destination) !== 0
  return (ldr >> 4 === destination >> 4 || destination >> 4 === 15) && (ldr & destination & 15) !== 0
}
