// The floppy controller: 82077AA in AT mode, ports 3F2h-3F5h and 3F7h, IRQ 6, DMA channel 2, two drives. Reference: Intel
// 82077AA data sheet (290166). A disk is an image: sectors of 512 bytes with the addresses their place says. Seeks and
// sectors take less time than any real drive's, but always the same.

import {
  BLOCK_BUFFER_SIZE,
  BLOCK_BUFFERS,
  BLOCK_ERROR_NONE,
  BLOCK_READ,
  BLOCK_WRITE,
  DEV_FDC,
  DRIVE_CYLINDERS,
  DRIVE_HEADS,
  DRIVE_MEDIUM,
  DRIVE_PRESENT,
  DRIVE_READ_ONLY,
  DRIVE_SECTORS_PER_TRACK,
  DRIVE_SIZE,
  DRIVES,
} from '../layout'
import { blockPending, blockTransfer, blockWait } from '../machine/block'
import { dmaTerminal, dmaTransfer } from './i8237'
import { irqLine } from './interrupt-lines'
import { NEVER, TIMER_FDC, timerSet } from './timers'

// State
const DOR: usize = 0 // u8
const TAPE: usize = 1 // u8, TDR
const RATE: usize = 2 // u8, CCR bits 0-1
const PHASE: usize = 3 // u8, PHASE_*
const LENGTH: usize = 4 // u8, bytes of the command, or of the result
const POSITION: usize = 5 // u8
const INTERRUPT: usize = 6 // u8, IRQ 6 is wanted
const JOB: usize = 7 // u8, what the timer is for
const SEEK_DONE: usize = 8 // u8, bit per drive: ended seeks, or the four drives after a reset
const SEEK_STATUS: usize = 9 // u8[4], ST0 of them
const BUSY_SEEKING: usize = 13 // u8, MSR bits 0-3
const SPECIFY_1: usize = 14 // u8: step rate, head unload time
const SPECIFY_2: usize = 15 // u8: head load time, ND
const CONFIG: usize = 16 // u8: EIS, EFIFO, POLL, FIFOTHR
const PRECOMPENSATION: usize = 17 // u8
const LOCKED: usize = 18 // u8
const PERPENDICULAR: usize = 19 // u8
const CYLINDER: usize = 20 // u8[4], where the heads are
const CHANGED: usize = 24 // u8[4], disk change lines
const SECTOR_COUNT: usize = 28 // u8, EOT of the last command, for DUMPREG
const DATA_END: usize = 30 // u16, bytes of the non-DMA buffer
const DATA_POSITION: usize = 32 // u16
const BYTES: usize = 48 // u8[16], command or result
const DATA: usize = 0x200 // u8[512], data of a transfer without DMA

const PHASE_COMMAND: u32 = 0
const PHASE_EXECUTION: u32 = 1
const PHASE_RESULT: u32 = 2
/** Execution without DMA: bytes go by the FIFO port. */
const PHASE_TO_HOST: u32 = 3
const PHASE_FROM_HOST: u32 = 4

const JOB_NONE: u32 = 0
const JOB_RESET: u32 = 1
const JOB_SEEK: u32 = 2
const JOB_TRANSFER: u32 = 3
const JOB_READ_ID: u32 = 4
const JOB_FORMAT: u32 = 5

const DOR_RUNNING: u32 = 0x04 // RESET#
const DOR_DMAGATE: u32 = 0x08
const MSR_RQM: u32 = 0x80
const MSR_DIO: u32 = 0x40
const MSR_NON_DMA: u32 = 0x20
const MSR_BUSY: u32 = 0x10
const CONFIG_IMPLIED_SEEK: u32 = 0x40
const CONFIG_NO_POLLING: u32 = 0x10
const CONFIG_DEFAULT: u32 = 0x20

// Status registers of a result (6.0)
const ST0_ABNORMAL: u32 = 0x40
const ST0_INVALID: u32 = 0x80
const ST0_READY_CHANGED: u32 = 0xc0
const ST0_SEEK_END: u32 = 0x20
const ST0_EQUIPMENT: u32 = 0x10
const ST1_END: u32 = 0x80
const ST1_DATA: u32 = 0x20
const ST1_OVERRUN: u32 = 0x10
const ST1_NO_DATA: u32 = 0x04
const ST1_NOT_WRITABLE: u32 = 0x02
const ST1_NO_ADDRESS: u32 = 0x01
const ST2_WRONG_CYLINDER: u32 = 0x10
const ST2_DATA: u32 = 0x20

