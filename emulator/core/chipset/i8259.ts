// Two 8259A interrupt controllers, the second cascaded on IR2 of the first, with the edge/level control registers
// that PCI chipsets add (82371AB 4.2.5). Master 20h-21h, slave A0h-A1h, ELCR 4D0h-4D1h.
// References: Intel 8259A data sheet (231468-003); section names in quotes are its.

import {
  DEV_PIC,
  EVENT_CLASS_PATH,
  EVENT_KIND_EOI,
  EVENT_KIND_ROUTE,
  HDR_INTR,
  HEADER,
  PATH_PIC,
  PIC_ELCR,
  PIC_ICW2,
  PIC_IMR,
  PIC_IRR,
  PIC_ISR,
  PIC_LINES,
  PIC_SIZE,
} from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import { ioapicPin } from './ioapic'
import { lapicLint0Changed } from './lapic'

// State of one controller, from DEV_PIC + controller * CONTROLLER_SIZE
const CONTROLLER_SIZE: usize = PIC_SIZE
const MASTER: usize = DEV_PIC
const SLAVE: usize = <usize>DEV_PIC + CONTROLLER_SIZE
const LINES: usize = PIC_LINES
const IRR: usize = PIC_IRR
const IMR: usize = PIC_IMR
const ISR: usize = PIC_ISR
const ELCR: usize = PIC_ELCR
const ICW1: usize = 5
const ICW2: usize = PIC_ICW2
const ICW3: usize = 7
const ICW4: usize = 8
const EXPECTED: usize = 9 // ICW expected next at A0 = 1: 2, 3, 4; 0 when initialised
const LOWEST: usize = 10 // level that has the lowest priority
const ROTATE_AEOI: usize = 11
const SPECIAL_MASK: usize = 12
const POLL: usize = 13 // the next read is a poll
const READ_ISR: usize = 14

const ICW1_IC4: u32 = 0x01
const ICW1_SNGL: u32 = 0x02
const ICW1_SELECT: u32 = 0x10
const ICW4_AEOI: u32 = 0x02
const ICW4_SFNM: u32 = 0x10
const OCW3_SELECT: u32 = 0x08
const CASCADE: u32 = 2
const NO_LEVEL: u32 = 8

/** Power-on: nothing is requested until the guest has programmed the pair. */
export function picReset(): void {
  memory.fill(DEV_PIC, 0, 2 * CONTROLLER_SIZE)
  for (let pic = MASTER; pic <= SLAVE; pic += CONTROLLER_SIZE) {
    store<u8>(pic, 0xff, IMR)
    store<u8>(pic, 7, LOWEST)
  }
  store<u32>(HEADER, 0, HDR_INTR)
}

export function picRead(port: u32): u32 {
  if (port == 0x4d0) return load<u8>(MASTER, ELCR)
  if (port == 0x4d1) return load<u8>(SLAVE, ELCR)
  const pic = port & 0x80 ? SLAVE : MASTER
  // "Poll Command": the next RD pulse is treated as an acknowledge, whatever A0
  if (load<u8>(pic, POLL)) {
    store<u8>(pic, 0, POLL)
    const level = pendingLevel(pic)
    if (level == NO_LEVEL) return 0
    acknowledge(pic, level)
    update()
    return 0x80 | level
  }
  if (port & 1) return load<u8>(pic, IMR)
  return load<u8>(pic, READ_ISR) ? load<u8>(pic, ISR) : requests(pic)
}

export function picWrite(port: u32, value: u32): void {
  // The timer, keyboard, cascade, RTC and FPU lines are always edge-triggered (82371AB 4.2.5.1)
  if (port == 0x4d0) store<u8>(MASTER, value & 0xf8, ELCR)
  else if (port == 0x4d1) store<u8>(SLAVE, value & 0xde, ELCR)
  else {
    const pic = port & 0x80 ? SLAVE : MASTER
    if (port & 1) writeOdd(pic, value)
    else if (value & ICW1_SELECT) initialise(pic, value)
    else if (value & OCW3_SELECT) writeOcw3(pic, value)
    else writeOcw2(pic, value)
  }
  update()
}

