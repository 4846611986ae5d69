// Two ATA channels with disks and CD drives: primary 1F0h-1F7h, 3F6h, IRQ 14; secondary 170h-177h, 376h, IRQ 15. The content
// comes from the host through block requests: a command that needs the disk sets BSY, hands the request over and
// ends at a fixed machine time, when the answer is waited for. So what the guest sees never depends on the host's
// speed. References: ATA/ATAPI-6 (T13/1410D r3b); section numbers are its. A disk's commands are in ata-commands.ts, a CD
// drive's in atapi.ts, the bus master is ide-bus-master.ts.

import {
  BLOCK_BUFFER_SIZE,
  BLOCK_BUFFERS,
  DEV_ATA,
  DRIVE_ATA0,
  DRIVE_HEADS,
  DRIVE_KIND,
  DRIVE_KIND_CDROM,
  DRIVE_PRESENT,
  DRIVE_SECTORS_PER_TRACK,
  DRIVE_SIZE,
  DRIVES,
} from '../layout'
import { blockPending, blockWait } from '../machine/block'
import { ataCommand, ataBlockDone, ataBlockFilled, ataBlockTaken, ataDmaResume } from './ata-commands'
import {
  atapiBlockDone,
  atapiBlockFilled,
  atapiBlockTaken,
  atapiCommand,
  atapiDmaResume,
  atapiReset,
} from './atapi'
import { irqLine } from './interrupt-lines'
import { busMasterInterrupt } from './ide-bus-master'
import { NEVER, TIMER_ATA, timerSet } from './timers'

// State of one channel, from DEV_ATA + channel * ATA_CHANNEL_SIZE. The registers here are those of the selected device; the
// other one's lie in its unit (UNIT_TASK_FILE). The host writes to both at once (9.16).
export const ATA_CHANNEL_SIZE: usize = 0x2000
export const ATA_ERROR: usize = 0
export const ATA_STATUS: usize = 1
export const ATA_DEVICE: usize = 2
export const ATA_CONTROL: usize = 3 // device control: HOB, SRST, nIEN
export const ATA_COMMAND: usize = 4
export const ATA_INTRQ: usize = 5 // interrupt pending
// u8[2] each, the newer byte first: LBA48 reads and writes them twice (6.20)
export const ATA_FEATURES: usize = 8
export const ATA_COUNT: usize = 10
export const ATA_LBA_LOW: usize = 12
export const ATA_LBA_MID: usize = 14
export const ATA_LBA_HIGH: usize = 16
// The command being executed
export const ATA_PHASE: usize = 20 // u8, PHASE_*
export const ATA_EXTENDED: usize = 21 // u8, 48-bit command
export const ATA_BLOCK: usize = 22 // u8, sectors per DRQ block, 1..8
export const ATA_LBA: usize = 24 // u64, next sector
export const ATA_REMAINING: usize = 32 // u32, sectors still to be transferred
export const ATA_REQUEST_COUNT: usize = 36 // u32, sectors of the request or block under way
export const ATA_POSITION: usize = 40 // u32, byte of the buffer that the data register shows next
export const ATA_LENGTH: usize = 44 // u32, bytes in the buffer
export const ATA_STAGE: usize = 23 // u8, of a packet command, STAGE_*
export const ATA_FILLED: usize = 48 // u32, bytes of the buffer that are valid
export const ATA_LIMIT: usize = 52 // u32, most bytes of a DRQ block of a packet command
export const ATA_FRAME: usize = 56 // u32, bytes the guest gets of each CD sector
export const ATA_PARTS: usize = 60 // u8, which those are: bits of READ CD
export const ATA_DMA: usize = 61 // u8, the data of the command goes by DMA
export const ATA_PACKET: usize = 64 // u8[16]
// 112-135: the bus master, see ide-bus-master.ts
export const ATA_BLOCK_LEFT: usize = 136 // u32, bytes of a DRQ block of a packet command that do not lie in the buffer yet
// Per device, + device * ATA_UNIT_SIZE
export const ATA_UNITS: usize = 192
export const ATA_UNIT_SIZE: usize = 64
export const UNIT_HEADS: usize = 0 // u8, current CHS translation
export const UNIT_SECTORS: usize = 1 // u8
export const UNIT_MULTIPLE: usize = 2 // u8, sectors of READ/WRITE MULTIPLE, 0 off
export const UNIT_STANDBY: usize = 3 // u8
export const UNIT_MODE: usize = 4 // u8, DMA mode as SET FEATURES names it: 20h multiword, 40h ultra
// A CD drive's
export const UNIT_ATTENTION: usize = 5 // u8, additional sense code of a unit attention not yet told, 0 none
export const UNIT_SENSE_KEY: usize = 6 // u8
export const UNIT_SENSE_CODE: usize = 7 // u8, additional sense code
export const UNIT_SENSE_QUALIFIER: usize = 8 // u8
export const UNIT_EVENT: usize = 9 // u8, media event not yet told (MMC-3 5.5.5): 1 eject request, 2 new, 3 removal
// Registers while the other device is selected: error, status, INTRQ, then features .. LBA high as in the channel
export const UNIT_TASK_FILE: usize = 16
const SAVED_ERROR: usize = 16
const SAVED_STATUS: usize = 17
const SAVED_INTRQ: usize = 18
const SAVED_REGISTERS: usize = 20 // u8[10]
/** A CD sector with all that belongs to it, while it is put together: 2352 bytes. */
export const ATA_SCRATCH: usize = 0x400
/** Data of one DRQ block. */
export const ATA_BUFFER: usize = 0x1000
export const ATA_BUFFER_SECTORS: u32 = 8

