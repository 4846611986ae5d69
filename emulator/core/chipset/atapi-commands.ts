// The commands of a CD-ROM drive: SPC-2 (T10/1236D r20) for what every device has, MMC-3 (T10/1363D r10g) for the rest;
// section numbers are MMC-3's. Each one answers from the buffer, starts a read, fails, or simply ends well.

import { DRIVE_LOCKED, DRIVE_MEDIUM, DRIVE_SIZE, DRIVE_TRAY, DRIVES } from '../layout'
import {
  ATA_BUFFER,
  ATA_PACKET,
  UNIT_ATTENTION,
  UNIT_EVENT,
  UNIT_SENSE_CODE,
  UNIT_SENSE_KEY,
  UNIT_SENSE_QUALIFIER,
  ataDrive,
  ataSelectedUnit,
} from './ata'
import {
  ASC_LBA_OUT_OF_RANGE,
  CD_SECTOR,
  SENSE_ILLEGAL_REQUEST,
  SENSE_NONE,
  SENSE_UNIT_ATTENTION,
  atapiAnswer,
  atapiFail,
  atapiFailNoMedium,
  atapiMediumPresent,
  atapiRead,
  atapiSectors,
} from './atapi'
import {
  atapiConfiguration,
  atapiDiscInformation,
  atapiInquiry,
  atapiModePages,
  atapiToc,
  atapiTrackInformation,
} from './atapi-tables'
import { PART_USER, cdFrameSize } from './cd-frame'

const TEST_UNIT_READY: u32 = 0x00
const REQUEST_SENSE: u32 = 0x03
const INQUIRY: u32 = 0x12
const MODE_SENSE_6: u32 = 0x1a
const START_STOP_UNIT: u32 = 0x1b
const PREVENT_ALLOW: u32 = 0x1e
const READ_CAPACITY: u32 = 0x25
const READ_10: u32 = 0x28
const SEEK_10: u32 = 0x2b
const VERIFY_10: u32 = 0x2f
const READ_SUB_CHANNEL: u32 = 0x42
const READ_TOC: u32 = 0x43
const GET_CONFIGURATION: u32 = 0x46
const GET_EVENT_STATUS: u32 = 0x4a
const READ_DISC_INFORMATION: u32 = 0x51
const READ_TRACK_INFORMATION: u32 = 0x52
const MODE_SENSE_10: u32 = 0x5a
const READ_12: u32 = 0xa8
const READ_CD_MSF: u32 = 0xb9
const SET_CD_SPEED: u32 = 0xbb
const MECHANISM_STATUS: u32 = 0xbd
const READ_CD: u32 = 0xbe

const ASC_INVALID_COMMAND: u32 = 0x20
const ASC_INVALID_FIELD: u32 = 0x24
const ASC_SAVING_NOT_SUPPORTED: u32 = 0x39
const ASC_LOAD_EJECT_FAILED: u32 = 0x53 // 53h/02h: medium removal prevented
const ASC_ILLEGAL_MODE: u32 = 0x64

/** Media events (5.5.5). */
export const EVENT_EJECT_REQUEST: u32 = 1
export const EVENT_NEW_MEDIA: u32 = 2
export const EVENT_REMOVAL: u32 = 3