/** Drives input IR0-IR7 of the master (0-7) or of the slave (8-15) high or low. */
export function picLine(irq: u32, high: bool): void {
  setLine(irq & 8 ? SLAVE : MASTER, irq & 7, high)
  update()
}

/** The two INTA cycles of the processor: the vector, that of IR7 if the request has gone ("default IR7"). */
export function interruptAcknowledge(): u32 {
  const level = pendingLevel(MASTER)
  if (level == NO_LEVEL) {
    update()
    return (load<u8>(MASTER, ICW2) & 0xf8) | 7
  }
  acknowledge(MASTER, level)
  let irq = level
  let vector = (load<u8>(MASTER, ICW2) & 0xf8) | level
  if (level == CASCADE && load<u8>(MASTER, ICW3) & (1 << CASCADE)) {
    const inner = pendingLevel(SLAVE)
    if (inner != NO_LEVEL) acknowledge(SLAVE, inner)
    irq = 8 + (inner == NO_LEVEL ? 7 : inner)
    vector = (load<u8>(SLAVE, ICW2) & 0xf8) | (irq & 7)
    // The slave's INT falls with the acknowledge; if more is pending it rises again, a new edge for the master
    setLine(MASTER, CASCADE, false)
  }
  event(EVENT_CLASS_PATH, EVENT_KIND_ROUTE, PATH_PIC | (irq << 8) | (vector << 16), 0, clockNow())
  update()
  return vector
}

function initialise(pic: usize, icw1: u32): void {
  // "Initialization Command Words", a-f: edge sense reset, IMR cleared, IR7 lowest, special mask off, read IRR
  store<u8>(pic, icw1, ICW1)
  store<u8>(pic, 0, IRR)
  store<u8>(pic, 0, IMR)
  store<u8>(pic, 0, ISR)
  store<u8>(pic, 7, LOWEST)
  store<u8>(pic, 0, ROTATE_AEOI)
  store<u8>(pic, 0, SPECIAL_MASK)
  store<u8>(pic, 0, POLL)
  store<u8>(pic, 0, READ_ISR)
  if ((icw1 & ICW1_IC4) == 0) store<u8>(pic, 0, ICW4)
  store<u8>(pic, 2, EXPECTED)
}

function writeOdd(pic: usize, value: u32): void {
  const icw1 = <u32>load<u8>(pic, ICW1)
  const last = icw1 & ICW1_IC4 ? 4 : 0
  switch (<u32>load<u8>(pic, EXPECTED)) {
    case 2:
      store<u8>(pic, value, ICW2)
      store<u8>(pic, icw1 & ICW1_SNGL ? last : 3, EXPECTED)
      return
    case 3:
      store<u8>(pic, value, ICW3)
      store<u8>(pic, last, EXPECTED)
      return
    case 4:
      store<u8>(pic, value, ICW4)
      store<u8>(pic, 0, EXPECTED)
      return
    default:
      store<u8>(pic, value, IMR)
  }
}

function writeOcw2(pic: usize, value: u32): void {
  const level = value & 7
  switch (value >> 5) {
    case 0: // rotate in automatic EOI mode, clear
    case 4: // and set
      store<u8>(pic, value >> 7, ROTATE_AEOI)
      return
    case 1: // non-specific EOI
    case 5: {
      // A level that is masked in special mask mode is not cleared by a non-specific EOI ("Special Mask Mode")
      const serviced = highest(pic, inService(pic))
      if (serviced == NO_LEVEL) return
      ended(pic, serviced)
      store<u8>(pic, <u32>load<u8>(pic, ISR) & ~(1 << serviced), ISR)
      if (value & 0x80) store<u8>(pic, serviced, LOWEST)
      return
    }
    case 3: // specific EOI
    case 7:
      if (load<u8>(pic, ISR) & (1 << level)) ended(pic, level)
      store<u8>(pic, <u32>load<u8>(pic, ISR) & ~(1 << level), ISR)
      if (value & 0x80) store<u8>(pic, level, LOWEST)
      return
    case 6: // set priority
      store<u8>(pic, level, LOWEST)
      return
    default: // 2: no operation
      return
  }
}