const SECTOR: u32 = 512
const FLOPPIES: u32 = 2
const RESET_TIME: u64 = 250_000
const SEEK_TIME: u64 = 200_000
const STEP_TIME: u64 = 20_000
const SECTOR_TIME: u64 = 100_000
/** Two turns without an address mark. */
const SEARCH_TIME: u64 = 400_000_000

@inline
function get(offset: usize): u32 {
  return load<u8>(DEV_FDC + offset)
}
@inline
function set(offset: usize, value: u32): void {
  store<u8>(DEV_FDC + offset, value)
}
function byte(i: u32): u32 {
  return load<u8>(DEV_FDC + BYTES + i)
}
function setByte(i: u32, value: u32): void {
  store<u8>(DEV_FDC + BYTES + i, value)
}
function drive(offset: u32): u32 {
  return load<u32>((DRIVES as usize) + (byte(1) & 1) * DRIVE_SIZE + offset)
}

/** Power-on. The change lines are active until the heads have been stepped. */
export function fdcReset(): void {
  for (let i: u32 = 0; i < FLOPPIES; i++) if (blockPending(i)) blockWait(i)
  memory.fill(DEV_FDC, 0, 0x400)
  set(CONFIG, CONFIG_DEFAULT)
  set(RATE, 2)
  for (let i: usize = 0; i < 4; i++) set(CHANGED + i, 1)
}

/** A medium has come or gone in drive 0 or 1. */
export function fdcMediumChanged(index: u32): void {
  set(CHANGED + index, 1)
}

export function fdcRead(port: u32, now: u64): u32 {
  switch (port) {
    case 0x3f2:
      return get(DOR)
    case 0x3f3:
      return 0xfc | get(TAPE)
    case 0x3f4:
      return mainStatus()
    case 0x3f5:
      return fifoRead(now)
    case 0x3f7:
      return directory()
    default:
      return 0xff // 3F0h, 3F1h: status registers of the PS/2 modes
  }
}

export function fdcWrite(port: u32, value: u32, now: u64): void {
  switch (port) {
    case 0x3f2: {
      const before = get(DOR)
      set(DOR, value)
      if ((value & DOR_RUNNING) == 0) halt()
      else if ((before & DOR_RUNNING) == 0) restart(now)
      updateLine()
      return
    }
    case 0x3f3:
      set(TAPE, value & 3)
      return
    case 0x3f4:
      // DSR: bit 7 resets and clears itself; the data rate is the same as in CCR
      set(RATE, value & 3)
      if (value & 0x80 && get(DOR) & DOR_RUNNING) {
        halt()
        restart(now)
      }
      return
    case 0x3f5:
      fifoWrite(value, now)
      return
    case 0x3f7:
      set(RATE, value & 3)
  }
}

function mainStatus(): u32 {
  if ((get(DOR) & DOR_RUNNING) == 0) return 0
  const phase = get(PHASE)
  let status = get(BUSY_SEEKING)
  if (phase == PHASE_COMMAND) return status | MSR_RQM | (get(POSITION) ? MSR_BUSY : 0)
  status |= MSR_BUSY
  if (phase == PHASE_EXECUTION) return status
  if (phase == PHASE_RESULT) return status | MSR_RQM | MSR_DIO
  return status | MSR_RQM | MSR_NON_DMA | (phase == PHASE_TO_HOST ? MSR_DIO : 0)
}

/** DIR: bit 7 the change line of the drive that is selected and turns. */
function directory(): u32 {
  const selected = get(DOR) & 3
  if (selected >= FLOPPIES || (get(DOR) & (0x10 << selected)) == 0) return 0x7f
  const entry = DRIVES + selected * DRIVE_SIZE
  if (!load<u32>(entry, DRIVE_PRESENT)) return 0x7f
  return 0x7f | (get(CHANGED + selected) ? 0x80 : 0)
}

