// The commands of an ATA disk: what each does to the task file, which sectors it moves, how it ends.
// Reference: ATA/ATAPI-6 (T13/1410D r3b), clause 8; READ/WRITE MULTIPLE and PIO protocols clause 9.

import {
  BLOCK_BUFFER_SIZE,
  BLOCK_ERROR_NONE,
  BLOCK_ERROR_RANGE,
  BLOCK_FLUSH,
  BLOCK_READ,
  BLOCK_WRITE,
} from '../layout'
import { DRIVE_READ_ONLY, DRIVE_SECTORS, DRIVE_SIZE, DRIVES } from '../layout'
import { blockPending, blockSubmit, blockWait } from '../machine/block'
import {
  ATA_BLOCK,
  ATA_BUFFER,
  ATA_BUFFER_SECTORS,
  ATA_COMMAND,
  ATA_COUNT,
  ATA_DEVICE,
  ATA_DMA,
  ATA_ERROR,
  ATA_EXTENDED,
  ATA_FEATURES,
  ATA_LBA,
  ATA_LBA_HIGH,
  ATA_LBA_LOW,
  ATA_LBA_MID,
  ATA_LENGTH,
  ATA_PHASE,
  ATA_POSITION,
  ATA_REMAINING,
  ATA_REQUEST_COUNT,
  ATA_STATUS,
  PHASE_DMA,
  PHASE_IDLE,
  PHASE_IN,
  PHASE_OUT,
  STATUS_DF,
  STATUS_DRQ,
  STATUS_ERR,
  STATUS_READY,
  UNIT_HEADS,
  UNIT_MODE,
  UNIT_MULTIPLE,
  UNIT_SECTORS,
  UNIT_STANDBY,
  ataBusyUntil,
  ataDrive,
  ataInterrupt,
  ataSelectedUnit,
  ataSignature,
  ataTransferBuffer,
} from './ata'
import { ataCylinders, ataIdentify } from './ata-identify'
import { busMasterMove, busMasterReady } from './ide-bus-master'

const SECTOR: u32 = 512

/** From the command to the first data or the end; a disk with its data in the cache. */
const COMMAND_TIME: u64 = 20_000
/** From the end of one DRQ block to the next. */
const BLOCK_TIME: u64 = 4_000

const ERROR_ABRT: u32 = 0x04
const ERROR_IDNF: u32 = 0x10
const ERROR_UNC: u32 = 0x40
const DEVICE_LBA: u32 = 0x40
const NO_SECTOR: u64 = u64.MAX_VALUE

/** What a command does while the device is busy. */
const JOB_NONE: u32 = 0
const JOB_READ: u32 = 1
const JOB_WRITE: u32 = 2
const JOB_VERIFY: u32 = 3
const JOB_FLUSH: u32 = 4
const JOB_IDENTIFY: u32 = 5