/** Executes the packet at ATA_PACKET for the selected drive. */
export function atapiExecute(c: usize): void {
  const p = c + ATA_PACKET
  const b = c + ATA_BUFFER
  const drive = ataDrive(c)
  const unit = ataSelectedUnit(c)
  const operation = <u32>load<u8>(p)
  if (operation == REQUEST_SENSE) {
    requestSense(c, unit)
    return
  }
  // These four neither report nor clear a unit attention (SPC-2 7.20, MMC-3 4.1.6); with them the answer never fails
  const always = operation == INQUIRY || operation == GET_CONFIGURATION || operation == GET_EVENT_STATUS
  const attention = <u32>load<u8>(unit, UNIT_ATTENTION)
  if (attention && !always) {
    store<u8>(unit, 0, UNIT_ATTENTION)
    atapiFail(c, SENSE_UNIT_ATTENTION, attention, 0)
    return
  }
  store<u8>(unit, SENSE_NONE, UNIT_SENSE_KEY)
  store<u8>(unit, 0, UNIT_SENSE_CODE)
  store<u8>(unit, 0, UNIT_SENSE_QUALIFIER)
  if (needsMedium(operation) && !atapiMediumPresent(drive)) {
    atapiFailNoMedium(c)
    return
  }
  switch (operation) {
    case TEST_UNIT_READY:
    case SET_CD_SPEED: // an image has one speed
      return
    case INQUIRY:
      if (load<u8>(p, 1) & 3 || load<u8>(p, 2)) invalid(c)
      else atapiAnswer(c, atapiInquiry(b), word(p, 3))
      return
    case MODE_SENSE_6:
    case MODE_SENSE_10:
      modeSense(c, b, drive, operation == MODE_SENSE_10)
      return
    case START_STOP_UNIT:
      startStop(c, drive, unit)
      return
    case PREVENT_ALLOW:
      store<u32>(DRIVES + drive * DRIVE_SIZE, load<u8>(p, 4) & 1, DRIVE_LOCKED)
      return
    case READ_CAPACITY:
      store<u32>(b, bswap<u32>(max<u32>(atapiSectors(drive), 1) - 1))
      store<u32>(b, bswap<u32>(CD_SECTOR), 4)
      atapiAnswer(c, 8, 8)
      return
    case READ_10:
      read(c, drive, long(p, 2), word(p, 7))
      return
    case READ_12:
      read(c, drive, long(p, 2), long(p, 6))
      return
    case SEEK_10:
      inRange(c, drive, long(p, 2), 1)
      return
    case VERIFY_10:
      inRange(c, drive, long(p, 2), word(p, 7))
      return
    case READ_CD:
      readCd(c, drive, long(p, 2), ((<u32>load<u8>(p, 6)) << 16) | word(p, 7))
      return
    case READ_CD_MSF: {
      const from = sectorOf(p, 3)
      const to = sectorOf(p, 6)
      if (to < from) invalid(c)
      else readCd(c, drive, from, to - from)
      return
    }
    case READ_SUB_CHANNEL:
      subChannel(c, b)
      return
    case READ_TOC: {
      // The format is in byte 2, or where SFF-8020 had it, in byte 9
      const format = load<u8>(p, 2) & 15 ? load<u8>(p, 2) & 15 : load<u8>(p, 9) >> 6
      const length = atapiToc(b, format, load<u8>(p, 6), (load<u8>(p, 1) & 2) != 0, atapiSectors(drive))
      if (length == 0) invalid(c)
      else atapiAnswer(c, length, word(p, 7))
      return
    }
    case GET_CONFIGURATION: {
      if ((load<u8>(p, 1) & 3) == 3) invalid(c)
      else {
        const sectors = atapiMediumPresent(drive) ? atapiSectors(drive) : 0
        atapiAnswer(c, atapiConfiguration(b, load<u8>(p, 1) & 3, word(p, 2), sectors), word(p, 7))
      }
      return
    }
    case GET_EVENT_STATUS:
      eventStatus(c, b, drive, unit)
      return
    case READ_DISC_INFORMATION:
      if (load<u8>(p, 1) & 7) invalid(c)
      else atapiAnswer(c, atapiDiscInformation(b), word(p, 7))
      return
    case READ_TRACK_INFORMATION: {
      const length = atapiTrackInformation(b, load<u8>(p, 1) & 3, long(p, 2), atapiSectors(drive))
      if (length == 0) invalid(c)
      else atapiAnswer(c, length, word(p, 7))
      return
    }
    case MECHANISM_STATUS:
      // No changer, no slots; byte 1 bit 4: the door is open
      store<u64>(b, 0)
      if (load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_TRAY)) store<u8>(b, 0x10, 1)
      atapiAnswer(c, 8, word(p, 8))
      return
    default:
      atapiFail(c, SENSE_ILLEGAL_REQUEST, ASC_INVALID_COMMAND, 0)
  }
}

/** Commands that are about what lies in the drive. */
function needsMedium(operation: u32): bool {
  switch (operation) {
    case TEST_UNIT_READY:
    case READ_CAPACITY:
    case READ_10:
    case READ_12:
    case SEEK_10:
    case VERIFY_10:
    case READ_CD:
    case READ_CD_MSF:
    case READ_SUB_CHANNEL:
    case READ_TOC:
    case READ_DISC_INFORMATION:
    case READ_TRACK_INFORMATION:
      return true
    default:
      return false
  }
}

