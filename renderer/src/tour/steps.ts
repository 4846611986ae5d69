// A short way through the window while Seedling runs: what to look at, and what to do there.
import type { PresetId } from '../dock/presets'
import type { PanelId } from '../panels/info'

export interface TourStep {
  title: string
  text: string
  /** What to try, in a line. */
  attempt: string
  /** The layout that it is seen in. */
  preset: PresetId
  /** The panel it points at; else the element of this test id. */
  panel?: PanelId
  element?: string
  /** Typed at COM1, where Seedling's shell listens, when somebody asks for it. */
  types?: string
}

export const STEPS: readonly TourStep[] = [
  {
    title: 'A PC, from its first instruction on',
    text: 'Seedling, a small kernel, boots in a machine of its own. This strip is its climb from the reset vector to user mode, with the time each stage was reached.',
    attempt: 'Click a stage: the instruction that did it, and the registers before and after.',
    preset: 'boot',
    element: 'climb',
  },
  {
    title: 'The guest speaks',
    text: 'COM1 is a console. Seedling has a shell here; what you type goes to its serial port, as it would through a cable.',
    attempt: 'Type help and press Enter.',
    preset: 'boot',
    panel: 'serial',
    types: 'help\r',
  },
  {
    title: 'Stop, and step',
    text: 'F6 pauses the whole machine, F11 steps one instruction, F5 lets it run. Registers that changed since the last stop are amber; every address leads somewhere.',
    attempt: 'Press F6, then F11 a few times, then F5.',
    preset: 'boot',
    panel: 'cpu',
  },
  {
    title: 'Who owns each page frame',
    text: 'Every cell is a frame of 4 KiB, as Seedling’s own allocator sees it. Hover over one for its story: who took it, when, where it is mapped.',
    attempt: 'Let it fork: forkstorm 50 makes processes come and go.',
    preset: 'memory',
    panel: 'allocator',
    types: 'forkstorm 50\r',
  },
  {
    title: 'From an address to a frame',
    text: 'The walk through the page tables, step by step, with each bit named. Click a bit to ask what would be if it were the other way round; nothing is written.',
    attempt: 'Click an address in any panel and choose “Show the walk of its page”.',
    preset: 'memory',
    panel: 'pages',
  },
  {
    title: 'When it goes wrong',
    text: 'fault KIND makes Seedling fail on purpose. A machine that dies or comes to rest says in a sentence why, with the evidence; Reset starts it again.',
    attempt: 'fault alone lists the kinds. Reset: Ctrl+Shift+F5.',
    preset: 'boot',
    panel: 'screen',
    types: 'fault\r',
  },
  {
    title: 'Everything else',
    text: 'The command palette finds every panel, layout and command. Drop your own image on the window, and it opens beside this one.',
    attempt: 'Ctrl+Shift+P for commands, Ctrl+P for an address or a symbol.',
    preset: 'boot',
    element: 'palette-open',
  },
]