/** Executes `command` on the selected device; BSY and DRQ are clear. */
export function ataCommand(c: usize, command: u32, now: u64): void {
  const unit = ataSelectedUnit(c)
  store<u8>(c, 0, ATA_ERROR)
  if (command >= 0x10 && command <= 0x1f) {
    complete(c) // RECALIBRATE, of old
    return
  }
  switch (command) {
    case 0x20: // READ SECTOR(S), with and without retry
    case 0x21:
    case 0x24: // EXT
      begin(c, command == 0x24, 1, now)
      return
    case 0x30: // WRITE SECTOR(S)
    case 0x31:
    case 0x34: // EXT
      begin(c, command == 0x34, 1, now)
      return
    case 0xc4: // READ MULTIPLE
    case 0x29: // EXT
    case 0xc5: // WRITE MULTIPLE
    case 0x39: // EXT
    case 0xce: {
      // FUA EXT
      const block = <u32>load<u8>(unit, UNIT_MULTIPLE)
      if (block == 0) fail(c, ERROR_ABRT)
      else begin(c, command != 0xc4 && command != 0xc5, block, now)
      return
    }
    case 0xc8: // READ DMA
    case 0xc9:
    case 0x25: // EXT
    case 0xca: // WRITE DMA
    case 0xcb:
    case 0x35: // EXT
    case 0x3d: // FUA EXT: nothing is acknowledged before the host has it
      store<u8>(c, 1, ATA_DMA)
      begin(c, command < 0xc0, 0, now)
      return
    case 0x40: // READ VERIFY SECTOR(S)
    case 0x41:
    case 0x42: // EXT
      begin(c, command == 0x42, 1, now)
      return
    case 0x70: // SEEK
      if (address(c, false) >= sectors(c)) fail(c, ERROR_IDNF)
      else complete(c)
      return
    case 0x91: {
      // INITIALIZE DEVICE PARAMETERS: sectors per track, maximum head number
      const perTrack = <u32>load<u8>(c, ATA_COUNT)
      if (perTrack == 0 || perTrack > 63) {
        fail(c, ERROR_ABRT)
        return
      }
      store<u8>(unit, (load<u8>(c, ATA_DEVICE) & 15) + 1, UNIT_HEADS)
      store<u8>(unit, perTrack, UNIT_SECTORS)
      complete(c)
      return
    }
    case 0xc6: {
      // SET MULTIPLE MODE: 0 switches it off
      const block = <u32>load<u8>(c, ATA_COUNT)
      if (block > ATA_BUFFER_SECTORS || popcnt(block) > 1) {
        fail(c, ERROR_ABRT)
        return
      }
      store<u8>(unit, block, UNIT_MULTIPLE)
      complete(c)
      return
    }
    case 0xe0: // STANDBY IMMEDIATE
    case 0xe2: // STANDBY
    case 0xe6: // SLEEP; a reset is wanted to wake up, which comes to the same here
    case 0x94:
    case 0x96:
    case 0x99:
      store<u8>(unit, 1, UNIT_STANDBY)
      complete(c)
      return
    case 0xe1: // IDLE IMMEDIATE
    case 0xe3: // IDLE
    case 0x95:
    case 0x97:
      store<u8>(unit, 0, UNIT_STANDBY)
      complete(c)
      return
    case 0xe5: // CHECK POWER MODE: 00h standby, FFh active or idle
    case 0x98:
      store<u8>(c, load<u8>(unit, UNIT_STANDBY) ? 0 : 0xff, ATA_COUNT)
      complete(c)
      return
    case 0xe7: // FLUSH CACHE
    case 0xea: // EXT
      store<u64>(c, 0, ATA_LBA)
      store<u32>(c, 1, ATA_REQUEST_COUNT)
      submit(c, JOB_FLUSH)
      ataBusyUntil(c, now + COMMAND_TIME)
      return
    case 0xec: // IDENTIFY DEVICE
      ataBusyUntil(c, now + COMMAND_TIME)
      return
    case 0xef: // SET FEATURES
      setFeatures(c)
      return
    case 0xf8: // READ NATIVE MAX ADDRESS
      addressWrite(c, min<u64>(sectors(c), 0x0fff_ffff) - 1, false)
      complete(c)
      return
    case 0x27: // EXT
      addressWrite(c, sectors(c) - 1, true)
      complete(c)
      return
    case 0xa1: // IDENTIFY PACKET DEVICE, DEVICE RESET: a disk aborts them and shows its signature (8.15.6)
    case 0x08:
      ataSignature(c)
      fail(c, ERROR_ABRT)
      return
    default: // NOP among them, which always aborts
      fail(c, ERROR_ABRT)
  }
}

/** The device has been busy long enough: takes the host's answer and goes on. */
export function ataBlockDone(c: usize, now: u64): void {
  const job = jobOf(load<u8>(c, ATA_COMMAND))
  if (job == JOB_IDENTIFY) {
    ataIdentify(c, ataDrive(c), ataSelectedUnit(c))
    dataIn(c, SECTOR)
    return
  }
  if (job == JOB_WRITE && load<u8>(c, ATA_DMA) && load<u32>(c, ATA_POSITION) < load<u32>(c, ATA_LENGTH)) {
    dmaOut(c, now)
    return
  }
  const count = load<u32>(c, ATA_REQUEST_COUNT)
  const error = answer(c, job)
  if (error != BLOCK_ERROR_NONE) {
    // The task file shows the first sector that was not transferred
    if (job != JOB_FLUSH) addressWrite(c, load<u64>(c, ATA_LBA), load<u8>(c, ATA_EXTENDED) != 0)
    if (error == BLOCK_ERROR_RANGE) fail(c, ERROR_IDNF)
    else if (job == JOB_READ || job == JOB_VERIFY) fail(c, ERROR_UNC)
    else {
      fail(c, ERROR_ABRT)
      store<u8>(c, STATUS_READY | STATUS_DF | STATUS_ERR, ATA_STATUS)
    }
    return
  }
  if (job == JOB_READ && load<u8>(c, ATA_DMA)) {
    dmaIn(c, now)
    return
  }
  if (job == JOB_READ) {
    memory.copy(c + ATA_BUFFER, ataTransferBuffer(ataDrive(c)), count * SECTOR)
    advance(c, count)
    // The next block is fetched while the guest reads this one
    if (load<u32>(c, ATA_REMAINING)) {
      prepare(c)
      submit(c, job)
    }
    dataIn(c, count * SECTOR)
    return
  }
  if (job == JOB_WRITE || job == JOB_VERIFY) {
    advance(c, count)
    if (load<u32>(c, ATA_REMAINING)) {
      if (job == JOB_WRITE && load<u8>(c, ATA_DMA)) {
        dmaBlock(c)
        ataBusyUntil(c, now + BLOCK_TIME)
      } else if (job == JOB_WRITE) {
        dataOut(c)
        ataInterrupt(c)
      } else {
        prepare(c)
        submit(c, job)
        ataBusyUntil(c, now + BLOCK_TIME)
      }
      return
    }
    lastAddress(c)
  }
  complete(c)
}

