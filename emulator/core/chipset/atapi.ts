// A CD drive's side of the ATA channel: the packet protocol. The host sends PACKET, then twelve bytes of a command in one
// DRQ block; data goes in DRQ blocks no longer than the byte count limit, or by DMA; the end is an interrupt with status.
// References: ATA/ATAPI-6 (T13/1410D r3b), 8.23 and 9.8-9.9. What the commands do is in atapi-commands.ts.

import { BLOCK_BUFFER_SIZE, BLOCK_ERROR_NONE, BLOCK_READ } from '../layout'
import { DRIVE_MEDIUM, DRIVE_SECTORS, DRIVE_SIZE, DRIVE_TRAY, DRIVES } from '../layout'
import { blockPending, blockSubmit, blockWait } from '../machine/block'
import {
  ATA_BLOCK_LEFT,
  ATA_BUFFER,
  ATA_COMMAND,
  ATA_COUNT,
  ATA_DMA,
  ATA_ERROR,
  ATA_FEATURES,
  ATA_FILLED,
  ATA_FRAME,
  ATA_LBA,
  ATA_LBA_HIGH,
  ATA_LBA_MID,
  ATA_LENGTH,
  ATA_LIMIT,
  ATA_PACKET,
  ATA_PARTS,
  ATA_PHASE,
  ATA_POSITION,
  ATA_REMAINING,
  ATA_REQUEST_COUNT,
  ATA_SCRATCH,
  ATA_STAGE,
  ATA_STATUS,
  PHASE_DMA,
  PHASE_IDLE,
  PHASE_IN,
  PHASE_OUT,
  STATUS_DRQ,
  STATUS_ERR,
  STATUS_READY,
  UNIT_ATTENTION,
  UNIT_EVENT,
  UNIT_SENSE_CODE,
  UNIT_SENSE_KEY,
  UNIT_SENSE_QUALIFIER,
  UNIT_STANDBY,
  ataBusyUntil,
  ataChannel,
  ataDrive,
  ataInterrupt,
  ataSelectedUnit,
  ataSignature,
  ataTransferBuffer,
  ataUnit,
} from './ata'
import { ataSetMode } from './ata-commands'
import { atapiExecute } from './atapi-commands'
import { atapiIdentify } from './atapi-identify'
import { cdFrames } from './cd-frame'
import { busMasterMove, busMasterReady } from './ide-bus-master'

export const CD_SECTOR: u32 = 2048
/** Host sectors of 512 bytes in one of a CD's. */
const HOST_SECTORS: u32 = 4
const PACKET_SIZE: u32 = 12
const BUFFER_SIZE: u32 = 4096

const COMMAND_TIME: u64 = 20_000
const BLOCK_TIME: u64 = 4_000

const ERROR_ABRT: u32 = 0x04
const FEATURE_DMA: u32 = 0x01
const FEATURE_OVERLAP: u32 = 0x02
// Interrupt reason, in the count register
const REASON_COMMAND: u32 = 0x01 // C/D
const REASON_TO_HOST: u32 = 0x02 // I/O

/** The host writes the packet; then: data of a command in the buffer; sectors; none, only the status is left. */
const STAGE_PACKET: u32 = 0
const STAGE_DATA: u32 = 1
const STAGE_SECTORS: u32 = 2
const STAGE_STATUS: u32 = 3

export const SENSE_NONE: u32 = 0
export const SENSE_NOT_READY: u32 = 2
export const SENSE_MEDIUM_ERROR: u32 = 3
export const SENSE_ILLEGAL_REQUEST: u32 = 5
export const SENSE_UNIT_ATTENTION: u32 = 6

export const ASC_UNRECOVERED_READ: u32 = 0x11
export const ASC_LBA_OUT_OF_RANGE: u32 = 0x21
export const ASC_MEDIUM_CHANGED: u32 = 0x28
export const ASC_RESET: u32 = 0x29
export const ASC_NO_MEDIUM: u32 = 0x3a

