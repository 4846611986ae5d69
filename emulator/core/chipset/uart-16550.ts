// Four 16550A UARTs: COM1 3F8h IRQ 4, COM2 2F8h IRQ 3, COM3 3E8h IRQ 4, COM4 2E8h IRQ 3. A byte written to THR is
// sent at once; received bytes are taken from the input queue while there is room. At the other end is a terminal
// that is always ready (CTS, DSR and DCD on).
// Reference: National Semiconductor PC16550D data sheet (June 1995), section 8 "Registers".

import { DEV_UART } from '../layout'
import { outputByte } from '../machine/output'
import { irqLine } from './interrupt-lines'
import { NEVER, TIMER_UART, timerSet } from './timers'

const UART_COUNT: u32 = 4

// State of one UART, from DEV_UART + index * UART_SIZE
const UART_SIZE: usize = 256
const IER: usize = 0
const FCR: usize = 1
const LCR: usize = 2
const MCR: usize = 3
const LSR: usize = 4 // error bits (OE, PE, FE, BI) only; the others follow from the FIFO
const MSR_DELTA: usize = 5 // DCTS, DDSR, TERI, DDCD
const SCR: usize = 6
const DLL: usize = 7
const DLM: usize = 8
const THRE_PENDING: usize = 9 // transmitter-empty interrupt not yet taken
const TIMEOUT: usize = 10 // character time-out interrupt pending
/** u8, bytes waiting in the receiver; with UART_RECEIVE_ROOM free places the host may send as many. */
export const UART_RECEIVED: usize = 11
const RX_HEAD: usize = 12
const LCR_WRITTEN: usize = 13
const LAST_RBR: usize = 14
const LINE: usize = 15 // this UART's interrupt output
const RX_DATA: usize = 64 // u8[16]
const RX_ERROR: usize = 80 // u8[16], LSR error bits that came with the byte

const FIFO_SIZE: u32 = 16

const IER_RDA: u32 = 0x01
const IER_THRE: u32 = 0x02
const IER_LINE: u32 = 0x04
const IER_MODEM: u32 = 0x08
const IIR_NONE: u32 = 0x01
const IIR_MODEM: u32 = 0x00
const IIR_THRE: u32 = 0x02
const IIR_RDA: u32 = 0x04
const IIR_LINE: u32 = 0x06
const IIR_TIMEOUT: u32 = 0x0c
const FCR_ENABLE: u32 = 0x01
const FCR_RESET_RX: u32 = 0x02
const LCR_BREAK: u32 = 0x40
const LCR_DLAB: u32 = 0x80
const MCR_DTR: u32 = 0x01
const MCR_RTS: u32 = 0x02
const MCR_OUT1: u32 = 0x04
const MCR_OUT2: u32 = 0x08
const MCR_LOOP: u32 = 0x10
const LSR_DR: u32 = 0x01
const LSR_OE: u32 = 0x02
const LSR_BI: u32 = 0x10
const LSR_THRE: u32 = 0x20
const LSR_TEMT: u32 = 0x40
const LSR_FIFO_ERROR: u32 = 0x80
const MSR_CTS: u32 = 0x10
const MSR_DSR: u32 = 0x20
const MSR_RI: u32 = 0x40
const MSR_DCD: u32 = 0x80

@inline
function block(index: u32): usize {
  return <usize>DEV_UART + <usize>index * UART_SIZE
}

/** Master reset (PC16550D table I). */
export function uartReset(): void {
  memory.fill(DEV_UART, 0, <usize>UART_COUNT * UART_SIZE)
}

/** `offset` 0-7 from the base port of COM `index` + 1. */
export function uartRead(index: u32, offset: u32, now: u64): u32 {
  const u = block(index)
  const dlab = (<u32>load<u8>(u, LCR) & LCR_DLAB) != 0
  switch (offset) {
    case 0:
      return dlab ? load<u8>(u, DLL) : receive(index, now)
    case 1:
      return dlab ? load<u8>(u, DLM) : load<u8>(u, IER)
    case 2: {
      const source = identify(u)
      // "Reading IIR (if source of interrupt)" resets the transmitter-empty interrupt
      if (source == IIR_THRE) {
        store<u8>(u, 0, THRE_PENDING)
        update(index)
      }
      return source | (fifoOn(u) ? 0xc0 : 0)
    }
    case 3:
      return load<u8>(u, LCR)
    case 4:
      return load<u8>(u, MCR)
    case 5: {
      const status = lineStatus(u)
      // Nothing to clear, nothing to change: what polls a transmitter is told at once.
      if (load<u8>(u, LSR)) {
        store<u8>(u, 0, LSR)
        update(index)
      }
      return status
    }
    case 6: {
      const status = modemLines(u) | load<u8>(u, MSR_DELTA)
      store<u8>(u, 0, MSR_DELTA)
      update(index)
      return status
    }
    default:
      return load<u8>(u, SCR)
  }
}