/** The size of the next part of a DMA transfer: what the transfer buffer holds. */
function dmaBlock(c: usize): void {
  const left = min<u64>(load<u32>(c, ATA_REMAINING), sectors(c) - min<u64>(sectors(c), load<u64>(c, ATA_LBA)))
  const count = min<u32>(max<u32>(<u32>left, 1), BLOCK_BUFFER_SIZE / SECTOR)
  store<u32>(c, count, ATA_REQUEST_COUNT)
  store<u32>(c, 0, ATA_POSITION)
  store<u32>(c, count * SECTOR, ATA_LENGTH)
}

/** Moves what is in the transfer buffer to memory; waits where the bus master does not take all of it. */
function dmaIn(c: usize, now: u64): void {
  if (!dmaMove(c, true)) return
  advance(c, load<u32>(c, ATA_REQUEST_COUNT))
  if (load<u32>(c, ATA_REMAINING)) {
    dmaBlock(c)
    submit(c, JOB_READ)
    ataBusyUntil(c, now + BLOCK_TIME)
    return
  }
  lastAddress(c)
  complete(c)
}

/** Fetches the next part of what is to be written, and hands it to the host when it is whole. */
function dmaOut(c: usize, now: u64): void {
  if (load<u64>(c, ATA_LBA) < sectors(c) && !dmaMove(c, false)) return
  store<u32>(c, load<u32>(c, ATA_LENGTH), ATA_POSITION)
  submit(c, JOB_WRITE)
  ataBusyUntil(c, now + BLOCK_TIME)
}