/** Big-endian words of the packet. */
function word(p: usize, at: usize): u32 {
  return ((<u32>load<u8>(p + at)) << 8) | load<u8>(p + at, 1)
}

function long(p: usize, at: usize): u32 {
  return bswap<u32>(load<u32>(p + at))
}

/** The sector of a minute, second and frame; all ones for what lies before the first one. */
function sectorOf(p: usize, at: usize): u32 {
  const frames = (<u32>load<u8>(p + at) * 60 + load<u8>(p + at, 1)) * 75 + load<u8>(p + at, 2)
  return frames < 150 ? u32.MAX_VALUE : frames - 150
}

function invalid(c: usize): void {
  atapiFail(c, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD, 0)
}

function inRange(c: usize, drive: u32, lba: u32, count: u32): bool {
  const sectors = atapiSectors(drive)
  if (lba < sectors && count <= sectors - lba) return true
  atapiFail(c, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0)
  return false
}

function read(c: usize, drive: u32, lba: u32, count: u32): void {
  if (inRange(c, drive, lba, count)) atapiRead(c, lba, count, CD_SECTOR, PART_USER)
}

/** READ CD (6.17): which bytes of each sector. Every sector here is mode 1 data. */
function readCd(c: usize, drive: u32, lba: u32, count: u32): void {
  const p = c + ATA_PACKET
  const kind = (<u32>load<u8>(p, 1) >> 2) & 7
  let parts = <u32>load<u8>(p, 9)
  // No C2 errors and no sub-channel to give; of the headers a mode 1 sector has one, no sub-header
  if (parts & 0x07 || load<u8>(p, 10) & 7 || kind > 5) {
    invalid(c)
    return
  }
  if (kind != 0 && kind != 2) {
    atapiFail(c, SENSE_ILLEGAL_REQUEST, ASC_ILLEGAL_MODE, 0)
    return
  }
  parts &= 0xb8
  if (!inRange(c, drive, lba, count)) return
  if (parts) atapiRead(c, lba, count, cdFrameSize(parts), parts)
}

/** What the last failed command left, or a unit attention that nobody has asked about yet. */
function requestSense(c: usize, unit: usize): void {
  const b = c + ATA_BUFFER
  let key = <u32>load<u8>(unit, UNIT_SENSE_KEY)
  let code = <u32>load<u8>(unit, UNIT_SENSE_CODE)
  const qualifier = <u32>load<u8>(unit, UNIT_SENSE_QUALIFIER)
  if (key == SENSE_NONE && load<u8>(unit, UNIT_ATTENTION)) {
    key = SENSE_UNIT_ATTENTION
    code = load<u8>(unit, UNIT_ATTENTION)
    store<u8>(unit, 0, UNIT_ATTENTION)
  }
  memory.fill(b, 0, 18)
  store<u8>(b, 0x70) // current error, fixed format
  store<u8>(b, key, 2)
  store<u8>(b, 10, 7)
  store<u8>(b, code, 12)
  store<u8>(b, qualifier, 13)
  store<u8>(unit, SENSE_NONE, UNIT_SENSE_KEY)
  store<u8>(unit, 0, UNIT_SENSE_CODE)
  store<u8>(unit, 0, UNIT_SENSE_QUALIFIER)
  atapiAnswer(c, 18, load<u8>(c + ATA_PACKET, 4))
}

function modeSense(c: usize, b: usize, drive: u32, ten: bool): void {
  const p = c + ATA_PACKET
  const control = <u32>load<u8>(p, 2) >> 6
  if (control == 3) {
    atapiFail(c, SENSE_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED, 0)
    return
  }
  const header: u32 = ten ? 8 : 4
  const entry = DRIVES + drive * DRIVE_SIZE
  store<u64>(b, 0)
  const locked = load<u32>(entry, DRIVE_LOCKED) != 0
  const pages = atapiModePages(b + header, load<u8>(p, 2) & 0x3f, control == 1, locked)
  if (pages == 0) {
    invalid(c)
    return
  }
  // Medium type (SFF-8020 table 74): 01h data CD, 70h no disc, 71h tray open
  const type: u32 = load<u32>(entry, DRIVE_TRAY) ? 0x71 : load<u32>(entry, DRIVE_MEDIUM) ? 0x01 : 0x70
  const length = header + pages
  if (ten) {
    store<u8>(b, length - 2, 1)
    store<u8>(b, type, 2)
  } else {
    store<u8>(b, length - 1)
    store<u8>(b, type, 1)
  }
  atapiAnswer(c, length, ten ? word(p, 7) : load<u8>(p, 4))
}