export const PHASE_IDLE: u32 = 0
export const PHASE_WAIT: u32 = 1 // the block request or a delay is running, BSY
export const PHASE_IN: u32 = 2 // DRQ, the guest reads the buffer
export const PHASE_OUT: u32 = 3 // DRQ, the guest fills the buffer
export const PHASE_RESET: u32 = 4 // SRST is held
export const PHASE_DMA: u32 = 5 // the device has data, or wants some, and the bus master does not run

export const STATUS_ERR: u32 = 0x01
export const STATUS_DRQ: u32 = 0x08
export const STATUS_DSC: u32 = 0x10
export const STATUS_DF: u32 = 0x20
export const STATUS_DRDY: u32 = 0x40
export const STATUS_BSY: u32 = 0x80
export const STATUS_READY: u32 = 0x50

const CONTROL_NIEN: u32 = 0x02
const CONTROL_SRST: u32 = 0x04
const CONTROL_HOB: u32 = 0x80
const DEVICE_DEV: u32 = 0x10
const DEVICE_OBSOLETE: u32 = 0xa0
const DIAGNOSTIC_PASSED: u32 = 0x01
/** What the firmware sets drives up for. */
const MODE_MULTIWORD_2: u32 = 0x22
const COMMAND_DIAGNOSTIC: u32 = 0x90
const COMMAND_DEVICE_RESET: u32 = 0x08

// Task file registers by their offset from the channel's base port; 8 is the control block
const REGISTER_DATA: u32 = 0
const REGISTER_ERROR: u32 = 1
const REGISTER_COUNT: u32 = 2
const REGISTER_LBA_LOW: u32 = 3
const REGISTER_LBA_MID: u32 = 4
const REGISTER_LBA_HIGH: u32 = 5
const REGISTER_DEVICE: u32 = 6
const REGISTER_STATUS: u32 = 7
const REGISTER_CONTROL: u32 = 8

@inline
export function ataChannel(channel: u32): usize {
  return <usize>DEV_ATA + <usize>channel * ATA_CHANNEL_SIZE
}

/** DRIVE_* index of the device a channel has selected. */
export function ataDrive(c: usize): u32 {
  const channel = <u32>((c - DEV_ATA) / ATA_CHANNEL_SIZE)
  return DRIVE_ATA0 + channel * 2 + (load<u8>(c, ATA_DEVICE) & DEVICE_DEV ? 1 : 0)
}