/** True when the whole part has been moved. */
function dmaMove(c: usize, toMemory: bool): bool {
  const position = load<u32>(c, ATA_POSITION)
  const length = load<u32>(c, ATA_LENGTH)
  let moved: u32 = 0
  if (busMasterReady(c, toMemory))
    moved = busMasterMove(c, ataTransferBuffer(ataDrive(c)) + position, length - position, toMemory)
  store<u32>(c, position + moved, ATA_POSITION)
  if (position + moved == length) return true
  store<u8>(c, PHASE_DMA, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
  return false
}

/** The bus master runs (again): the data is asked for once more, what is in a buffer is no state. */
export function ataDmaResume(c: usize, now: u64): void {
  const job = jobOf(load<u8>(c, ATA_COMMAND))
  if (job == JOB_READ) submit(c, job)
  ataBusyUntil(c, now + BLOCK_TIME)
}

/** The guest has read the whole DRQ block. */
export function ataBlockTaken(c: usize, now: u64): void {
  if (jobOf(load<u8>(c, ATA_COMMAND)) == JOB_READ) {
    if (load<u32>(c, ATA_REMAINING)) {
      ataBusyUntil(c, now + BLOCK_TIME)
      return
    }
    lastAddress(c)
  }
  // The end of a PIO data-in command raises no interrupt (9.5)
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
  store<u8>(c, STATUS_READY, ATA_STATUS)
}

/** The guest has written the whole DRQ block. */
export function ataBlockFilled(c: usize, now: u64): void {
  submit(c, JOB_WRITE)
  ataBusyUntil(c, now + BLOCK_TIME)
}

function sectors(c: usize): u64 {
  return load<u64>(DRIVES + ataDrive(c) * DRIVE_SIZE, DRIVE_SECTORS)
}

function jobOf(command: u32): u32 {
  switch (command) {
    case 0x20:
    case 0x21:
    case 0x24:
    case 0x29:
    case 0xc4:
    case 0xc8:
    case 0xc9:
    case 0x25:
      return JOB_READ
    case 0x30:
    case 0x31:
    case 0x34:
    case 0x39:
    case 0xc5:
    case 0xce:
    case 0xca:
    case 0xcb:
    case 0x35:
    case 0x3d:
      return JOB_WRITE
    case 0x40:
    case 0x41:
    case 0x42:
      return JOB_VERIFY
    case 0xe7:
    case 0xea:
      return JOB_FLUSH
    case 0xec:
      return JOB_IDENTIFY
    default:
      return JOB_NONE
  }
}

/** Starts a transfer: checks the address range, then asks the host or the guest for the first block. */
function begin(c: usize, extended: bool, block: u32, now: u64): void {
  const job = jobOf(load<u8>(c, ATA_COMMAND))
  const lba = address(c, extended)
  let count = <u32>load<u8>(c, ATA_COUNT)
  if (extended) count |= (<u32>load<u8>(c, ATA_COUNT + 1)) << 8
  if (count == 0) count = extended ? 65536 : 256
  store<u8>(c, extended ? 1 : 0, ATA_EXTENDED)
  store<u8>(c, block, ATA_BLOCK)
  store<u64>(c, lba, ATA_LBA)
  store<u32>(c, count, ATA_REMAINING)
  const size = sectors(c)
  if (lba >= size) {
    fail(c, ERROR_IDNF)
    return
  }
  if (job == JOB_WRITE) {
    if (load<u32>(DRIVES + ataDrive(c) * DRIVE_SIZE, DRIVE_READ_ONLY)) fail(c, ERROR_ABRT)
    else if (load<u8>(c, ATA_DMA)) {
      dmaBlock(c)
      ataBusyUntil(c, now + COMMAND_TIME)
    } else dataOut(c) // the first block of a write raises no interrupt (9.6)
    return
  }
  if (load<u8>(c, ATA_DMA)) dmaBlock(c)
  else prepare(c)
  submit(c, job)
  ataBusyUntil(c, now + COMMAND_TIME)
}

/** Sectors of the next block: those that are left on the device come first, the first bad one fails by itself. */
function nextCount(c: usize): u32 {
  const wanted = min<u32>(load<u8>(c, ATA_BLOCK), load<u32>(c, ATA_REMAINING))
  const left = sectors(c) - load<u64>(c, ATA_LBA)
  return left > 0 && left < wanted ? <u32>left : wanted
}

/** Fixes the size of the block that comes next. */
function prepare(c: usize): void {
  store<u32>(c, nextCount(c), ATA_REQUEST_COUNT)
}

/** Hands the request for the block at ATA_LBA to the host; one that lies behind the last sector fails without it. */
function submit(c: usize, job: u32): void {
  const lba = load<u64>(c, ATA_LBA)
  if (lba >= sectors(c)) return
  const drive = ataDrive(c)
  const buffer = ataTransferBuffer(drive)
  const op: u32 = job == JOB_WRITE ? BLOCK_WRITE : job == JOB_FLUSH ? BLOCK_FLUSH : BLOCK_READ
  if (job == JOB_WRITE && !load<u8>(c, ATA_DMA)) memory.copy(buffer, c + ATA_BUFFER, load<u32>(c, ATA_LENGTH))
  blockSubmit(drive, op, lba, load<u32>(c, ATA_REQUEST_COUNT), buffer)
}

/**
 * Waits for the host; BLOCK_ERROR_*. A request is bookkeeping, not state: where it is gone (a snapshot was
 * restored, the firmware used the drive meanwhile) it is simply made again.
 */
function answer(c: usize, job: u32): u32 {
  if (load<u64>(c, ATA_LBA) >= sectors(c)) return BLOCK_ERROR_RANGE
  if (!blockPending(ataDrive(c))) submit(c, job)
  return blockWait(ataDrive(c))
}

function advance(c: usize, count: u32): void {
  store<u64>(c, load<u64>(c, ATA_LBA) + count, ATA_LBA)
  store<u32>(c, load<u32>(c, ATA_REMAINING) - count, ATA_REMAINING)
}

function dataIn(c: usize, length: u32): void {
  store<u32>(c, 0, ATA_POSITION)
  store<u32>(c, length, ATA_LENGTH)
  store<u8>(c, PHASE_IN, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
  ataInterrupt(c)
}

function dataOut(c: usize): void {
  prepare(c)
  store<u32>(c, 0, ATA_POSITION)
  store<u32>(c, load<u32>(c, ATA_REQUEST_COUNT) * SECTOR, ATA_LENGTH)
  store<u8>(c, PHASE_OUT, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
}

function complete(c: usize): void {
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
  store<u8>(c, STATUS_READY, ATA_STATUS)
  ataInterrupt(c)
}

function fail(c: usize, error: u32): void {
  store<u8>(c, error, ATA_ERROR)
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_ERR, ATA_STATUS)
  ataInterrupt(c)
}

/** The sector the task file names; NO_SECTOR for a CHS address that does not exist. */
function address(c: usize, extended: bool): u64 {
  const low = <u64>load<u8>(c, ATA_LBA_LOW)
  const mid = <u64>load<u8>(c, ATA_LBA_MID)
  const high = <u64>load<u8>(c, ATA_LBA_HIGH)
  const device = <u32>load<u8>(c, ATA_DEVICE)
  if (extended) {
    const older =
      <u64>load<u8>(c, ATA_LBA_LOW + 1) |
      ((<u64>load<u8>(c, ATA_LBA_MID + 1)) << 8) |
      ((<u64>load<u8>(c, ATA_LBA_HIGH + 1)) << 16)
    return low | (mid << 8) | (high << 16) | (older << 24)
  }
  if (device & DEVICE_LBA) return low | (mid << 8) | (high << 16) | ((<u64>(device & 15)) << 24)
  const unit = ataSelectedUnit(c)
  const heads = <u64>load<u8>(unit, UNIT_HEADS)
  const perTrack = <u64>load<u8>(unit, UNIT_SECTORS)
  const cylinder = mid | (high << 8)
  const head = <u64>(device & 15)
  if (low == 0 || low > perTrack || head >= heads) return NO_SECTOR
  if (cylinder >= ataCylinders(ataDrive(c), <u32>heads, <u32>perTrack)) return NO_SECTOR
  return (cylinder * heads + head) * perTrack + low - 1
}

/** The address of `lba` back into the task file, in the form the command used. */
function addressWrite(c: usize, lba: u64, extended: bool): void {
  const device = <u32>load<u8>(c, ATA_DEVICE)
  if (extended) {
    store<u8>(c, <u32>(lba >> 24), ATA_LBA_LOW + 1)
    store<u8>(c, <u32>(lba >> 32), ATA_LBA_MID + 1)
    store<u8>(c, <u32>(lba >> 40), ATA_LBA_HIGH + 1)
  } else if (device & DEVICE_LBA) {
    store<u8>(c, (device & 0xf0) | (<u32>(lba >> 24) & 15), ATA_DEVICE)
  } else {
    const unit = ataSelectedUnit(c)
    const heads = <u64>load<u8>(unit, UNIT_HEADS)
    const perTrack = <u64>load<u8>(unit, UNIT_SECTORS)
    const cylinder = <u32>(lba / (heads * perTrack))
    store<u8>(c, (device & 0xf0) | <u32>((lba / perTrack) % heads), ATA_DEVICE)
    store<u8>(c, <u32>(lba % perTrack) + 1, ATA_LBA_LOW)
    store<u8>(c, cylinder, ATA_LBA_MID)
    store<u8>(c, cylinder >> 8, ATA_LBA_HIGH)
    return
  }
  store<u8>(c, <u32>lba, ATA_LBA_LOW)
  store<u8>(c, <u32>(lba >> 8), ATA_LBA_MID)
  store<u8>(c, <u32>(lba >> 16), ATA_LBA_HIGH)
}

/** After a transfer the task file holds the last sector and a count of 0, as disks leave it. */
function lastAddress(c: usize): void {
  addressWrite(c, load<u64>(c, ATA_LBA) - 1, load<u8>(c, ATA_EXTENDED) != 0)
  store<u8>(c, 0, ATA_COUNT)
}

function setFeatures(c: usize): void {
  switch (<u32>load<u8>(c, ATA_FEATURES)) {
    case 0x02: // write cache on
    case 0x82: // and off: the host keeps the data in either case
    case 0x55: // read look-ahead off
    case 0xaa: // and on
    case 0x66: // keep or revert to the settings at a software reset
    case 0xcc:
      complete(c)
      return
    case 0x03: {
      if (ataSetMode(c)) complete(c)
      else fail(c, ERROR_ABRT)
      return
    }
    default:
      fail(c, ERROR_ABRT)
  }
}

/** SET FEATURES/03h: PIO default and flow control modes 0-4, multiword and ultra DMA modes 0-2. False: no such mode. */
export function ataSetMode(c: usize): bool {
  const mode = <u32>load<u8>(c, ATA_COUNT)
  if (mode <= 1 || (mode >= 8 && mode <= 12)) return true
  if ((mode & 7) > 2 || ((mode & 0xf8) != 0x20 && (mode & 0xf8) != 0x40)) return false
  store<u8>(ataSelectedUnit(c), mode, UNIT_MODE)
  return true
}
