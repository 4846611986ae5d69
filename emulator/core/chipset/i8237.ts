// The two 8237A DMA controllers of an AT with their page registers: channels 0-3 for bytes (00h-0Fh), 5-7 for words
// (C0h-DFh, even ports), channel 4 the cascade. References: Intel 8237A data sheet (231466); 82371SB (290550) 2.5.1.
//
// A device moves its data by dmaTransfer(): as much as the channel's count and mode allow, at once. Memory-to-memory
// transfers and requests by software are for devices that do not exist here; their registers can be written.

import { DEV_DMA } from '../layout'
import { dmaRead, dmaWrite } from '../memory/dma'

// State. Per channel 0-7:
const CHANNEL_SIZE: usize = 16
const BASE_ADDRESS: usize = 0 // u16
const BASE_COUNT: usize = 2 // u16
const ADDRESS: usize = 4 // u16, current; of words for channels 5-7
const COUNT: usize = 6 // u16, current; transfers less one
const MODE: usize = 8 // u8
// Per controller, behind the channels
const CONTROLLERS: usize = 128
const CONTROLLER_SIZE: usize = 16
const FLIP_FLOP: usize = 0 // u8, 1: the high byte comes next
const COMMAND: usize = 1 // u8
const MASK: usize = 2 // u8
const REQUEST: usize = 3 // u8, by software
const STATUS: usize = 4 // u8, terminal counts in bits 0-3
const TEMPORARY: usize = 5 // u8
/** u8[16]: the register file of the 74LS612 at 80h-8Fh. */
const PAGES: usize = 160

const MODE_AUTO: u32 = 0x10
const MODE_DECREMENT: u32 = 0x20
const TYPE_WRITE: u32 = 1 // to memory
const TYPE_READ: u32 = 2
const COMMAND_DISABLE: u32 = 0x04

function channelAt(channel: u32): usize {
  return <usize>DEV_DMA + <usize>channel * CHANNEL_SIZE
}
function controllerAt(controller: u32): usize {
  return DEV_DMA + CONTROLLERS + <usize>controller * CONTROLLER_SIZE
}

export function dmaReset(): void {
  memory.fill(DEV_DMA, 0, 256)
  masterClear(0)
  masterClear(1)
}

/** Port of a channel's page register less 80h. */
function pageOf(channel: u32): u32 {
  switch (channel) {
    case 0:
      return 7
    case 1:
      return 3
    case 2:
      return 1
    case 3:
      return 2
    case 5:
      return 11
    case 6:
      return 9
    case 7:
      return 10
    default:
      return 15
  }
}

/** Port 80h-8Fh; 80h itself shows POST codes and belongs to the board. */
export function dmaPageRead(port: u32): u32 {
  return load<u8>(DEV_DMA + PAGES + (port & 15))
}

export function dmaPageWrite(port: u32, value: u32): void {
  store<u8>(DEV_DMA + PAGES + (port & 15), value)
}

/** Register 0-15 of controller 0 or 1. */
export function dmaControllerRead(controller: u32, register: u32): u32 {
  const c = controllerAt(controller)
  if (register < 8) {
    const at = channelAt(controller * 4 + (register >> 1)) + (register & 1 ? COUNT : ADDRESS)
    return flip(c) ? load<u8>(at, 1) : load<u8>(at)
  }
  if (register == 8) {
    // Reading the status clears the terminal counts
    const status = <u32>load<u8>(c, STATUS)
    store<u8>(c, 0, STATUS)
    return status | ((<u32>load<u8>(c, REQUEST)) << 4)
  }
  if (register == 13) return load<u8>(c, TEMPORARY)
  return register == 15 ? 0xf0 | load<u8>(c, MASK) : 0xff
}

