// Where the windows were: size, place and the layout of their panels, per kind of document.
import type { Rectangle } from 'electron'

export type DocumentKind = 'machine'

export interface WindowState {
  bounds?: Rectangle
  maximized: boolean
  /** The panels' layout as the page saved it; the main process does not look into it. */
  layout: string
}

export interface ProfileState {
  windows: Record<DocumentKind, WindowState>
}

export const DEFAULT_SIZE = { width: 1440, height: 900 }
export const MINIMUM_SIZE = { width: 640, height: 420 }
/** A new window beside one that is there already: not exactly on top of it. */
export const CASCADE = 28

export function checkProfile(content: unknown): ProfileState {
  const given = isRecord(content) ? content : {}
  const windows = isRecord(given['windows']) ? given['windows'] : {}
  return {
    windows: { machine: checkWindow(windows['machine']) },
  }
}

function checkWindow(content: unknown): WindowState {
  const given = isRecord(content) ? content : {}
  const state: WindowState = {
    maximized: given['maximized'] === true,
    layout: typeof given['layout'] === 'string' ? given['layout'] : '',
  }
  const bounds = given['bounds']
  if (isRecord(bounds)) {
    const { x, y, width, height } = bounds
    if ([x, y, width, height].every((value) => Number.isInteger(value))) {
      state.bounds = { x, y, width, height } as Rectangle
    }
  }
  return state
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Bounds for a new window: where the last one was, if that is (still) on a screen; a step aside for each that is open.
 * @param screens the work areas of the displays, the first one preferred
 * @param open windows that are open already
 */
export function placeWindow(
  last: Rectangle | undefined,
  screens: Rectangle[],
  open: number,
): Partial<Rectangle> & { width: number; height: number } {
  const first = screens[0] ?? { x: 0, y: 0, ...DEFAULT_SIZE }
  const width = Math.max(MINIMUM_SIZE.width, Math.min(last?.width ?? DEFAULT_SIZE.width, first.width))
  const height = Math.max(MINIMUM_SIZE.height, Math.min(last?.height ?? DEFAULT_SIZE.height, first.height))
  if (!last) return { width, height }
  const x = last.x + open * CASCADE
  const y = last.y + open * CASCADE
  // A corner of the title bar must be where it can be grabbed.
  const reachable = screens.some(
    (screen) =>
      x + 100 < screen.x + screen.width &&
      x + width - 100 > screen.x &&
      y >= screen.y &&
      y + 60 < screen.y + screen.height,
  )
  return reachable ? { x, y, width, height } : { width, height }
}