/** Host-side buffer of a drive's block requests. */
export function ataTransferBuffer(drive: u32): usize {
  return BLOCK_BUFFERS + drive * BLOCK_BUFFER_SIZE
}

export function ataPresent(drive: u32): bool {
  return load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_PRESENT) != 0
}

export function ataIsCd(drive: u32): bool {
  return load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_KIND) == DRIVE_KIND_CDROM
}

/** State of device 0 or 1 of a channel. */
export function ataUnit(c: usize, device: u32): usize {
  return c + ATA_UNITS + <usize>device * ATA_UNIT_SIZE
}

/** State of the selected device. */
export function ataSelectedUnit(c: usize): usize {
  return ataUnit(c, selected(c))
}

function selected(c: usize): u32 {
  return load<u8>(c, ATA_DEVICE) & DEVICE_DEV ? 1 : 0
}

/** Power-on or hardware reset of both channels. */
export function ataReset(): void {
  for (let channel: u32 = 0; channel < 2; channel++) {
    const c = ataChannel(channel)
    drainRequest(c)
    memory.fill(c, 0, ATA_CHANNEL_SIZE)
    ataDiagnose(c)
    for (let device: u32 = 0; device < 2; device++) {
      const drive = DRIVE_ATA0 + channel * 2 + device
      const unit = ataUnit(c, device)
      store<u8>(unit, ataDefaultHeads(drive), UNIT_HEADS)
      store<u8>(unit, ataDefaultSectors(drive), UNIT_SECTORS)
      store<u8>(unit, MODE_MULTIWORD_2, UNIT_MODE)
      if (ataIsCd(drive)) atapiReset(drive, unit)
    }
  }
}

/** Heads of the translation before INITIALIZE DEVICE PARAMETERS: the image's if ATA can express them, else 16. */
export function ataDefaultHeads(drive: u32): u32 {
  return ataUsableTranslation(drive) ? load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_HEADS) : 16
}

/** Sectors per track of the same translation. */
export function ataDefaultSectors(drive: u32): u32 {
  return ataUsableTranslation(drive) ? load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS_PER_TRACK) : 63
}

/** The image's heads and sectors per track are such that ATA can express them. */
export function ataUsableTranslation(drive: u32): bool {
  const heads = load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_HEADS)
  const sectors = load<u32>(DRIVES + drive * DRIVE_SIZE, DRIVE_SECTORS_PER_TRACK)
  return heads >= 1 && heads <= 16 && sectors >= 1 && sectors <= 63
}

/** 8-bit read; `register` 0-7 from the base port, 8: alternate status. */
export function ataRead(channel: u32, register: u32, now: u64): u32 {
  const c = ataChannel(channel)
  if (register == REGISTER_DATA) return ataDataRead(channel, 1, now)
  const first = DRIVE_ATA0 + channel * 2
  const present = ataPresent(ataDrive(c))
  if (!ataPresent(first) && !ataPresent(first + 1)) return 0 // DD7 is pulled down: BSY is clear
  // A packet device 0 answers 00h everywhere for a device 1 that is not there (9.16.1)
  if (!present && ataIsCd(first)) return 0
  const older: usize = load<u8>(c, ATA_CONTROL) & CONTROL_HOB ? 1 : 0
  switch (register) {
    case REGISTER_ERROR:
      return load<u8>(c, ATA_ERROR)
    case REGISTER_COUNT:
      return load<u8>(c + older, ATA_COUNT)
    case REGISTER_LBA_LOW:
      return load<u8>(c + older, ATA_LBA_LOW)
    case REGISTER_LBA_MID:
      return load<u8>(c + older, ATA_LBA_MID)
    case REGISTER_LBA_HIGH:
      return load<u8>(c + older, ATA_LBA_HIGH)
    case REGISTER_DEVICE:
      return load<u8>(c, ATA_DEVICE) | DEVICE_OBSOLETE
  }
  // Device 0 answers for a device 1 that is not there, with a status of 0 (9.16.1)
  if (!present) return 0
  if (register == REGISTER_STATUS) {
    store<u8>(c, 0, ATA_INTRQ)
    ataUpdateLine(c)
  }
  return load<u8>(c, ATA_STATUS)
}

