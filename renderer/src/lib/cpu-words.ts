// A CPU in a word, a letter and a colour: violet ring 0, teal ring 3, grey halted; never the colour alone.
import type { CpuBrief } from '../../../preload/bridge'

export interface CpuWord {
  /** On a chip: r0, r3, hlt. */
  short: string
  /** In a sentence. */
  long: string
  kind: 'kernel' | 'user' | 'halted' | 'dead'
}

export function cpuWord({ ring, activity }: CpuBrief): CpuWord {
  switch (activity) {
    case 'halted':
      return { short: 'hlt', long: 'halted, waits for an interrupt', kind: 'halted' }
    case 'shutdown':
      return { short: 'down', long: 'shut down by a triple fault', kind: 'dead' }
    case 'wait-for-sipi':
      return { short: 'sipi', long: 'not started yet, waits for SIPI', kind: 'halted' }
    default:
      return { short: `r${ring}`, long: `runs in ring ${ring}`, kind: ring === 3 ? 'user' : 'kernel' }
  }
}
