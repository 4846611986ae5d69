// What a CD drive tells about itself and its disc: INQUIRY, mode pages, features, table of contents. Each function writes
// to `b` and answers how many bytes. Reference: MMC-3 (T10/1363D r10g). A disc is one session with one track of data.

import { cdAddress } from './cd-frame'

// ASCII: "RINGSIDE" "CD-ROM          " "1.0 "
// prettier-ignore
const NAMES = memory.data<u8>([
  0x52, 0x49, 0x4e, 0x47, 0x53, 0x49, 0x44, 0x45, 0x43, 0x44, 0x2d, 0x52, 0x4f, 0x4d, 0x20, 0x20, 0x20, 0x20,
  0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x31, 0x2e, 0x30, 0x20,
])
const NAMES_LENGTH: u32 = 28

/** Control and address fields of a data track (Q channel: ADR 1, control 4). */
const DATA_TRACK: u32 = 0x14
const LEAD_OUT: u32 = 0xaa
/** 80 minutes and a bit: what is larger is a DVD. */
const CD_SECTORS_MAX: u32 = 80 * 60 * 75
const PROFILE_NONE: u32 = 0
const PROFILE_CD_ROM: u32 = 0x08
const PROFILE_DVD_ROM: u32 = 0x10

function putWord(b: usize, at: usize, value: u32): void {
  store<u8>(b + at, value >> 8)
  store<u8>(b + at, value, 1)
}

function putLong(b: usize, at: usize, value: u32): void {
  store<u32>(b + at, bswap<u32>(value))
}

/** An address as the host wants it: minute, second, frame, or the sector. */
function putAddress(b: usize, at: usize, lba: u32, msf: bool): void {
  putLong(b, at, msf ? cdAddress(lba) : lba)
}

export function atapiInquiry(b: usize): u32 {
  memory.fill(b, 0, 36)
  store<u8>(b, 0x05) // CD-ROM device
  store<u8>(b, 0x80, 1) // removable
  store<u8>(b, 0x00, 2) // no claim to a SCSI standard: ATAPI
  store<u8>(b, 0x21, 3) // ATAPI transport 2, response data format 1
  store<u8>(b, 31, 4)
  memory.copy(b + 8, NAMES, NAMES_LENGTH)
  return 36
}

/**
 * Mode page `wanted` (3Fh: all there are), or which of its bits can be changed: none. 0: there is no such page.
 */
export function atapiModePages(b: usize, wanted: u32, changeable: bool, locked: bool): u32 {
  let at: usize = 0
  if (wanted == 0x01 || wanted == 0x3f) {
    // Read error recovery: every retry
    page(b + at, 0x01, 6)
    if (!changeable) store<u8>(b + at, 5, 3)
    at += 8
  }
  if (wanted == 0x0e || wanted == 0x3f) {
    // CD audio control: outputs 0 and 1 muted, there is no audio
    page(b + at, 0x0e, 14)
    if (!changeable) store<u8>(b + at, 4, 2) // immediate
    at += 16
  }
  if (wanted == 0x2a || wanted == 0x3f) {
    // Capabilities and mechanical status (SFF-8020 table 84)
    page(b + at, 0x2a, 18)
    if (!changeable) {
      store<u8>(b + at, 0x3b, 2) // reads CD-R, CD-RW, fixed packets, DVD-ROM, DVD-R
      store<u8>(b + at, 0x70, 4) // mode 2 forms, multi-session
      store<u8>(b + at, 0x00, 5)
      store<u8>(b + at, 0x29 | (locked ? 2 : 0), 6) // tray, ejects, can be locked
      putWord(b + at, 8, 50 * 176) // KB/s at most: 50x
      putWord(b + at, 10, 2) // volume levels
      putWord(b + at, 12, 512) // KiB of buffer
      putWord(b + at, 14, 50 * 176)
    }
    at += 20
  }
  return <u32>at
}

function page(b: usize, code: u32, length: u32): void {
  memory.fill(b, 0, length + 2)
  store<u8>(b, code)
  store<u8>(b, length, 1)
}