/** START STOP UNIT: LoEj moves the tray. A locked drive keeps what it has (6.46). */
function startStop(c: usize, drive: u32, unit: usize): void {
  const what = <u32>load<u8>(c + ATA_PACKET, 4)
  if (what & 0xf0 || (what & 2) == 0) return // power conditions; spinning up and down
  const entry = DRIVES + drive * DRIVE_SIZE
  if (what & 1) {
    if (load<u32>(entry, DRIVE_TRAY) == 0) return
    store<u32>(entry, 0, DRIVE_TRAY)
    if (load<u32>(entry, DRIVE_MEDIUM)) {
      store<u8>(unit, 0x28, UNIT_ATTENTION)
      store<u8>(unit, EVENT_NEW_MEDIA, UNIT_EVENT)
    }
    return
  }
  if (load<u32>(entry, DRIVE_LOCKED)) {
    atapiFail(c, SENSE_ILLEGAL_REQUEST, ASC_LOAD_EJECT_FAILED, 2)
    return
  }
  if (load<u32>(entry, DRIVE_TRAY)) return
  store<u32>(entry, 1, DRIVE_TRAY)
  if (load<u32>(entry, DRIVE_MEDIUM)) store<u8>(unit, EVENT_REMOVAL, UNIT_EVENT)
}

/** GET EVENT STATUS NOTIFICATION (6.7), polled; the one class there is, media. */
function eventStatus(c: usize, b: usize, drive: u32, unit: usize): void {
  const p = c + ATA_PACKET
  if ((load<u8>(p, 1) & 1) == 0) {
    invalid(c) // asynchronous notification is not there
    return
  }
  const entry = DRIVES + drive * DRIVE_SIZE
  store<u64>(b, 0)
  store<u8>(b, 0x10, 3)
  if ((load<u8>(p, 4) & 0x10) == 0) {
    store<u8>(b, 2, 1)
    store<u8>(b, 0x80, 2) // no event available
    atapiAnswer(c, 4, word(p, 7))
    return
  }
  const room = word(p, 7)
  store<u8>(b, 6, 1)
  store<u8>(b, 4, 2)
  store<u8>(b, load<u8>(unit, UNIT_EVENT), 4)
  const open: u32 = load<u32>(entry, DRIVE_TRAY) ? 1 : 0
  store<u8>(b, open | (load<u32>(entry, DRIVE_MEDIUM) ? 2 : 0), 5)
  if (room > 4) store<u8>(unit, 0, UNIT_EVENT)
  atapiAnswer(c, 8, room)
}

/** READ SUB-CHANNEL (6.22): no audio plays and none can; there is no position to tell but the beginning. */
function subChannel(c: usize, b: usize): void {
  const p = c + ATA_PACKET
  memory.fill(b, 0, 24)
  store<u8>(b, 0x15, 1) // no current audio status
  if ((load<u8>(p, 2) & 0x40) == 0) {
    atapiAnswer(c, 4, word(p, 7))
    return
  }
  const format = <u32>load<u8>(p, 3)
  if (format < 1 || format > 3) {
    invalid(c)
    return
  }
  store<u8>(b, format, 4)
  if (format == 1) {
    store<u8>(b, 12, 3)
    store<u8>(b, 0x14, 5)
    store<u8>(b, 1, 6)
    store<u8>(b, 1, 7)
    if (load<u8>(p, 1) & 2) store<u8>(b, 2, 10) // 00:02:00 is sector 0
    atapiAnswer(c, 16, word(p, 7))
    return
  }
  // Media catalogue number, track ISRC: none on this disc (valid bits clear)
  store<u8>(b, 20, 3)
  atapiAnswer(c, 24, word(p, 7))
}
