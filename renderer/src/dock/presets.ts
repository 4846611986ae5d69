// Layouts to begin with.
import type { DockviewApi } from 'dockview-core'
import { PANELS, type PanelId } from '../panels/info'

export const PRESETS = {
  boot: 'Boot',
  debug: 'Debug',
  memory: 'Memory',
  screen: 'Screen only',
} as const

export type PresetId = keyof typeof PRESETS
export const isPreset = (id: string): id is PresetId => Object.hasOwn(PRESETS, id)

/** Narrower than this, three columns do not fit beside each other, px. */
const THREE_COLUMNS = 1120
export const isWide = (width: number): boolean => width >= THREE_COLUMNS

/** A header and a few lines, px. */
export const MINIMUM_HEIGHT = 90

/** Puts the panels where the preset says; what is not part of it is closed. */
export function applyPreset(dock: DockviewApi, preset: PresetId) {
  dock.clear()
  const add = (
    id: PanelId,
    beside?: PanelId,
    direction: 'within' | 'left' | 'right' | 'above' | 'below' = 'within',
    size: { initialWidth?: number; initialHeight?: number } = {},
  ) =>
    dock.addPanel({
      id,
      component: id,
      title: PANELS[id].title,
      minimumWidth: PANELS[id].minimumWidth,
      minimumHeight: MINIMUM_HEIGHT,
      ...(beside === undefined ? {} : { position: { referencePanel: beside, direction } }),
      ...size,
      inactive: direction === 'within' && beside !== undefined,
    })
  const { width, height } = dock
  const wide = isWide(width)
  const side = wide ? Math.round(Math.max(292, Math.min(308, width * 0.22))) : 290
  switch (preset) {
    case 'boot': {
      add('screen')
      add('cpu', 'screen', 'left', { initialWidth: side })
      if (wide) {
        const right = Math.round(Math.min(430, Math.max(340, width * 0.265)))
        add('memory', 'screen', 'right', { initialWidth: right })
        add('code', 'memory', 'below', { initialHeight: Math.round(height * 0.42) })
        add('serial', 'screen', 'below', { initialHeight: Math.round(height * 0.34) })
      } else {
        add('memory', 'screen')
        add('serial', 'screen', 'below', { initialHeight: Math.round(height * 0.42) })
        add('code', 'serial')
      }
      break
    }
    case 'debug': {
      add('code')
      add('cpu', 'code', 'left', { initialWidth: side })
      add('screen', 'code', 'right', { initialWidth: Math.round(width * 0.38) })
      add('memory', 'screen')
      add('serial', 'screen', 'below', { initialHeight: Math.round(height * 0.38) })
      add('hex', 'code', 'below', { initialHeight: Math.round(height * 0.36) })
      break
    }
    case 'memory': {
      add('allocator')
      add('memory', 'allocator')
      add('cpu', 'memory', 'left', { initialWidth: side })
      add('code', 'cpu')
      if (wide) add('pages', 'memory', 'right', { initialWidth: Math.round(Math.max(360, width * 0.34)) })
      else add('pages', 'memory')
      add('tlb', 'pages')
      add('serial', 'memory', 'below', { initialHeight: Math.round(height * 0.28) })
      add('hex', 'serial')
      add('screen', 'serial')
      add('events', 'serial')
      break
    }
    case 'screen': {
      add('screen')
      add('serial', 'screen')
      break
    }
  }
  dock.panels[0]?.api.setActive()
}
