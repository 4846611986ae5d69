import type { Machine, ScreenSnapshot } from '@emulator/machine/api'
import type { ScreenUpdate } from '../../preload/bridge'
import { sameBytes, type Source } from './source'

type TextScreen = Extract<ScreenSnapshot, { kind: 'text' }>

export class ScreenSource implements Source<'screen'> {
  readonly part = 'screen'
  readonly interval = 0
  #last: ScreenSnapshot | undefined

  constructor(
    private readonly machine: Pick<Machine, 'screen'>,
    readonly wanted: () => boolean,
  ) {}

  take(): ScreenUpdate | undefined {
    const shot = this.machine.screen()
    const last = this.#last
    this.#last = shot
    if (shot.kind !== 'text') return last !== undefined && sameScreen(last, shot) ? undefined : shot
    const sameFonts =
      last?.kind === 'text' && sameBytes(last.font, shot.font) && sameBytes(last.font2, shot.font2)
    if (sameFonts && sameScreen(last, shot)) return
    const { font, font2, ...update } = shot
    return sameFonts ? update : { ...update, fonts: { font, font2 } }
  }

  forget() {
    this.#last = undefined
  }
}

/** Everything but a text screen's fonts. */
function sameScreen(a: ScreenSnapshot, b: ScreenSnapshot): boolean {
  if (a.kind === 'text' && b.kind === 'text') return sameText(a, b)
  if (a.kind === 'indexed' && b.kind === 'indexed') {
    return (
      a.width === b.width &&
      a.height === b.height &&
      sameBytes(a.pixels, b.pixels) &&
      sameBytes(a.palette, b.palette)
    )
  }
  return a.kind === b.kind
}

function sameText(a: TextScreen, b: TextScreen): boolean {
  return (
    sameBytes(a.cells, b.cells) &&
    sameBytes(a.palette, b.palette) &&
    a.columns === b.columns &&
    a.rows === b.rows &&
    a.cellWidth === b.cellWidth &&
    a.cellHeight === b.cellHeight &&
    a.lineGraphics === b.lineGraphics &&
    a.blink === b.blink &&
    a.cursor.visible === b.cursor.visible &&
    a.cursor.column === b.cursor.column &&
    a.cursor.row === b.cursor.row &&
    a.cursor.start === b.cursor.start &&
    a.cursor.end === b.cursor.end
  )
}