export function dmaControllerWrite(controller: u32, register: u32, value: u32): void {
  const c = controllerAt(controller)
  if (register < 8) {
    const channel = channelAt(controller * 4 + (register >> 1))
    const high: usize = flip(c) ? 1 : 0
    store<u8>(channel + high + (register & 1 ? BASE_COUNT : BASE_ADDRESS), value)
    store<u8>(channel + high + (register & 1 ? COUNT : ADDRESS), value)
    return
  }
  const bit: u32 = 1 << (value & 3)
  switch (register) {
    case 8:
      store<u8>(c, value, COMMAND)
      return
    case 9:
      store<u8>(c, value & 4 ? load<u8>(c, REQUEST) | bit : load<u8>(c, REQUEST) & ~bit, REQUEST)
      return
    case 10:
      store<u8>(c, value & 4 ? load<u8>(c, MASK) | bit : load<u8>(c, MASK) & ~bit, MASK)
      return
    case 11:
      store<u8>(channelAt(controller * 4 + (value & 3)), value, MODE)
      return
    case 12:
      store<u8>(c, 0, FLIP_FLOP)
      return
    case 13:
      masterClear(controller)
      return
    case 14:
      store<u8>(c, 0, MASK)
      return
    case 15:
      store<u8>(c, value & 15, MASK)
  }
}

/** Which byte it is; the next access is to the other one. */
function flip(c: usize): bool {
  const high = load<u8>(c, FLIP_FLOP) != 0
  store<u8>(c, high ? 0 : 1, FLIP_FLOP)
  return high
}

function masterClear(controller: u32): void {
  const c = controllerAt(controller)
  store<u64>(c, 0)
  store<u8>(c, 15, MASK)
}

/** The count of the channel ran out during the last dmaTransfer. */
export let dmaTerminal: bool = false

/**
 * A device on byte channel `channel` (0-3) has, or wants, `length` bytes at `buffer`. Answers how many were moved, 0 when the
 * channel is masked, off or set up for the other direction. A verify transfer moves nothing and counts all the same.
 */
export function dmaTransfer(channel: u32, buffer: usize, length: u32, toMemory: bool): u32 {
  dmaTerminal = false
  const c = controllerAt(0)
  const at = channelAt(channel)
  const mode = <u32>load<u8>(at, MODE)
  const type = (mode >> 2) & 3
  if (load<u8>(c, MASK) & (1 << channel) || load<u8>(c, COMMAND) & COMMAND_DISABLE) return 0
  // The other controller's channel 4 passes the request on, or does not
  if (load<u8>(controllerAt(1), MASK) & 1 || load<u8>(controllerAt(1), COMMAND) & COMMAND_DISABLE) return 0
  if (type == 3 || (type != 0 && (type == TYPE_WRITE) != toMemory)) return 0
  const page = (<u64>load<u8>(DEV_DMA + PAGES + pageOf(channel))) << 16
  const moved = min<u32>(length, <u32>load<u16>(at, COUNT) + 1)
  let address = <u32>load<u16>(at, ADDRESS)
  const step: u32 = mode & MODE_DECREMENT ? 0xffff : 1
  for (let done: u32 = 0; done < moved; ) {
    // Upwards as far as the 16 bits of the address go, downwards a byte at a time
    const part = step == 1 ? min<u32>(moved - done, 0x10000 - address) : 1
    if (type == TYPE_WRITE) dmaWrite(page | address, buffer + done, part)
    else if (type == TYPE_READ && dmaRead(page | address, buffer + done, part) < part)
      memory.fill(buffer + done, 0xff, part)
    address = (address + step * part) & 0xffff
    done += part
  }
  store<u16>(at, address, ADDRESS)
  dmaTerminal = moved == <u32>load<u16>(at, COUNT) + 1
  store<u16>(at, load<u16>(at, COUNT) - moved, COUNT)
  if (dmaTerminal) {
    store<u8>(c, <u32>load<u8>(c, STATUS) | (1 << channel), STATUS)
    if (mode & MODE_AUTO) {
      store<u16>(at, load<u16>(at, BASE_ADDRESS), ADDRESS)
      store<u16>(at, load<u16>(at, BASE_COUNT), COUNT)
    } else store<u8>(c, <u32>load<u8>(c, MASK) | (1 << channel), MASK)
  }
  return moved
}