/** GET CONFIGURATION (6.6): the features from `first` on; `kind` 1: only current ones, 2: only that one. */
export function atapiConfiguration(b: usize, kind: u32, first: u32, sectors: u32): u32 {
  const profile = sectors == 0 ? PROFILE_NONE : sectors > CD_SECTORS_MAX ? PROFILE_DVD_ROM : PROFILE_CD_ROM
  const cd = profile == PROFILE_CD_ROM
  const dvd = profile == PROFILE_DVD_ROM
  let at: usize = 8
  memory.fill(b, 0, 128)
  putWord(b, 6, profile)
  if (feature(kind, first, 0x0000, true)) {
    // Profile list
    header(b + at, 0x0000, 0, true, true, 8)
    putWord(b + at, 4, PROFILE_DVD_ROM)
    store<u8>(b + at, dvd ? 1 : 0, 6)
    putWord(b + at, 8, PROFILE_CD_ROM)
    store<u8>(b + at, cd ? 1 : 0, 10)
    at += 12
  }
  if (feature(kind, first, 0x0001, true)) {
    // Core: physical interface ATAPI
    header(b + at, 0x0001, 0, true, true, 4)
    putLong(b + at, 4, 2)
    at += 8
  }
  if (feature(kind, first, 0x0003, true)) {
    // Removable medium: tray, ejects, can be locked
    header(b + at, 0x0003, 0, true, true, 4)
    store<u8>(b + at, 0x29, 4)
    at += 8
  }
  if (feature(kind, first, 0x0010, cd || dvd)) {
    // Random readable: 2048-byte blocks, one at a time
    header(b + at, 0x0010, 0, false, cd || dvd, 8)
    putLong(b + at, 4, 2048)
    putWord(b + at, 8, 1)
    at += 12
  }
  if (feature(kind, first, 0x001e, cd)) {
    header(b + at, 0x001e, 0, false, cd, 4)
    at += 8
  }
  if (feature(kind, first, 0x001f, dvd)) {
    header(b + at, 0x001f, 0, false, dvd, 0)
    at += 4
  }
  putLong(b, 0, <u32>at - 4)
  return <u32>at
}

/** Whether a feature belongs into the answer. */
function feature(kind: u32, first: u32, code: u32, current: bool): bool {
  if (kind == 2) return code == first
  return code >= first && (kind == 0 || current)
}

function header(b: usize, code: u32, version: u32, persistent: bool, current: bool, more: u32): void {
  putWord(b, 0, code)
  store<u8>(b, (version << 2) | (persistent ? 2 : 0) | (current ? 1 : 0), 2)
  store<u8>(b, more, 3)
}

/** READ TOC/PMA/ATIP (6.30), formats 0 to 2; `track` is the first track, or session. 0: cannot be. */
export function atapiToc(b: usize, format: u32, track: u32, msf: bool, sectors: u32): u32 {
  memory.fill(b, 0, 64)
  store<u8>(b, 1, 2)
  store<u8>(b, 1, 3)
  if (format == 0) {
    if (track > 1 && track != LEAD_OUT) return 0
    let at: usize = 4
    if (track <= 1) {
      store<u8>(b + at, DATA_TRACK, 1)
      store<u8>(b + at, 1, 2)
      putAddress(b + at, 4, 0, msf)
      at += 8
    }
    store<u8>(b + at, DATA_TRACK, 1)
    store<u8>(b + at, LEAD_OUT, 2)
    putAddress(b + at, 4, sectors, msf)
    at += 8
    putWord(b, 0, <u32>at - 2)
    return <u32>at
  }
  if (format == 1) {
    // The last session: its first track
    putWord(b, 0, 10)
    store<u8>(b, DATA_TRACK, 5)
    store<u8>(b, 1, 6)
    putAddress(b, 8, 0, msf)
    return 12
  }
  if (format != 2 || track > 1) return 0
  // As the Q channel of the lead-in has it: first track, last track, lead-out, then the tracks; always in MSF
  let at: usize = 4
  for (let i: u32 = 0; i < 4; i++) {
    store<u8>(b + at, 1) // session
    store<u8>(b + at, DATA_TRACK, 1)
    store<u8>(b + at, i < 3 ? 0xa0 + i : 1, 3)
    if (i < 2) store<u8>(b + at, 1, 8)
    else {
      const address = cdAddress(i == 2 ? sectors : 0)
      store<u8>(b + at, address >> 16, 8)
      store<u8>(b + at, address >> 8, 9)
      store<u8>(b + at, address, 10)
    }
    at += 11
  }
  putWord(b, 0, <u32>at - 2)
  return <u32>at
}

/** READ DISC INFORMATION (6.25): complete, one session, one track. */
export function atapiDiscInformation(b: usize): u32 {
  memory.fill(b, 0, 34)
  putWord(b, 0, 32)
  store<u8>(b, 0x0e, 2) // last session and disc complete
  store<u8>(b, 1, 3)
  store<u8>(b, 1, 4)
  store<u8>(b, 1, 5)
  store<u8>(b, 1, 6)
  store<u8>(b, 0x20, 7) // unrestricted use
  store<u8>(b, 0x00, 8) // CD-ROM
  putLong(b, 16, u32.MAX_VALUE) // no lead-in to write, no last possible lead-out
  putLong(b, 20, u32.MAX_VALUE)
  return 34
}

/** READ TRACK INFORMATION (6.27) by sector (`kind` 0), track (1) or session (2). 0: there is none. */
export function atapiTrackInformation(b: usize, kind: u32, which: u32, sectors: u32): u32 {
  if (kind == 0 ? which >= sectors : kind > 2 || which != 1) return 0
  memory.fill(b, 0, 36)
  putWord(b, 0, 34)
  store<u8>(b, 1, 2)
  store<u8>(b, 1, 3)
  store<u8>(b, 0x04, 5) // data track
  store<u8>(b, 0x01, 6) // mode 1
  putLong(b, 24, sectors)
  return 36
}