export function atapiReset(drive: u32, unit: usize): void {
  store<u8>(unit, ASC_RESET, UNIT_ATTENTION)
  store<u8>(unit, 0, UNIT_SENSE_KEY)
  store<u8>(unit, 0, UNIT_SENSE_CODE)
  store<u8>(unit, 0, UNIT_SENSE_QUALIFIER)
  store<u8>(unit, 0, UNIT_EVENT)
}

/**
 * The firmware has asked every drive whether it is ready, as firmware that looks for something to boot does: the unit attention of the
 * reset has been told. Systems that read a CD without expecting one count on it.
 */
export function atapiProbed(): void {
  for (let device: u32 = 0; device < 4; device++) {
    const unit = ataUnit(ataChannel(device >> 1), device & 1)
    if (load<u8>(unit, UNIT_ATTENTION) == ASC_RESET) store<u8>(unit, 0, UNIT_ATTENTION)
  }
}

/** A command of the task file; BSY is clear, or it is DEVICE RESET. */
export function atapiCommand(c: usize, command: u32, now: u64): void {
  const unit = ataSelectedUnit(c)
  store<u8>(c, 0, ATA_ERROR)
  switch (command) {
    case 0xa0: // PACKET
      packet(c)
      return
    case 0xa1: // IDENTIFY PACKET DEVICE
      ataBusyUntil(c, now + COMMAND_TIME)
      return
    case 0x08: // DEVICE RESET: as a software reset, for this device alone; no interrupt (8.9)
      ataSignature(c)
      store<u8>(c, 0x01, ATA_ERROR)
      store<u8>(c, 0, ATA_STATUS)
      store<u8>(c, PHASE_IDLE, ATA_PHASE)
      return
    case 0x20: // READ SECTOR(S), IDENTIFY DEVICE: aborted, with the signature (8.34.5)
    case 0xec:
      ataSignature(c)
      abort(c)
      return
    case 0xef: {
      // SET FEATURES
      const feature = <u32>load<u8>(c, ATA_FEATURES)
      if (feature == 0x66 || feature == 0xcc || (feature == 0x03 && ataSetMode(c))) end(c)
      else abort(c)
      return
    }
    case 0xe0: // STANDBY IMMEDIATE
    case 0xe2: // STANDBY
    case 0xe6: // SLEEP
      store<u8>(unit, 1, UNIT_STANDBY)
      end(c)
      return
    case 0xe1: // IDLE IMMEDIATE
    case 0xe3: // IDLE
      store<u8>(unit, 0, UNIT_STANDBY)
      end(c)
      return
    case 0xe5: // CHECK POWER MODE
      store<u8>(c, load<u8>(unit, UNIT_STANDBY) ? 0 : 0xff, ATA_COUNT)
      end(c)
      return
    default:
      abort(c)
  }
}

function packet(c: usize): void {
  const features = <u32>load<u8>(c, ATA_FEATURES)
  if (features & FEATURE_OVERLAP) {
    abort(c)
    return
  }
  store<u8>(c, features & FEATURE_DMA, ATA_DMA)
  // FFFFh stands for FFFEh (8.23.4)
  const limit = <u32>load<u8>(c, ATA_LBA_MID) | ((<u32>load<u8>(c, ATA_LBA_HIGH)) << 8)
  store<u32>(c, limit == 0xffff ? 0xfffe : limit, ATA_LIMIT)
  store<u8>(c, STAGE_PACKET, ATA_STAGE)
  store<u32>(c, 0, ATA_REMAINING)
  store<u32>(c, 0, ATA_FILLED)
  store<u32>(c, 0, ATA_POSITION)
  store<u32>(c, PACKET_SIZE, ATA_LENGTH)
  store<u32>(c, 0, ATA_BLOCK_LEFT)
  store<u8>(c, REASON_COMMAND, ATA_COUNT)
  store<u8>(c, PHASE_OUT, ATA_PHASE)
  // No interrupt: IDENTIFY PACKET DEVICE says that DRQ comes within 50 us
  store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
}