/** RESET# is low: nothing goes on. What CONFIGURE said stays if it is locked (5.2.10). */
function halt(): void {
  timerSet(TIMER_FDC, NEVER)
  set(PHASE, PHASE_COMMAND)
  set(POSITION, 0)
  set(INTERRUPT, 0)
  set(JOB, JOB_NONE)
  set(SEEK_DONE, 0)
  set(BUSY_SEEKING, 0)
  if (!get(LOCKED)) {
    set(CONFIG, CONFIG_DEFAULT)
    set(PRECOMPENSATION, 0)
  }
  for (let i: u32 = 0; i < FLOPPIES; i++) if (blockPending(i)) blockWait(i)
  updateLine()
}

function restart(now: u64): void {
  set(JOB, JOB_RESET)
  timerSet(TIMER_FDC, now + RESET_TIME)
}

function interrupt(): void {
  set(INTERRUPT, 1)
  updateLine()
}

function updateLine(): void {
  irqLine(6, get(INTERRUPT) != 0 && (get(DOR) & (DOR_DMAGATE | DOR_RUNNING)) == (DOR_DMAGATE | DOR_RUNNING))
}

// ---------------------------------------------------------------------------------------------------------
// Command and result phases

/** Bytes of a command, its code included; 1 for an invalid one. */
function commandLength(code: u32): u32 {
  switch (code & 0x1f) {
    case 0x02: // READ TRACK
    case 0x05: // WRITE DATA
    case 0x06: // READ DATA
    case 0x09: // WRITE DELETED DATA
    case 0x0c: // READ DELETED DATA
    case 0x16: // VERIFY
      return 9
    case 0x0d: // FORMAT TRACK
      return 6
    case 0x13: // CONFIGURE
      return 4
    case 0x03: // SPECIFY
    case 0x0f: // SEEK, RELATIVE SEEK
      return 3
    case 0x04: // SENSE DRIVE STATUS
    case 0x07: // RECALIBRATE
    case 0x0a: // READ ID
    case 0x12: // PERPENDICULAR MODE
      return 2
    default:
      return 1
  }
}

function fifoRead(now: u64): u32 {
  const phase = get(PHASE)
  if (phase == PHASE_TO_HOST) return dataRead(now)
  if (phase != PHASE_RESULT) return 0
  const position = get(POSITION)
  const value = byte(position)
  // The interrupt of a command's end goes with the first byte of its result
  if (get(INTERRUPT)) {
    set(INTERRUPT, 0)
    updateLine()
  }
  set(POSITION, position + 1)
  if (position + 1 >= get(LENGTH)) {
    set(PHASE, PHASE_COMMAND)
    set(POSITION, 0)
  }
  return value
}

function fifoWrite(value: u32, now: u64): void {
  if ((get(DOR) & DOR_RUNNING) == 0) return
  const phase = get(PHASE)
  if (phase == PHASE_FROM_HOST) {
    dataWrite(value, now)
    return
  }
  if (phase != PHASE_COMMAND) return
  const position = get(POSITION)
  setByte(position, value)
  if (position == 0) set(LENGTH, commandLength(value))
  set(POSITION, position + 1)
  if (position + 1 < get(LENGTH)) return
  set(POSITION, 0)
  execute(now)
}

function result(length: u32): void {
  set(LENGTH, length)
  set(POSITION, 0)
  set(PHASE, PHASE_RESULT)
}

function answer(value: u32): void {
  setByte(0, value)
  result(1)
}

