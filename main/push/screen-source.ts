import type { MachineMemory } from '@emulator/machine/memory'
import { ScreenTracker } from '@emulator/machine/screen-tracker'
import type { TextScreen } from '@emulator/machine/api'
import type { ScreenUpdate } from '../../preload/bridge'
import { sameBytes, type Source } from './source'

/** After an update of more pixels the next one comes at 30 a second: reading, sending and drawing them costs the guest. */
const LARGE = 1 << 18
/** The same where so many are only compared. */
const LARGE_PICTURE = 1 << 20
/** Every other display frame, ms: a little less than two, so that a late one does not cost a third. */
const LARGE_INTERVAL = 31

export class ScreenSource implements Source<'screen'> {
  readonly part = 'screen'
  readonly #tracker: ScreenTracker
  #last: TextScreen | undefined

  constructor(
    machine: { memory: MachineMemory },
    readonly wanted: () => boolean,
  ) {
    this.#tracker = new ScreenTracker(machine.memory)
  }

  get interval(): number {
    const { changed, pixels } = this.#tracker
    return changed > LARGE || pixels > LARGE_PICTURE ? LARGE_INTERVAL : 0
  }

  take(): ScreenUpdate | undefined {
    const shot = this.#tracker.take()
    const last = this.#last
    this.#last = shot?.kind === 'text' ? shot : undefined
    if (shot === undefined || shot.kind !== 'text') return shot
    const sameFonts =
      last !== undefined && sameBytes(last.font, shot.font) && sameBytes(last.font2, shot.font2)
    if (sameFonts && sameText(last, shot)) return
    const { font, font2, ...update } = shot
    return sameFonts ? update : { ...update, fonts: { font, font2 } }
  }

  forget() {
    this.#last = undefined
    this.#tracker.forget()
  }
}

/** Everything but the fonts. */
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
    a.underline === b.underline &&
    a.cursor.visible === b.cursor.visible &&
    a.cursor.column === b.cursor.column &&
    a.cursor.row === b.cursor.row &&
    a.cursor.start === b.cursor.start &&
    a.cursor.end === b.cursor.end
  )
}