/** 8-bit write; `register` 0-7 from the base port, 8: device control. */
export function ataWrite(channel: u32, register: u32, value: u32, now: u64): void {
  const c = ataChannel(channel)
  if (register == REGISTER_CONTROL) {
    writeControl(c, value, now)
    return
  }
  if (register == REGISTER_DATA) {
    ataDataWrite(channel, 1, value, now)
    return
  }
  // Writing any register of the command block makes reads return the newer bytes again (6.20)
  store<u8>(c, load<u8>(c, ATA_CONTROL) & ~CONTROL_HOB, ATA_CONTROL)
  const status = <u32>load<u8>(c, ATA_STATUS)
  if (register == REGISTER_STATUS) {
    if (load<u8>(c, ATA_PHASE) == PHASE_RESET) return
    const drive = ataDrive(c)
    const cd = ataIsCd(drive)
    // Of all commands only DEVICE RESET is taken while the device is busy, and disks do not have it
    if (status & STATUS_BSY && !(cd && value == COMMAND_DEVICE_RESET)) return
    if (!ataPresent(drive) && value != COMMAND_DIAGNOSTIC) return
    drainRequest(c)
    timerSet(TIMER_ATA + channel, NEVER)
    store<u8>(c, 0, ATA_INTRQ)
    ataUpdateLine(c)
    store<u8>(c, value, ATA_COMMAND)
    store<u8>(c, 0, ATA_DMA)
    if (value == COMMAND_DIAGNOSTIC) {
      ataDiagnose(c)
      ataInterrupt(c)
    } else if (cd) atapiCommand(c, value, now)
    else ataCommand(c, value, now)
    return
  }
  if (status & (STATUS_BSY | STATUS_DRQ)) return // the task file belongs to the device
  switch (register) {
    case REGISTER_ERROR:
      shift(c, ATA_FEATURES, value)
      return
    case REGISTER_COUNT:
      shift(c, ATA_COUNT, value)
      return
    case REGISTER_LBA_LOW:
      shift(c, ATA_LBA_LOW, value)
      return
    case REGISTER_LBA_MID:
      shift(c, ATA_LBA_MID, value)
      return
    case REGISTER_LBA_HIGH:
      shift(c, ATA_LBA_HIGH, value)
      return
    case REGISTER_DEVICE:
      if ((value & DEVICE_DEV ? <u32>1 : 0) != selected(c)) {
        save(c, ataSelectedUnit(c))
        store<u8>(c, value, ATA_DEVICE)
        restore(c, ataSelectedUnit(c))
      } else store<u8>(c, value, ATA_DEVICE)
      ataUpdateLine(c)
  }
}

/** The 16-bit data register; 8-bit and 32-bit accesses take as many bytes of the block as they are wide. */
export function ataDataRead(channel: u32, size: u32, now: u64): u32 {
  const c = ataChannel(channel)
  if (load<u8>(c, ATA_PHASE) != PHASE_IN) return size == 4 ? u32.MAX_VALUE : (1 << (size << 3)) - 1
  const position = load<u32>(c, ATA_POSITION)
  const length = load<u32>(c, ATA_LENGTH)
  const from = c + ATA_BUFFER + position
  // A block is a multiple of 512 bytes, but a guest may mix widths: never read past its end
  let value: u32 = 0
  const taken = min<u32>(size, length - position)
  if (taken == 2) value = load<u16>(from)
  else if (taken == 4) value = load<u32>(from)
  else for (let i: u32 = 0; i < taken; i++) value |= (<u32>load<u8>(from + i)) << (i << 3)
  store<u32>(c, position + taken, ATA_POSITION)
  if (position + taken >= length) {
    if (ataIsCd(ataDrive(c))) atapiBlockTaken(c, now)
    else ataBlockTaken(c, now)
  }
  return value
}

