// Media that go in and out of drives while the guest runs: entries of the input queue change the drive table and tell the
// device. Data of INPUT_KIND_MEDIUM: drive, what happens, id of the new medium (its description lies at MEDIA).

import {
  DRIVE_ATA0,
  DRIVE_COUNT,
  DRIVE_CYLINDERS,
  DRIVE_HEADS,
  DRIVE_KIND,
  DRIVE_KIND_CDROM,
  DRIVE_KIND_FLOPPY,
  DRIVE_LOCKED,
  DRIVE_MEDIUM,
  DRIVE_PRESENT,
  DRIVE_READ_ONLY,
  DRIVE_SECTORS,
  DRIVE_SECTORS_PER_TRACK,
  DRIVE_SIZE,
  DRIVE_TRAY,
  DRIVES,
  MEDIA,
  MEDIUM_COUNT,
  MEDIUM_CYLINDERS,
  MEDIUM_EJECT,
  MEDIUM_HEADS,
  MEDIUM_INSERT,
  MEDIUM_READ_ONLY,
  MEDIUM_SECTORS,
  MEDIUM_SECTORS_PER_TRACK,
  MEDIUM_SIZE,
} from '../layout'
import { UNIT_ATTENTION, UNIT_EVENT, ataChannel, ataUnit } from './ata'
import { ASC_MEDIUM_CHANGED } from './atapi'
import { EVENT_EJECT_REQUEST, EVENT_NEW_MEDIA, EVENT_REMOVAL } from './atapi-commands'
import { fdcMediumChanged } from './i82077'

/** Takes the entry. What names no drive, or one whose medium cannot be changed, does nothing. */
export function mediumInput(data: u32): void {
  const drive = data & 0xff
  const what = (data >> 8) & 0xff
  const id = data >> 16
  if (drive >= <u32>DRIVE_COUNT || what > <u32>MEDIUM_INSERT) return
  const entry: usize = DRIVES + drive * DRIVE_SIZE
  const kind = load<u32>(entry, DRIVE_KIND)
  if (!load<u32>(entry, DRIVE_PRESENT) || (kind != DRIVE_KIND_CDROM && kind != DRIVE_KIND_FLOPPY)) return
  if (what == MEDIUM_INSERT && (id == 0 || id >= <u32>MEDIUM_COUNT)) return
  const had = load<u32>(entry, DRIVE_MEDIUM) != 0
  if (kind == DRIVE_KIND_CDROM) {
    const unit = cdUnit(drive)
    if (what == MEDIUM_EJECT && load<u32>(entry, DRIVE_LOCKED)) {
      store<u8>(unit, EVENT_EJECT_REQUEST, UNIT_EVENT)
      return
    }
    if (what == MEDIUM_INSERT) {
      store<u8>(unit, ASC_MEDIUM_CHANGED, UNIT_ATTENTION)
      store<u8>(unit, EVENT_NEW_MEDIA, UNIT_EVENT)
    } else if (had) store<u8>(unit, EVENT_REMOVAL, UNIT_EVENT)
    // The image leaves the tray with the hand that opened it; then it closes
    store<u32>(entry, what == MEDIUM_INSERT ? 0 : 1, DRIVE_TRAY)
    if (what == MEDIUM_INSERT) store<u32>(entry, 0, DRIVE_LOCKED)
  }
  if (kind == DRIVE_KIND_FLOPPY && (had || what == MEDIUM_INSERT)) fdcMediumChanged(drive)
  if (what == MEDIUM_INSERT) putIn(entry, id)
  else takeOut(entry)
}

function cdUnit(drive: u32): usize {
  const device = drive - <u32>DRIVE_ATA0
  return ataUnit(ataChannel(device >> 1), device & 1)
}

function takeOut(entry: usize): void {
  store<u32>(entry, 0, DRIVE_MEDIUM)
  store<u64>(entry, 0, DRIVE_SECTORS)
}

function putIn(entry: usize, id: u32): void {
  const medium: usize = MEDIA + id * MEDIUM_SIZE
  store<u64>(entry, load<u64>(medium, MEDIUM_SECTORS), DRIVE_SECTORS)
  store<u32>(entry, id, DRIVE_MEDIUM)
  if (load<u32>(entry, DRIVE_KIND) != DRIVE_KIND_FLOPPY) return
  store<u32>(entry, load<u32>(medium, MEDIUM_CYLINDERS), DRIVE_CYLINDERS)
  store<u32>(entry, load<u32>(medium, MEDIUM_HEADS), DRIVE_HEADS)
  store<u32>(entry, load<u32>(medium, MEDIUM_SECTORS_PER_TRACK), DRIVE_SECTORS_PER_TRACK)
  store<u32>(entry, load<u32>(medium, MEDIUM_READ_ONLY), DRIVE_READ_ONLY)
}