/** The host has written the packet. Nothing here takes data from the host. */
export function atapiBlockFilled(c: usize, now: u64): void {
  memory.copy(c + ATA_PACKET, c + ATA_BUFFER, PACKET_SIZE)
  store<u32>(c, 0, ATA_POSITION)
  store<u8>(c, STAGE_STATUS, ATA_STAGE)
  store<u8>(ataSelectedUnit(c), 0, UNIT_STANDBY)
  atapiExecute(c)
  if (load<u8>(c, ATA_PHASE) == PHASE_IDLE) return // failed already
  if (load<u8>(c, ATA_STAGE) == STAGE_SECTORS) nextSectors(c)
  ataBusyUntil(c, now + COMMAND_TIME)
}

/** For a command: `length` bytes of answer lie in the buffer; the host gets at most `room` of them. */
export function atapiAnswer(c: usize, length: u32, room: u32): void {
  const given = min<u32>(length, room)
  if (given == 0) return
  store<u32>(c, given, ATA_FILLED)
  store<u8>(c, STAGE_DATA, ATA_STAGE)
  refuseNoRoom(c)
}

/** For a command: `count` sectors from `lba`, `frame` bytes of each, those named by `parts`. The range is right. */
export function atapiRead(c: usize, lba: u32, count: u32, frame: u32, parts: u32): void {
  if (count == 0) return
  store<u64>(c, lba, ATA_LBA)
  store<u32>(c, count, ATA_REMAINING)
  store<u32>(c, frame, ATA_FRAME)
  store<u8>(c, parts, ATA_PARTS)
  store<u8>(c, STAGE_SECTORS, ATA_STAGE)
  refuseNoRoom(c)
}

/** A byte count limit of 0 with PIO leaves no way to hand over data: aborted (8.23.4). */
function refuseNoRoom(c: usize): void {
  if (load<u32>(c, ATA_LIMIT) == 0 && !load<u8>(c, ATA_DMA)) abort(c)
}

/** For a command: CHECK CONDITION. The sense data stays until the next command (SPC-2 7.20). */
export function atapiFail(c: usize, key: u32, code: u32, qualifier: u32): void {
  const unit = ataSelectedUnit(c)
  store<u8>(unit, key, UNIT_SENSE_KEY)
  store<u8>(unit, code, UNIT_SENSE_CODE)
  store<u8>(unit, qualifier, UNIT_SENSE_QUALIFIER)
  store<u8>(c, (key << 4) | (key == SENSE_ILLEGAL_REQUEST ? ERROR_ABRT : 0), ATA_ERROR)
  store<u8>(c, REASON_COMMAND | REASON_TO_HOST, ATA_COUNT)
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_ERR, ATA_STATUS)
  ataInterrupt(c)
}

/** For a command: CHECK CONDITION "medium not present", with the tray's position. */
export function atapiFailNoMedium(c: usize): void {
  const open = load<u32>(DRIVES + ataDrive(c) * DRIVE_SIZE, DRIVE_TRAY)
  atapiFail(c, SENSE_NOT_READY, ASC_NO_MEDIUM, open ? 2 : 1)
}

/** A medium lies in the drive and the tray is closed. */
export function atapiMediumPresent(drive: u32): bool {
  const entry = DRIVES + drive * DRIVE_SIZE
  return load<u32>(entry, DRIVE_MEDIUM) != 0 && load<u32>(entry, DRIVE_TRAY) == 0
}

/** Sectors of 2048 bytes on the medium. */
export function atapiSectors(drive: u32): u32 {
  return <u32>min<u64>(load<u64>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS) / HOST_SECTORS, u32.MAX_VALUE)
}

