import { type Component, defineAsyncComponent } from 'vue'
import AllocatorPanel from './AllocatorPanel.vue'
import ClimbPanel from './ClimbPanel.vue'
import CodePanel from './CodePanel.vue'
import CpuPanel from './CpuPanel.vue'
import CpusPanel from './CpusPanel.vue'
import EventsPanel from './EventsPanel.vue'
import FaultPanel from './FaultPanel.vue'
import HexPanel from './HexPanel.vue'
import type { PanelId } from './info'
import InterruptsPanel from './InterruptsPanel.vue'
import MemoryPanel from './MemoryPanel.vue'
import PageTablesPanel from './PageTablesPanel.vue'
import ScreenPanel from './ScreenPanel.vue'
import TlbPanel from './TlbPanel.vue'

export const COMPONENTS: Record<PanelId, Component> = {
  screen: ScreenPanel,
  // The terminal is a third of the page's code: it comes when the rest is drawn.
  serial: defineAsyncComponent(() => import('./SerialPanel.vue')),
  terminal: defineAsyncComponent(() => import('./TerminalPanel.vue')),
  cpu: CpuPanel,
  cpus: CpusPanel,
  climb: ClimbPanel,
  code: CodePanel,
  memory: MemoryPanel,
  allocator: AllocatorPanel,
  hex: HexPanel,
  events: EventsPanel,
  interrupts: InterruptsPanel,
  pages: PageTablesPanel,
  tlb: TlbPanel,
  fault: FaultPanel,
}