/** For onlookers: the end of a level's service. */
function ended(pic: usize, level: u32): void {
  const vector = (load<u8>(pic, ICW2) & 0xf8) | level
  event(EVENT_CLASS_PATH, EVENT_KIND_EOI, vector | 0x10000, pic == SLAVE ? 8 + level : level, clockNow())
}

function writeOcw3(pic: usize, value: u32): void {
  if (value & 0x40) store<u8>(pic, (value >> 5) & 1, SPECIAL_MASK)
  if (value & 0x02) store<u8>(pic, value & 1, READ_ISR)
  store<u8>(pic, (value >> 2) & 1, POLL)
}

function setLine(pic: usize, level: u32, high: bool): void {
  const bit: u32 = 1 << level
  const lines = <u32>load<u8>(pic, LINES)
  if (high) {
    if ((lines & bit) == 0) store<u8>(pic, load<u8>(pic, IRR) | bit, IRR)
    store<u8>(pic, lines | bit, LINES)
  } else {
    // An edge request stands only while the input stays high ("Edge and level triggered modes")
    store<u8>(pic, load<u8>(pic, IRR) & ~bit, IRR)
    store<u8>(pic, lines & ~bit, LINES)
  }
}

/** The interrupt request register: latched edges, and the inputs themselves where they are level-triggered. */
function requests(pic: usize): u32 {
  const level = <u32>load<u8>(pic, ELCR)
  return (load<u8>(pic, IRR) & ~level) | (load<u8>(pic, LINES) & level)
}

/** Levels in service that hold others back. */
function inService(pic: usize): u32 {
  const isr = <u32>load<u8>(pic, ISR)
  return load<u8>(pic, SPECIAL_MASK) ? isr & ~(<u32>load<u8>(pic, IMR)) : isr
}

/** Position of `level` in the present order, 0 the highest; 8 for NO_LEVEL. */
function priority(pic: usize, level: u32): u32 {
  return level == NO_LEVEL ? 8 : (level - load<u8>(pic, LOWEST) - 1) & 7
}

/** The level of highest priority among `bits`, NO_LEVEL if there is none. */
function highest(pic: usize, bits: u32): u32 {
  if (bits == 0) return NO_LEVEL
  const first = <u32>load<u8>(pic, LOWEST) + 1
  return (ctz((bits | (bits << 8)) >> first) + first) & 7
}

/** The level this controller asks the processor to serve, NO_LEVEL when its INT is low. */
function pendingLevel(pic: usize): u32 {
  if (load<u8>(pic, EXPECTED)) return NO_LEVEL
  const level = highest(pic, requests(pic) & ~(<u32>load<u8>(pic, IMR)))
  if (level == NO_LEVEL) return NO_LEVEL
  const wanted = priority(pic, level)
  const held = priority(pic, highest(pic, inService(pic)))
  if (wanted < held) return level
  // "The Special Fully Nested Mode": a slave in service is not locked out
  const nested = pic == MASTER && load<u8>(pic, ICW4) & ICW4_SFNM && load<u8>(pic, ICW3) & (1 << level)
  return nested && wanted == held ? level : NO_LEVEL
}

function acknowledge(pic: usize, level: u32): void {
  const bit: u32 = 1 << level
  const latched = <u32>load<u8>(pic, IRR)
  store<u8>(pic, latched & ~bit, IRR)
  if (load<u8>(pic, ICW4) & ICW4_AEOI) {
    if (load<u8>(pic, ROTATE_AEOI)) store<u8>(pic, level, LOWEST)
  } else {
    store<u8>(pic, load<u8>(pic, ISR) | bit, ISR)
  }
}

/** Carries the slave's INT to the master's IR2 and the master's INT to the processor. */
function update(): void {
  setLine(MASTER, CASCADE, pendingLevel(SLAVE) != NO_LEVEL)
  const intr: u32 = pendingLevel(MASTER) != NO_LEVEL ? 1 : 0
  if (intr == load<u32>(HEADER, HDR_INTR)) return
  store<u32>(HEADER, intr, HDR_INTR)
  ioapicPin(0, intr != 0)
  lapicLint0Changed()
}