export function uartWrite(index: u32, offset: u32, value: u32, now: u64): void {
  const u = block(index)
  const dlab = (<u32>load<u8>(u, LCR) & LCR_DLAB) != 0
  switch (offset) {
    case 0:
      if (dlab) store<u8>(u, value, DLL)
      else transmit(index, value, now)
      break
    case 1:
      if (dlab) {
        store<u8>(u, value, DLM)
      } else {
        // The holding register is always empty: enabling its interrupt raises it
        if ((value & IER_THRE) != 0 && (load<u8>(u, IER) & IER_THRE) == 0) store<u8>(u, 1, THRE_PENDING)
        store<u8>(u, value & 0x0f, IER)
      }
      break
    case 2:
      writeFifoControl(index, value)
      break
    case 3:
      if ((value & LCR_BREAK) != 0 && (load<u8>(u, LCR) & LCR_BREAK) == 0 && looped(u))
        push(index, 0, LSR_BI, now)
      store<u8>(u, value, LCR)
      store<u8>(u, 1, LCR_WRITTEN)
      break
    case 4: {
      const before = modemLines(u)
      store<u8>(u, value & 0x1f, MCR)
      const after = modemLines(u)
      const changed = before ^ after
      // Trailing edge of the ring indicator, any change of the others
      const ring = before & ~after & MSR_RI
      const delta = ((changed & (MSR_CTS | MSR_DSR | MSR_DCD)) | ring) >> 4
      store<u8>(u, load<u8>(u, MSR_DELTA) | delta, MSR_DELTA)
      break
    }
    case 7:
      store<u8>(u, value, SCR)
      break
    default: // LSR and MSR: writing is for factory testing only
      break
  }
  update(index)
}

/** A byte from outside. False: the receiver is full, offer it again later. */
export function uartReceive(index: u32, byte: u32, now: u64): bool {
  const u = block(index)
  if (load<u8>(u, UART_RECEIVED) >= capacity(u) || looped(u)) return false
  push(index, byte & characterMask(u), 0, now)
  update(index)
  return true
}

/** TIMER_UART + index: nothing moved in the receiver for four character times. */
export function uartTimer(index: u32): void {
  const u = block(index)
  if (fifoOn(u) && load<u8>(u, UART_RECEIVED)) store<u8>(u, 1, TIMEOUT)
  update(index)
}

function fifoOn(u: usize): bool {
  return (load<u8>(u, FCR) & FCR_ENABLE) != 0
}

function looped(u: usize): bool {
  return (load<u8>(u, MCR) & MCR_LOOP) != 0
}

function capacity(u: usize): u32 {
  return fifoOn(u) ? FIFO_SIZE : 1
}

/** Receiver FIFO trigger level (FCR bits 6-7). */
function trigger(u: usize): u32 {
  switch (<u32>load<u8>(u, FCR) >> 6) {
    case 0:
      return 1
    case 1:
      return 4
    case 2:
      return 8
    default:
      return 14
  }
}

/**
 * Bits of a character. The reset value of LCR is 0, five bits; firmware programs it before anybody sends, so an LCR
 * that was never written stands for 8N1.
 */
function characterMask(u: usize): u32 {
  return load<u8>(u, LCR_WRITTEN) ? <u32>0xff >> (3 - (load<u8>(u, LCR) & 3)) : 0xff
}

/** Four character times in ns: start, data, parity and stop bits at 1.8432 MHz / 16 / divisor. */
function timeoutPeriod(u: usize): u64 {
  const lcr = load<u8>(u, LCR_WRITTEN) ? <u32>load<u8>(u, LCR) : 3
  const bits = 1 + 5 + (lcr & 3) + ((lcr >> 3) & 1) + 1 + ((lcr >> 2) & 1)
  const divisor = <u32>load<u8>(u, DLL) | ((<u32>load<u8>(u, DLM)) << 8)
  // 16 / 1.8432 MHz is 78125 / 9 ns
  return (4 * <u64>bits * (divisor == 0 ? 1 : divisor) * 78125) / 9
}

function restartTimeout(index: u32, now: u64): void {
  const u = block(index)
  store<u8>(u, 0, TIMEOUT)
  timerSet(TIMER_UART + index, fifoOn(u) && load<u8>(u, UART_RECEIVED) ? now + timeoutPeriod(u) : NEVER)
}

function receive(index: u32, now: u64): u32 {
  const u = block(index)
  const count = load<u8>(u, UART_RECEIVED)
  if (count) {
    const head = <u32>load<u8>(u, RX_HEAD)
    store<u8>(u, load<u8>(u + head, RX_DATA), LAST_RBR)
    store<u8>(u, (head + 1) & (FIFO_SIZE - 1), RX_HEAD)
    store<u8>(u, count - 1, UART_RECEIVED)
    if (count > 1) revealError(u)
    restartTimeout(index, now)
    update(index)
  }
  return load<u8>(u, LAST_RBR)
}