/** The drive has been busy long enough. */
export function atapiBlockDone(c: usize, now: u64): void {
  if (load<u8>(c, ATA_COMMAND) == 0xa1) {
    atapiIdentify(c, ataDrive(c), ataSelectedUnit(c))
    store<u32>(c, 0, ATA_POSITION)
    store<u32>(c, 512, ATA_LENGTH)
    store<u8>(c, STAGE_STATUS, ATA_STAGE)
    store<u8>(c, PHASE_IN, ATA_PHASE)
    store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
    ataInterrupt(c)
    return
  }
  const stage = load<u8>(c, ATA_STAGE)
  if (stage == STAGE_STATUS) {
    endPacket(c)
    return
  }
  if (load<u8>(c, ATA_DMA)) {
    if (stage == STAGE_DATA) dmaData(c)
    else dmaSectors(c, now)
    return
  }
  // What is left of the buffer goes first, then the next sectors come into it
  if (load<u32>(c, ATA_POSITION) >= load<u32>(c, ATA_FILLED) && stage == STAGE_SECTORS && !fillBuffer(c))
    return
  const position = load<u32>(c, ATA_POSITION)
  const here = load<u32>(c, ATA_FILLED) - position
  const frame = load<u32>(c, ATA_FRAME)
  // As large a block as the host takes, as hosts expect that do not look at the byte count. (Buffers end where no access does.)
  const more: u64 = stage == STAGE_SECTORS && (frame & 3) == 0 ? <u64>load<u32>(c, ATA_REMAINING) * frame : 0
  // Only the last block may be odd: the limit counts even bytes
  const chunk = <u32>min<u64>(load<u32>(c, ATA_LIMIT) & ~1, here + more)
  store<u32>(c, position + min<u32>(chunk, here), ATA_LENGTH)
  store<u32>(c, chunk > here ? chunk - here : 0, ATA_BLOCK_LEFT)
  store<u8>(c, chunk, ATA_LBA_MID)
  store<u8>(c, chunk >> 8, ATA_LBA_HIGH)
  store<u8>(c, REASON_TO_HOST, ATA_COUNT)
  store<u8>(c, PHASE_IN, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
  ataInterrupt(c)
}

/** The next sectors into the buffer. False: the command has failed. */
function fillBuffer(c: usize): bool {
  if (!sectorsArrived(c)) return false
  const count = load<u32>(c, ATA_REQUEST_COUNT)
  const length = count * load<u32>(c, ATA_FRAME)
  memory.copy(c + ATA_BUFFER, ataTransferBuffer(ataDrive(c)), length)
  sectorsTaken(c, count)
  store<u32>(c, 0, ATA_POSITION)
  store<u32>(c, length, ATA_FILLED)
  return true
}

/** The host has read the whole DRQ block, or what of it lay in the buffer. */
export function atapiBlockTaken(c: usize, now: u64): void {
  if (load<u8>(c, ATA_COMMAND) == 0xa1) {
    store<u8>(c, PHASE_IDLE, ATA_PHASE)
    store<u8>(c, STATUS_READY, ATA_STATUS)
    return
  }
  const left = load<u32>(c, ATA_BLOCK_LEFT)
  if (left) {
    nextSectors(c)
    if (!fillBuffer(c)) return
    const length = min<u32>(left, load<u32>(c, ATA_FILLED))
    store<u32>(c, length, ATA_LENGTH)
    store<u32>(c, left - length, ATA_BLOCK_LEFT)
    return
  }
  if (load<u32>(c, ATA_POSITION) >= load<u32>(c, ATA_FILLED)) {
    if (load<u32>(c, ATA_REMAINING)) nextSectors(c)
    else store<u8>(c, STAGE_STATUS, ATA_STAGE)
  }
  ataBusyUntil(c, now + BLOCK_TIME)
}

/** The bus master runs (again). What is in a buffer is no state: sectors are asked for once more. */
export function atapiDmaResume(c: usize, now: u64): void {
  if (load<u8>(c, ATA_STAGE) == STAGE_SECTORS) ask(c)
  ataBusyUntil(c, now + BLOCK_TIME)
}

function dmaData(c: usize): void {
  if (dmaMove(c, c + ATA_BUFFER, load<u32>(c, ATA_FILLED))) endPacket(c)
}

function dmaSectors(c: usize, now: u64): void {
  if (!sectorsArrived(c)) return
  const count = load<u32>(c, ATA_REQUEST_COUNT)
  if (!dmaMove(c, ataTransferBuffer(ataDrive(c)), count * load<u32>(c, ATA_FRAME))) return
  sectorsTaken(c, count)
  if (load<u32>(c, ATA_REMAINING)) {
    nextSectors(c)
    ataBusyUntil(c, now + BLOCK_TIME)
  } else endPacket(c)
}

/** Moves what is left of `length` bytes at `from`. True when all of it has been moved. */
function dmaMove(c: usize, from: usize, length: u32): bool {
  const position = load<u32>(c, ATA_POSITION)
  let moved: u32 = 0
  if (busMasterReady(c, true)) moved = busMasterMove(c, from + position, length - position, true)
  store<u32>(c, position + moved, ATA_POSITION)
  if (position + moved == length) return true
  store<u8>(c, PHASE_DMA, ATA_PHASE)
  store<u8>(c, REASON_TO_HOST, ATA_COUNT)
  store<u8>(c, STATUS_READY | STATUS_DRQ, ATA_STATUS)
  return false
}

/** Fixes how many sectors come next and asks the host for them. */
function nextSectors(c: usize): void {
  const room =
    (load<u8>(c, ATA_DMA) ? <u32>BLOCK_BUFFER_SIZE : BUFFER_SIZE) /
    max<u32>(load<u32>(c, ATA_FRAME), CD_SECTOR)
  store<u32>(c, min<u32>(room, load<u32>(c, ATA_REMAINING)), ATA_REQUEST_COUNT)
  store<u32>(c, 0, ATA_POSITION)
  store<u32>(c, 0, ATA_FILLED)
  ask(c)
}

function ask(c: usize): void {
  const drive = ataDrive(c)
  if (!atapiMediumPresent(drive)) return
  const count = load<u32>(c, ATA_REQUEST_COUNT) * HOST_SECTORS
  blockSubmit(drive, BLOCK_READ, load<u64>(c, ATA_LBA) * HOST_SECTORS, count, ataTransferBuffer(drive))
}

/**
 * Waits for the host and makes the frames the command wants. False: the command has failed, with the medium gone or
 * changed since it began, or not readable.
 */
function sectorsArrived(c: usize): bool {
  const drive = ataDrive(c)
  if (blockPending(drive) && !atapiMediumPresent(drive)) blockWait(drive)
  if (!atapiMediumPresent(drive)) {
    atapiFailNoMedium(c)
    return false
  }
  const unit = ataSelectedUnit(c)
  const attention = <u32>load<u8>(unit, UNIT_ATTENTION)
  if (attention) {
    if (blockPending(drive)) blockWait(drive)
    store<u8>(unit, 0, UNIT_ATTENTION)
    atapiFail(c, SENSE_UNIT_ATTENTION, attention, 0)
    return false
  }
  if (!blockPending(drive)) ask(c)
  if (blockWait(drive) != BLOCK_ERROR_NONE) {
    atapiFail(c, SENSE_MEDIUM_ERROR, ASC_UNRECOVERED_READ, 0)
    return false
  }
  const frame = load<u32>(c, ATA_FRAME)
  if (frame != CD_SECTOR)
    cdFrames(
      ataTransferBuffer(drive),
      c + ATA_SCRATCH,
      load<u32>(c, ATA_REQUEST_COUNT),
      <u32>load<u64>(c, ATA_LBA),
      frame,
      load<u8>(c, ATA_PARTS),
    )
  return true
}

function sectorsTaken(c: usize, count: u32): void {
  store<u64>(c, load<u64>(c, ATA_LBA) + count, ATA_LBA)
  store<u32>(c, load<u32>(c, ATA_REMAINING) - count, ATA_REMAINING)
}

/** The end of a packet command: status, with an interrupt. */
function endPacket(c: usize): void {
  store<u8>(c, REASON_COMMAND | REASON_TO_HOST, ATA_COUNT)
  end(c)
}

function end(c: usize): void {
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
  store<u8>(c, STATUS_READY, ATA_STATUS)
  ataInterrupt(c)
}

function abort(c: usize): void {
  store<u8>(c, ERROR_ABRT, ATA_ERROR)
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
  store<u8>(c, STATUS_READY | STATUS_ERR, ATA_STATUS)
  ataInterrupt(c)
}
