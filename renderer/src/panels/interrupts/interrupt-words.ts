// An interrupt's way in words: what asked for it, what it went through, with which vector, to whom.
import type { Interrupt, InterruptWay } from '../../../../preload/bridge'
import { hex } from '../../lib/format'
import { span } from '../tlb/moments'

export type Way = Pick<Interrupt, 'route' | 'vector'> &
  Partial<Pick<InterruptWay, 'line' | 'message' | 'nobody' | 'cpu'>>
export type SourceKind = 'device' | 'ipi' | 'local' | 'message' | 'unseen'
export interface Named {
  /** Tells it from the others of its column. */
  id: string
  name: string
  /** In a sentence. */
  story: string
}

const DEVICES: Record<number, string> = {
  ...{
    0: 'timer',
    1: 'keyboard',
    2: 'cascade',
    3: 'COM2/4',
    4: 'COM1/3',
    6: 'floppy',
    8: 'clock',
    9: 'ACPI',
  },
  ...{ 12: 'mouse', 13: 'FPU', 14: 'IDE', 15: 'IDE 2' },
}

/** @param line IRQ 0-15, 16-19 PIRQA-PIRQD, from 20 on the I/O APIC's own inputs */
export function lineName(line: number): string {
  if (line >= 20) return `input ${line}`
  if (line >= 16) return `PIRQ${'ABCD'[line - 16]} PCI`
  const device = DEVICES[line]
  return device ? `IRQ ${line} ${device}` : `IRQ ${line}`
}

export const sourceKind = ({ route, line }: Way): SourceKind =>
  route.by === 'ipi'
    ? 'ipi'
    : route.by === 'local'
      ? 'local'
      : route.by === 'msi'
        ? 'message'
        : line === undefined && route.by === 'unseen'
          ? 'unseen'
          : 'device'

const LOCAL = {
  ...{ timer: 'APIC timer', error: 'APIC error', performance: 'perf. counter', thermal: 'thermal' },
  ...{ LINT0: 'LINT0', LINT1: 'LINT1' },
} as const

/** What asked for it. */
export function sourceOf(way: Way): Named {
  const { route, line } = way
  if (route.by === 'ipi')
    return { id: `ipi${route.from}`, name: `CPU ${route.from}`, story: `asked for by CPU ${route.from}` }
  if (route.by === 'local') {
    const name = LOCAL[route.source]
    return { id: `local${route.source}`, name, story: `each CPU’s own: ${name}` }
  }
  if (route.by === 'msi')
    return { id: 'msi', name: 'device', story: 'a device that writes the interrupt as a message' }
  if (line !== undefined)
    return { id: `line${line}`, name: lineName(line), story: `the line ${lineName(line)}` }
  if (route.by === 'ioapic') return { id: 'intr', name: '8259A INTR', story: 'the pair of 8259A' }
  return {
    id: 'unseen',
    name: 'not seen',
    story: 'it was sent before somebody looked, or the event was lost',
  }
}

/** What it went through. */
export function viaOf({ route, message }: Way): Named {
  const mode = message === undefined ? '' : ` ${message}`
  switch (route.by) {
    case 'pic':
      return {
        id: `pic${route.irq}`,
        name: `8259A IR${route.irq}`,
        story: `input ${route.irq} of the pair of 8259A`,
      }
    case 'ioapic':
      return {
        id: `ioapic${route.input}`,
        name: `I/O APIC ${route.input}`,
        story: `input ${route.input} of the I/O APIC`,
      }
    case 'ipi':
      return { id: 'ipi', name: 'IPI', story: `an interprocessor interrupt${mode}` }
    case 'msi':
      return { id: 'msi', name: 'MSI', story: 'a message-signalled interrupt' }
    case 'local':
      return { id: 'lvt', name: 'local APIC', story: 'the local vector table' }
    default:
      return { id: 'unseen', name: '–', story: 'not seen' }
  }
}

/** With which vector, or what else. */
export function vectorOf({ vector, message }: Way): Named {
  if (message === undefined)
    return { id: `v${vector}`, name: `${hex(vector, 2)}h`, story: `vector ${hex(vector, 2)}h` }
  if (message !== 'start-up') return { id: message, name: message, story: message }
  const at = `${hex(vector << 8, 4)}:0000`
  return {
    id: `sipi${vector}`,
    name: `SIPI ${hex(vector, 2)}h`,
    story: `start-up IPI: the CPU begins at ${at}`,
  }
}

/** To whom. */
export function targetOf({ cpu, nobody }: Way): Named {
  if (nobody)
    return { id: 'nobody', name: 'nobody', story: 'no CPU’s local APIC was meant by the destination' }
  if (cpu === undefined) return { id: 'none', name: 'not taken', story: 'no CPU has taken it yet' }
  return { id: `cpu${cpu}`, name: `CPU ${cpu}`, story: `CPU ${cpu}` }
}

/** One interrupt as a sentence for each step. */
export function storyOf(one: Interrupt): string[] {
  const { raised, routed, accepted, delivered, ended, cpu } = one
  const steps: string[] = []
  let last: number | undefined
  const after = (time: number) => {
    const text = last === undefined ? '' : `, ${span(Math.max(0, time - last))} later`
    last = time
    return text
  }
  const source = sourceOf(one)
  // A level that has stayed up is no news.
  if (raised !== undefined && routed !== undefined && routed - raised < 1e6) {
    steps.push(`${source.name} rose`)
    last = raised
  }
  if (routed !== undefined) {
    const by = one.route.by === 'ipi' ? `${source.name} sent it` : `${viaOf(one).name} sent it`
    steps.push(`${by} as ${vectorOf(one).story}${one.nobody ? ', to nobody' : ''}${after(routed)}`)
  }
  if (accepted !== undefined) steps.push(`accepted by the local APIC of CPU ${cpu}${after(accepted)}`)
  if (delivered !== undefined) steps.push(`taken by CPU ${cpu}${after(delivered)}`)
  if (ended !== undefined) steps.push(`ended (EOI)${after(ended)}`)
  else if (delivered !== undefined) steps.push('not ended yet')
  return steps
}

/** 12/s, 1.2 k/s; empty for next to nothing. */
export function rateText(rate: number): string {
  if (rate < 0.5) return ''
  if (rate < 1000) return `${rate < 9.5 ? rate.toFixed(1) : Math.round(rate)}/s`
  return rate < 999_500 ? `${(rate / 1e3).toPrecision(3)} k/s` : `${(rate / 1e6).toPrecision(3)} M/s`
}