/** Errors are "revealed to the CPU when its associated character is at the top of the FIFO". */
function revealError(u: usize): void {
  const top = u + load<u8>(u, RX_HEAD)
  store<u8>(u, load<u8>(u, LSR) | load<u8>(top, RX_ERROR), LSR)
  store<u8>(top, 0, RX_ERROR)
}

function push(index: u32, byte: u32, error: u32, now: u64): void {
  const u = block(index)
  const count = <u32>load<u8>(u, UART_RECEIVED)
  if (count >= capacity(u)) {
    // The FIFO keeps what it has; without it the new character replaces the old one
    store<u8>(u, load<u8>(u, LSR) | LSR_OE, LSR)
    if (!fifoOn(u)) store<u8>(u + load<u8>(u, RX_HEAD), byte, RX_DATA)
  } else {
    const place = u + ((<u32>load<u8>(u, RX_HEAD) + count) & (FIFO_SIZE - 1))
    store<u8>(place, byte, RX_DATA)
    store<u8>(place, error, RX_ERROR)
    store<u8>(u, count + 1, UART_RECEIVED)
    if (count == 0) revealError(u)
  }
  restartTimeout(index, now)
}

function transmit(index: u32, value: u32, now: u64): void {
  const u = block(index)
  const byte = value & characterMask(u)
  if (looped(u)) push(index, byte, 0, now)
  else outputByte(index, byte)
  store<u8>(u, 1, THRE_PENDING)
}

function writeFifoControl(index: u32, value: u32): void {
  const u = block(index)
  const toggled = ((value ^ load<u8>(u, FCR)) & FCR_ENABLE) != 0
  if (toggled || (value & FCR_RESET_RX) != 0) {
    store<u8>(u, 0, UART_RECEIVED)
    store<u8>(u, 0, RX_HEAD)
    store<u8>(u, 0, TIMEOUT)
    memory.fill(u + RX_DATA, 0, 2 * FIFO_SIZE)
    timerSet(TIMER_UART + index, NEVER)
  }
  // "FCR0 must be a 1 when other FCR bits are written to or they will not be programmed"
  store<u8>(u, value & FCR_ENABLE ? value & 0xc9 : 0, FCR)
}

function lineStatus(u: usize): u32 {
  let status = <u32>load<u8>(u, LSR) | LSR_THRE | LSR_TEMT
  const count = <u32>load<u8>(u, UART_RECEIVED)
  if (count) status |= LSR_DR
  if (fifoOn(u)) {
    for (let i: u32 = 0; i < count; i++) {
      if (load<u8>(u + ((<u32>load<u8>(u, RX_HEAD) + i) & (FIFO_SIZE - 1)), RX_ERROR))
        status |= LSR_FIFO_ERROR
    }
    if (<u32>load<u8>(u, LSR) & LSR_BI) status |= LSR_FIFO_ERROR
  }
  return status
}

/** MSR bits 4-7. In loop-back the modem outputs come back at the inputs (PC16550D 8.7). */
function modemLines(u: usize): u32 {
  const mcr = <u32>load<u8>(u, MCR)
  if ((mcr & MCR_LOOP) == 0) return MSR_CTS | MSR_DSR | MSR_DCD
  return (
    (mcr & MCR_RTS ? MSR_CTS : 0) |
    (mcr & MCR_DTR ? MSR_DSR : 0) |
    (mcr & MCR_OUT1 ? MSR_RI : 0) |
    (mcr & MCR_OUT2 ? MSR_DCD : 0)
  )
}

/** IIR bits 0-3: the pending source of highest priority (PC16550D table III). */
function identify(u: usize): u32 {
  const enabled = <u32>load<u8>(u, IER)
  if ((enabled & IER_LINE) != 0 && load<u8>(u, LSR)) return IIR_LINE
  if (enabled & IER_RDA) {
    const count = <u32>load<u8>(u, UART_RECEIVED)
    if (count >= (fifoOn(u) ? trigger(u) : 1)) return IIR_RDA
    if (load<u8>(u, TIMEOUT)) return IIR_TIMEOUT
  }
  if ((enabled & IER_THRE) != 0 && load<u8>(u, THRE_PENDING)) return IIR_THRE
  if ((enabled & IER_MODEM) != 0 && load<u8>(u, MSR_DELTA)) return IIR_MODEM
  return IIR_NONE
}

/**
 * The interrupt output goes straight to the IRQ. The AT's serial card had a driver between them that OUT2 switches on;
 * emulated boards, QEMU's first, have none, and kernels that grew up there (xv6) write 0 to MCR and wait for their keys. In
 * loop-back the line is cut off.
 */
function update(index: u32): void {
  const u = block(index)
  const mcr = <u32>load<u8>(u, MCR)
  const line = identify(u) != IIR_NONE && (mcr & MCR_LOOP) == 0
  if (line == (load<u8>(u, LINE) != 0)) return
  store<u8>(u, line ? 1 : 0, LINE)
  // COM1 and COM3 share IRQ 4, COM2 and COM4 IRQ 3
  irqLine(index & 1 ? 3 : 4, line || load<u8>(block(index ^ 2), LINE) != 0)
}