function execute(now: u64): void {
  const code = byte(0)
  const unit = byte(1) & 3
  switch (code & 0x1f) {
    case 0x03:
      set(SPECIFY_1, byte(1))
      set(SPECIFY_2, byte(2))
      return
    case 0x04:
      answer(senseDrive(unit))
      return
    case 0x07:
      seek(unit, 0, now)
      return
    case 0x08:
      senseInterrupt()
      return
    case 0x0f:
      if (code & 0x80) {
        const at = <i32>get(CYLINDER + unit)
        const target = code & 0x40 ? at + <i32>byte(2) : at - <i32>byte(2)
        seek(unit, <u32>max<i32>(target, 0), now)
      } else seek(unit, byte(2), now)
      return
    case 0x02:
    case 0x05:
    case 0x06:
    case 0x09:
    case 0x0c:
    case 0x16:
      beginTransfer(now)
      return
    case 0x0a:
      busy(JOB_READ_ID, now + (readable() ? SECTOR_TIME : SEARCH_TIME))
      return
    case 0x0d:
      busy(JOB_FORMAT, now + SECTOR_TIME)
      return
    case 0x0e: // DUMPREG
      dumpRegisters()
      return
    case 0x10: // VERSION: an enhanced controller
      answer(code == 0x10 ? 0x90 : ST0_INVALID)
      return
    case 0x12:
      // Bits of drives change only when OW is set (5.2.11)
      set(PERPENDICULAR, byte(1) & 0x80 ? byte(1) & 0x3f : (get(PERPENDICULAR) & 0x3c) | (byte(1) & 3))
      return
    case 0x13:
      set(CONFIG, byte(2))
      set(PRECOMPENSATION, byte(3))
      return
    case 0x14: // LOCK (94h), UNLOCK (14h)
      set(LOCKED, code >> 7)
      answer((code >> 7) << 4)
      return
    default:
      answer(ST0_INVALID)
  }
}

function dumpRegisters(): void {
  const specify1 = get(SPECIFY_1)
  for (let i: u32 = 0; i < 4; i++) setByte(i, get(CYLINDER + i))
  setByte(4, specify1)
  setByte(5, get(SPECIFY_2))
  setByte(6, get(SECTOR_COUNT))
  setByte(7, (get(LOCKED) << 7) | get(PERPENDICULAR))
  setByte(8, get(CONFIG))
  setByte(9, get(PRECOMPENSATION))
  result(10)
}

/** ST3. Bits 3 and 5 are always 1 on this chip. */
function senseDrive(unit: u32): u32 {
  let status = (byte(1) & 7) | 0x28
  if (unit >= FLOPPIES) return status
  if (get(CYLINDER + unit) == 0) status |= 0x10
  if (drive(DRIVE_READ_ONLY) || !drive(DRIVE_MEDIUM)) status |= 0x40
  return status
}

function senseInterrupt(): void {
  const done = get(SEEK_DONE)
  if (!done) {
    answer(ST0_INVALID)
    return
  }
  const unit = ctz(done)
  set(SEEK_DONE, done & (done - 1))
  setByte(0, get(SEEK_STATUS + unit))
  setByte(1, get(CYLINDER + unit))
  set(INTERRUPT, 0)
  updateLine()
  result(2)
}

function busy(job: u32, deadline: u64): void {
  set(PHASE, PHASE_EXECUTION)
  set(JOB, job)
  timerSet(TIMER_FDC, deadline)
}

// ---------------------------------------------------------------------------------------------------------
// Drives

/** Moves the heads. They stop at track 0 and at the stop behind the last track. Answers the steps. */
function step(unit: u32, target: u32): u32 {
  const at = get(CYLINDER + unit)
  const to = min<u32>(target, 84)
  if (unit >= FLOPPIES) return 0
  set(CYLINDER + unit, to)
  // A step pulse clears the change line when there is a disk (a drive's DSKCHG)
  if (at != to && load<u32>((DRIVES as usize) + unit * DRIVE_SIZE, DRIVE_MEDIUM)) set(CHANGED + unit, 0)
  return at > to ? at - to : to - at
}

/** SEEK and RECALIBRATE: the command phase ends at once, the interrupt comes when the heads are there. */
function seek(unit: u32, target: u32, now: u64): void {
  const there = unit < FLOPPIES && load<u32>((DRIVES as usize) + unit * DRIVE_SIZE, DRIVE_PRESENT)
  const steps = there ? step(unit, target) : 0
  // RECALIBRATE of a drive that is not there finds no track 0 in 79 steps: equipment check
  const lost: u32 = !there && (byte(0) & 0x1f) == 7 ? ST0_ABNORMAL | ST0_EQUIPMENT : 0
  set(SEEK_STATUS + unit, ST0_SEEK_END | lost | (byte(1) & 7))
  set(BUSY_SEEKING, get(BUSY_SEEKING) | (1 << unit))
  set(JOB, JOB_SEEK)
  timerSet(TIMER_FDC, now + SEEK_TIME + <u64>steps * STEP_TIME)
}

