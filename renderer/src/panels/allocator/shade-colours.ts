// Colours of shades: viridis, brightest for the most, with what is free, reserved or unknown left in the background.
import { interpolateViridis, rgb } from 'd3'
import type { LegendEntry } from '../../../../preload/bridge'

/** A CSS colour per entry. @param token answers a token's value; @param dark the theme: in a light one, more is darker */
export function shadeColours(
  legend: readonly LegendEntry[],
  token: (name: string) => string,
  dark: boolean,
): string[] {
  const ordered = legend.filter(({ kind }) => kind === 'scale').length
  const used = legend.filter(({ kind, name }) => kind === 'used' && !isTable(name)).length
  let step = 0
  let reserved = 0
  return legend.map(({ kind, name }) => {
    if (kind === 'unknown') return token('--bg0')
    if (kind === 'free') return token('--memory-free')
    // Different things that nobody can have: different greys.
    if (kind === 'reserved') return token(RESERVED[reserved++ % RESERVED.length]!)
    // The same colour as in the memory map.
    if (isTable(name) && kind === 'used') return token('--memory-table')
    const count = kind === 'scale' ? ordered : used
    const part = count < 2 ? 0.6 : step / (count - 1)
    step++
    // Both ends of the scale would be lost against one of the backgrounds.
    const at = dark ? 0.18 + 0.8 * part : 0.82 - 0.8 * part
    return rgb(interpolateViridis(at)).formatHex()
  })
}

const RESERVED = ['--memory-rom', '--memory-held']

const isTable = (name: string) => /\btables?\b/.test(name)