export function ataDataWrite(channel: u32, size: u32, value: u32, now: u64): void {
  const c = ataChannel(channel)
  if (load<u8>(c, ATA_PHASE) != PHASE_OUT) return
  const position = load<u32>(c, ATA_POSITION)
  const length = load<u32>(c, ATA_LENGTH)
  const to = c + ATA_BUFFER + position
  const taken = min<u32>(size, length - position)
  if (taken == 2) store<u16>(to, value)
  else if (taken == 4) store<u32>(to, value)
  else for (let i: u32 = 0; i < taken; i++) store<u8>(to + i, value >> (i << 3))
  store<u32>(c, position + taken, ATA_POSITION)
  if (position + taken >= length) {
    if (ataIsCd(ataDrive(c))) atapiBlockFilled(c, now)
    else ataBlockFilled(c, now)
  }
}

/** TIMER_ATA + channel: the device has done what it was busy with. */
export function ataTimer(channel: u32, at: u64): void {
  const c = ataChannel(channel)
  if (load<u8>(c, ATA_PHASE) != PHASE_WAIT) return
  if (ataIsCd(ataDrive(c))) atapiBlockDone(c, at)
  else ataBlockDone(c, at)
}

/** The bus master has been started: a device that waited for it goes on. */
export function ataDmaStarted(channel: u32, now: u64): void {
  const c = ataChannel(channel)
  if (load<u8>(c, ATA_PHASE) != PHASE_DMA) return
  if (ataIsCd(ataDrive(c))) atapiDmaResume(c, now)
  else ataDmaResume(c, now)
}

/** Raises INTRQ; the IRQ line follows unless nIEN is set. */
export function ataInterrupt(c: usize): void {
  store<u8>(c, 1, ATA_INTRQ)
  ataUpdateLine(c)
  if ((load<u8>(c, ATA_CONTROL) & CONTROL_NIEN) == 0) busMasterInterrupt(c)
}

/**
 * BSY until `deadline` (ns), when ataBlockDone is called. The other bits mean nothing then (7.15.6.1); disks, and QEMU's, leave those
 * of a drive that is ready.
 */
export function ataBusyUntil(c: usize, deadline: u64): void {
  store<u8>(c, STATUS_BSY | STATUS_READY, ATA_STATUS)
  store<u8>(c, PHASE_WAIT, ATA_PHASE)
  timerSet(TIMER_ATA + <u32>((c - DEV_ATA) / ATA_CHANNEL_SIZE), deadline)
}

export function ataUpdateLine(c: usize): void {
  const channel = <u32>((c - DEV_ATA) / ATA_CHANNEL_SIZE)
  // A device drives INTRQ only while it is selected (5.2.9)
  const enabled = (load<u8>(c, ATA_CONTROL) & CONTROL_NIEN) == 0 && ataPresent(ataDrive(c))
  irqLine(14 + channel, enabled && load<u8>(c, ATA_INTRQ) != 0)
}

/** The registers that are written twice for a 48-bit address keep the byte before. Both devices take the write. */
function shift(c: usize, register: usize, value: u32): void {
  push(c + register, value)
  push(ataUnit(c, selected(c) ^ 1) + SAVED_REGISTERS + (register - ATA_FEATURES), value)
}

function push(register: usize, value: u32): void {
  store<u8>(register, load<u8>(register), 1)
  store<u8>(register, value)
}

/** The registers of the selected device into its unit, and back. */
function save(c: usize, unit: usize): void {
  store<u8>(unit, load<u8>(c, ATA_ERROR), SAVED_ERROR)
  store<u8>(unit, load<u8>(c, ATA_STATUS), SAVED_STATUS)
  store<u8>(unit, load<u8>(c, ATA_INTRQ), SAVED_INTRQ)
  memory.copy(unit + SAVED_REGISTERS, c + ATA_FEATURES, 10)
}

