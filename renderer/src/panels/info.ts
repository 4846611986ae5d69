// The panels of a machine's window. Titles are what tabs and menus say.
export type PanelId =
  | 'screen'
  | 'serial'
  | 'cpu'
  | 'cpus'
  | 'climb'
  | 'code'
  | 'memory'
  | 'allocator'
  | 'hex'
  | 'events'
  | 'interrupts'
  | 'pages'
  | 'tlb'
  | 'terminal'
  | 'fault'

export interface PanelInfo {
  title: string
  /** Narrower than this it does not make sense, px. */
  minimumWidth: number
  /** Belongs to this run, not to the layout. */
  transient?: boolean
}

export const PANELS: Record<PanelId, PanelInfo> = {
  screen: { title: 'Screen', minimumWidth: 260 },
  serial: { title: 'Serial', minimumWidth: 200 },
  cpu: { title: 'CPU', minimumWidth: 288 },
  cpus: { title: 'CPUs', minimumWidth: 300 },
  climb: { title: 'Climb', minimumWidth: 300 },
  code: { title: 'Code', minimumWidth: 280 },
  memory: { title: 'Memory map', minimumWidth: 280 },
  allocator: { title: 'Allocator', minimumWidth: 300 },
  hex: { title: 'Bytes', minimumWidth: 320 },
  events: { title: 'Events', minimumWidth: 320 },
  interrupts: { title: 'Interrupts', minimumWidth: 320 },
  pages: { title: 'Page tables', minimumWidth: 320 },
  tlb: { title: 'TLB', minimumWidth: 300 },
  terminal: { title: 'Terminal', minimumWidth: 200 },
  fault: { title: 'What went wrong', minimumWidth: 260, transient: true },
}

export const PANEL_IDS = Object.keys(PANELS) as PanelId[]
export const isPanel = (id: string): id is PanelId => Object.hasOwn(PANELS, id)
