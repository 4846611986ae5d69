// The panels of a machine's window. Titles are what tabs and menus say.
export type PanelId = 'screen' | 'serial' | 'cpu' | 'code' | 'memory' | 'fault'

export interface PanelInfo {
  title: string
  /** Belongs to this run, not to the layout. */
  transient?: boolean
}

export const PANELS: Record<PanelId, PanelInfo> = {
  screen: { title: 'Screen' },
  serial: { title: 'Serial COM1' },
  cpu: { title: 'CPU' },
  code: { title: 'Code' },
  memory: { title: 'Memory map' },
  fault: { title: 'What went wrong', transient: true },
}

export const PANEL_IDS = Object.keys(PANELS) as PanelId[]
export const isPanel = (id: string): id is PanelId => Object.hasOwn(PANELS, id)