function restore(c: usize, unit: usize): void {
  store<u8>(c, load<u8>(unit, SAVED_ERROR), ATA_ERROR)
  store<u8>(c, load<u8>(unit, SAVED_STATUS), ATA_STATUS)
  store<u8>(c, load<u8>(unit, SAVED_INTRQ), ATA_INTRQ)
  memory.copy(c + ATA_FEATURES, unit + SAVED_REGISTERS, 10)
}

/**
 * EXECUTE DEVICE DIAGNOSTIC, and the end of every reset: passed, device 0 selected, each device shows its signature (9.12),
 * device 0 its own for a device 1 that is not there. A packet device is not ready for a disk's commands: DRDY is clear.
 */
export function ataDiagnose(c: usize): void {
  const first = ataDrive(c) & ~1
  for (let device: u32 = 0; device < 2; device++) {
    const unit = ataUnit(c, device)
    const cd = ataIsCd(ataPresent(first + device) ? first + device : first)
    memory.fill(unit + UNIT_TASK_FILE, 0, 16)
    store<u8>(unit, DIAGNOSTIC_PASSED, SAVED_ERROR)
    store<u8>(unit, cd ? 0 : STATUS_READY, SAVED_STATUS)
    memory.copy(unit + SAVED_REGISTERS, c + ATA_FEATURES, 2)
    store<u8>(unit + SAVED_REGISTERS, 1, ATA_COUNT - ATA_FEATURES)
    store<u8>(unit + SAVED_REGISTERS, 1, ATA_LBA_LOW - ATA_FEATURES)
    store<u8>(unit + SAVED_REGISTERS, cd ? 0x14 : 0, ATA_LBA_MID - ATA_FEATURES)
    store<u8>(unit + SAVED_REGISTERS, cd ? 0xeb : 0, ATA_LBA_HIGH - ATA_FEATURES)
  }
  store<u8>(c, 0, ATA_DEVICE)
  restore(c, ataUnit(c, 0))
  store<u8>(c, PHASE_IDLE, ATA_PHASE)
}

/** The selected device's signature into its registers. */
export function ataSignature(c: usize): void {
  const cd = ataIsCd(ataDrive(c))
  store<u16>(c, 1, ATA_COUNT)
  store<u16>(c, 1, ATA_LBA_LOW)
  store<u16>(c, cd ? 0x14 : 0, ATA_LBA_MID)
  store<u16>(c, cd ? 0xeb : 0, ATA_LBA_HIGH)
  store<u8>(c, load<u8>(c, ATA_DEVICE) & DEVICE_DEV, ATA_DEVICE)
}

function writeControl(c: usize, value: u32, now: u64): void {
  const before = <u32>load<u8>(c, ATA_CONTROL)
  store<u8>(c, value & (CONTROL_HOB | CONTROL_SRST | CONTROL_NIEN), ATA_CONTROL)
  if (value & CONTROL_SRST) {
    if ((before & CONTROL_SRST) == 0) {
      drainRequest(c)
      timerSet(TIMER_ATA + <u32>((c - DEV_ATA) / ATA_CHANNEL_SIZE), NEVER)
      store<u8>(c, STATUS_BSY, ATA_STATUS)
      store<u8>(c, PHASE_RESET, ATA_PHASE)
    }
  } else if (before & CONTROL_SRST) {
    // The end of a software reset (9.2)
    for (let device: u32 = 0; device < 2; device++) {
      store<u8>(ataUnit(c, device), 0, UNIT_STANDBY)
      const drive = (ataDrive(c) & ~1) + device
      if (ataIsCd(drive)) atapiReset(drive, ataUnit(c, device))
    }
    ataDiagnose(c)
  }
  ataUpdateLine(c)
}

/** A request the host may still be working on must not write into a buffer that serves another command. */
function drainRequest(c: usize): void {
  for (let device: u32 = 0; device < 2; device++) {
    const drive = (ataDrive(c) & ~1) + device
    if (blockPending(drive)) blockWait(drive)
  }
}
