// The speaker of the system board: its cone is where the AND of port 61h bit 1 and the 8254's channel 2 puts it. Whoever
// listens is told what changes the sound, not each movement: a tone is one record, samples by port 61h are one each.
// Reference: PC AT Technical Reference, "Speaker"; 82371AB (PIIX4) data sheet 290562, 4.2.6.1.

import {
  DEV_SYSCTL,
  SPEAKER_COUNT,
  SPEAKER_HIGH,
  SPEAKER_LEFT,
  SPEAKER_LEVEL,
  SPEAKER_LOG,
  SPEAKER_LOW,
  SPEAKER_RECORDS,
  SPEAKER_SIZE,
  SPEAKER_TIME,
} from '../layout'
import { pitWave2, wave2High, wave2Left, wave2Level, wave2Low } from './i8254'

const PORT_61: usize = 0
const PORT_61_DATA: u32 = 0x02
/** u32 behind the count: the last record is of a speaker that port 61h lets move. */
const OPEN: usize = 4

/** Behind a write of port 61h or of the 8254: a record, if the speaker moves otherwise from `now` on. Chipset lock held. */
export function speakerChanged(now: u64): void {
  const open: u32 = <u32>load<u8>(DEV_SYSCTL, PORT_61) & PORT_61_DATA
  const before = load<u32>(SPEAKER_LOG, OPEN)
  if (!open && !before) return
  store<u32>(SPEAKER_LOG, open, OPEN)
  let high: u32 = 0
  let low: u32 = 0
  let left: u32 = 0
  let level: u32 = 0
  if (open) {
    pitWave2(now)
    high = wave2High
    low = wave2Low
    left = wave2Left
    level = wave2Level
  }
  const count = load<u32>(SPEAKER_LOG)
  const at = <usize>(SPEAKER_RECORDS + (count & (SPEAKER_COUNT - 1)) * SPEAKER_SIZE)
  store<u64>(at, now, SPEAKER_TIME)
  store<u32>(at, high, SPEAKER_HIGH)
  store<u32>(at, low, SPEAKER_LOW)
  store<u32>(at, left, SPEAKER_LEFT)
  store<u32>(at, level, SPEAKER_LEVEL)
  atomic.store<u32>(SPEAKER_LOG, count + 1)
}