/** A disk turns in the drive of the command, and its rate is the one that is set. */
function readable(): bool {
  const unit = byte(1) & 3
  if (unit >= FLOPPIES || (get(DOR) & (0x10 << unit)) == 0 || !drive(DRIVE_MEDIUM)) return false
  const perTrack = drive(DRIVE_SECTORS_PER_TRACK)
  const rate = get(RATE)
  // 0: 500 kbit/s, 1: 300, 2: 250, 3: 1000; 360 KB disks turn at 300 kbit/s in a 1.2 MB drive
  if (perTrack > 21) return rate == 3
  return perTrack > 9 ? rate == 0 : rate == 1 || rate == 2
}

/** First sector of the image that cylinder, head and sector name; all ones when there is none. */
function place(cylinder: u32, head: u32, sector: u32): u32 {
  const perTrack = drive(DRIVE_SECTORS_PER_TRACK)
  if (cylinder >= drive(DRIVE_CYLINDERS) || head >= drive(DRIVE_HEADS)) return u32.MAX_VALUE
  if (sector == 0 || sector > perTrack) return u32.MAX_VALUE
  return (cylinder * drive(DRIVE_HEADS) + head) * perTrack + sector - 1
}

function buffer(): usize {
  return BLOCK_BUFFERS + (byte(1) & 1) * BLOCK_BUFFER_SIZE
}

// ---------------------------------------------------------------------------------------------------------
// Transfers: byte 2 C, 3 H, 4 R, 5 N, 6 EOT, 7 GPL, 8 DTL of the command are counted on as sectors go by

function writes(): bool {
  const code = byte(0) & 0x1f
  return code == 0x05 || code == 0x09
}

function withoutDma(): bool {
  return (get(SPECIFY_2) & 1) != 0
}

function beginTransfer(now: u64): void {
  const unit = byte(1) & 3
  set(SECTOR_COUNT, byte(6))
  let time = SECTOR_TIME
  if (get(CONFIG) & CONFIG_IMPLIED_SEEK) time += <u64>step(unit, byte(2)) * STEP_TIME
  if ((byte(0) & 0x1f) == 0x02) setByte(4, 1) // READ TRACK begins at the index hole
  if (!readable()) {
    busy(JOB_TRANSFER, now + SEARCH_TIME)
    return
  }
  if (writes() && withoutDma() && addressError() == 0 && !drive(DRIVE_READ_ONLY)) {
    fromHost()
    return
  }
  busy(JOB_TRANSFER, now + time)
}

/** ST1 | ST2 << 8 for the sector the command is at: 0 when it is there. */
function addressError(): u32 {
  if (!readable()) return ST1_NO_ADDRESS
  const head = (byte(1) >> 2) & 1
  const at = get(CYLINDER + (byte(1) & 3))
  if (byte(2) != at) return ST1_NO_DATA | (ST2_WRONG_CYLINDER << 8)
  // Sectors of 512 bytes, with the head they lie on; MFM
  if (byte(3) != head || byte(5) != 2 || (byte(0) & 0x40) == 0) return ST1_NO_DATA
  if (at >= drive(DRIVE_CYLINDERS) || head >= drive(DRIVE_HEADS)) return ST1_NO_ADDRESS
  return place(at, head, byte(4)) == u32.MAX_VALUE ? ST1_NO_DATA : 0
}

/** The seven bytes of a transfer's result, and the interrupt. */
function finish(st0: u32, st1: u32, st2: u32): void {
  const c = byte(2)
  const h = byte(3)
  const r = byte(4)
  const n = byte(5)
  setByte(0, st0 | (byte(1) & 7))
  setByte(1, st1)
  setByte(2, st2)
  setByte(3, c)
  setByte(4, h)
  setByte(5, r)
  setByte(6, n)
  set(JOB, JOB_NONE)
  result(7)
  interrupt()
}

/**
 * On to the next sector (5.1, table 5-4). True when the transfer ends here: terminal count, or the last sector that EOT
 * names without one.
 */
