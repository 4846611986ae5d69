// Interrupts that wait or are handled for so long that a kernel's author wants to know, and what holds them up.
import type { Interrupt, InterruptsView } from '../../../../preload/bridge'
import { span } from '../tlb/moments'
import { sourceOf, vectorOf } from './interrupt-words'

/** ns of machine time */
const LONG = 5e7
const SHOWN = 4

export function openWords({
  open,
  now,
  controllers,
}: Pick<InterruptsView, 'open' | 'now' | 'controllers'>): string[] {
  const long = open.filter(({ accepted, delivered }) => now - (delivered ?? accepted ?? now) > LONG)
  const told = long.slice(0, SHOWN).map((one) => words(one, now, controllers))
  return long.length > SHOWN ? [...told, `and ${long.length - SHOWN} more`] : told
}

function words(one: Interrupt, now: number, controllers: InterruptsView['controllers']): string {
  const { cpu, delivered, accepted, vector } = one
  const what = `${sourceOf(one).name}, ${vectorOf(one).story},`
  if (delivered !== undefined)
    return `${what} was taken by CPU ${cpu} ${span(now - delivered)} ago and has not been ended: no EOI`
  const it = controllers.cpus.find((each) => each.cpu === cpu)
  const above = it?.apic.inService.find((each) => each >> 4 >= vector >> 4)
  const why = !it
    ? ''
    : !it.enabled
      ? ': its interrupts are off (IF is clear)'
      : it.apic.taskPriority >> 4 >= vector >> 4
        ? `: its task priority is ${it.apic.taskPriority.toString(16)}h`
        : above !== undefined
          ? `: vector ${above.toString(16)}h is in service`
          : ''
  return `${what} waits for CPU ${cpu} since ${span(now - (accepted ?? now))}${why}`
}