function next(terminal: bool): bool {
  const last = byte(4) == byte(6)
  if (!last) setByte(4, byte(4) + 1)
  else {
    setByte(4, 1)
    const multiple = (byte(0) & 0x80) != 0
    if (multiple && (byte(1) & 4) == 0) {
      setByte(1, byte(1) | 4)
      setByte(3, byte(3) ^ 1)
      if (!terminal) return false
    } else {
      setByte(2, byte(2) + 1)
      if (multiple) {
        setByte(3, byte(3) ^ 1)
      }
      if (!terminal) {
        finish(ST0_ABNORMAL, ST1_END, 0)
        return true
      }
    }
  }
  if (terminal) finish(0, 0, 0)
  return terminal
}

/** Asks channel 2 for `length` bytes. With DMAGATE off (DOR bit 3, AT mode) DRQ does not come out: nobody answers, and the FIFO runs over. */
function dmaMove(from: usize, length: u32, toMemory: bool): u32 {
  return get(DOR) & DOR_DMAGATE ? dmaTransfer(2, from, length, toMemory) : 0
}

/** One sector: from the host to memory or the FIFO, or the other way. */
function transferSector(now: u64): void {
  const wrong = addressError()
  if (wrong) {
    finish(ST0_ABNORMAL, wrong & 0xff, wrong >> 8)
    return
  }
  const unit = byte(1) & 1
  const lba = place(byte(2), (byte(1) >> 2) & 1, byte(4))
  const code = byte(0) & 0x1f
  if (writes()) {
    if (drive(DRIVE_READ_ONLY)) {
      finish(ST0_ABNORMAL, ST1_NOT_WRITABLE, 0)
      return
    }
    let terminal: bool = false
    if (withoutDma()) memory.copy(buffer(), DEV_FDC + DATA, SECTOR)
    else {
      const moved = dmaMove(buffer(), SECTOR, false)
      terminal = dmaTerminal
      if (moved == 0) {
        finish(ST0_ABNORMAL, ST1_OVERRUN, 0)
        return
      }
      memory.fill(buffer() + moved, 0, SECTOR - moved) // the rest of the sector is written with zeros
    }
    if (blockTransfer(unit, BLOCK_WRITE, lba, 1, buffer()) != BLOCK_ERROR_NONE) {
      finish(ST0_ABNORMAL, ST1_DATA, ST2_DATA)
      return
    }
    if (next(terminal)) return
    if (withoutDma() && addressError() == 0) fromHost()
    else busy(JOB_TRANSFER, now + SECTOR_TIME)
    return
  }
  if (blockTransfer(unit, BLOCK_READ, lba, 1, buffer()) != BLOCK_ERROR_NONE) {
    finish(ST0_ABNORMAL, ST1_DATA, ST2_DATA)
    return
  }
  if (code == 0x16) {
    // VERIFY: EC (MT's neighbour, bit 7 of byte 1) lets DTL count the sectors, else EOT ends it without an error
    const counted = (byte(1) & 0x80) != 0
    if (counted) setByte(8, byte(8) - 1)
    const lastHead = (byte(0) & 0x80) == 0 || (byte(1) & 4) != 0
    const end = counted ? byte(8) == 0 : byte(4) == byte(6) && lastHead
    if (!next(end)) busy(JOB_TRANSFER, now + SECTOR_TIME)
    return
  }
  if (withoutDma()) {
    memory.copy(DEV_FDC + DATA, buffer(), SECTOR)
    store<u16>(DEV_FDC, SECTOR, DATA_END)
    store<u16>(DEV_FDC, 0, DATA_POSITION)
    set(PHASE, PHASE_TO_HOST)
    set(JOB, JOB_TRANSFER)
    interrupt()
    return
  }
  if (dmaMove(buffer(), SECTOR, true) == 0) {
    finish(ST0_ABNORMAL, ST1_OVERRUN, 0)
    return
  }
  if (!next(dmaTerminal)) busy(JOB_TRANSFER, now + SECTOR_TIME)
}

function fromHost(): void {
  store<u16>(DEV_FDC, SECTOR, DATA_END)
  store<u16>(DEV_FDC, 0, DATA_POSITION)
  set(PHASE, PHASE_FROM_HOST)
  set(JOB, JOB_TRANSFER)
  interrupt()
}

function dataRead(now: u64): u32 {
  const at = load<u16>(DEV_FDC, DATA_POSITION)
  const value = load<u8>(DEV_FDC + DATA + at)
  store<u16>(DEV_FDC, at + 1, DATA_POSITION)
  if (at == 0) {
    set(INTERRUPT, 0)
    updateLine()
  }
  if (at + 1 < load<u16>(DEV_FDC, DATA_END)) return value
  // No terminal count comes by this way: EOT ends the command, with an error that software expects (5.1.1)
  if (!next(false)) busy(JOB_TRANSFER, now + SECTOR_TIME)
  return value
}

function dataWrite(value: u32, now: u64): void {
  const at = load<u16>(DEV_FDC, DATA_POSITION)
  store<u8>(DEV_FDC + DATA + at, value)
  store<u16>(DEV_FDC, at + 1, DATA_POSITION)
  if (at == 0) {
    set(INTERRUPT, 0)
    updateLine()
  }
  if (at + 1 == load<u16>(DEV_FDC, DATA_END)) busy(JOB_TRANSFER, now + SECTOR_TIME)
}

/** FORMAT TRACK: command bytes 2 N, 3 SC, 4 GPL, 5 D; the addresses come as four bytes a sector. */
function format(): void {
  const sectors = byte(3)
  const fill = byte(5)
  const size = byte(2)
  const head = (byte(1) >> 2) & 1
  const cylinder = get(CYLINDER + (byte(1) & 3))
  let st1: u32 = 0
  if (!readable()) st1 = ST1_NO_ADDRESS
  else if (drive(DRIVE_READ_ONLY)) st1 = ST1_NOT_WRITABLE
  const ids = buffer() + 1024
  for (let i: u32 = 0; i < sectors && st1 == 0; i++) {
    if (dmaMove(ids, 4, false) < 4) {
      st1 = ST1_OVERRUN
      break
    }
    // An image has room for the sectors that lie where they belong, of 512 bytes
    const lba = place(cylinder, head, load<u8>(ids, 2))
    const fits = load<u8>(ids) == cylinder && load<u8>(ids, 1) == head && load<u8>(ids, 3) == 2 && size == 2
    if (!fits || lba == u32.MAX_VALUE) {
      st1 = ST1_NO_DATA
      break
    }
    memory.fill(buffer(), <u8>fill, SECTOR)
    if (blockTransfer(byte(1) & 1, BLOCK_WRITE, lba, 1, buffer()) != BLOCK_ERROR_NONE) st1 = ST1_DATA
  }
  setByte(2, cylinder)
  setByte(3, head)
  setByte(4, sectors + 1)
  setByte(5, size)
  finish(st1 ? ST0_ABNORMAL : 0, st1, 0)
}

/** TIMER_FDC. */
export function fdcTimer(at: u64): void {
  const job = get(JOB)
  if (job == JOB_RESET) {
    set(JOB, JOB_NONE)
    // With polling on, the four drives have become ready: four SENSE INTERRUPT STATUS (5.2.3)
    if ((get(CONFIG) & CONFIG_NO_POLLING) == 0) {
      set(SEEK_DONE, 0x0f)
      for (let i: u32 = 0; i < 4; i++) set(SEEK_STATUS + i, ST0_READY_CHANGED | i)
    }
    interrupt()
  } else if (job == JOB_SEEK) {
    set(JOB, JOB_NONE)
    set(SEEK_DONE, get(SEEK_DONE) | get(BUSY_SEEKING))
    set(BUSY_SEEKING, 0)
    interrupt()
  } else if (job == JOB_READ_ID) {
    const head = (byte(1) >> 2) & 1
    const cylinder = get(CYLINDER + (byte(1) & 3))
    const there = readable() && (byte(0) & 0x40) != 0 && place(cylinder, head, 1) != u32.MAX_VALUE
    setByte(2, cylinder)
    setByte(3, head)
    setByte(4, 1)
    setByte(5, 2)
    finish(there ? 0 : ST0_ABNORMAL, there ? 0 : ST1_NO_ADDRESS, 0)
  } else if (job == JOB_FORMAT) format()
  else if (job == JOB_TRANSFER) transferSector(at)
}
