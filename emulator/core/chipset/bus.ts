// Who answers at which port and address, and when timers fire. The only way in for the engine, the firmware and
// the tests. Everything here is called with the chipset lock held.
//
// All devices but the ATA data ports and the VBE extension are eight bits wide: a wider access is split into bytes at consecutive
// ports, low byte first, as the ISA bus does. Ports and addresses nobody claims read all ones.

import {
  ACPI_ASLEEP,
  DEV_ACPI,
  EVENT_CLASS_PORT,
  EVENT_KIND_PORT,
  HDR_DEADLINE,
  HDR_RESET_REQUEST,
  HEADER,
  INPUT_KIND_KEY,
  INPUT_KIND_MOUSE,
  INPUT_KIND_POWER,
  INPUT_KIND_MEDIUM,
  INPUT_KIND_SERIAL,
  RESET_NONE,
  VRAM,
} from '../layout'
import { clockNow } from '../machine/clock'
import { event } from '../machine/events'
import {
  acpiEvents,
  acpiEventsKeep,
  acpiPowerButton,
  acpiReset,
  acpiTimer,
  acpiWake,
  apmRead,
  apmWrite,
  pm1ControlRead,
  pm1ControlWrite,
} from './acpi-pm'
import { ataDataRead, ataDataWrite, ataRead, ataReset, ataTimer, ataWrite } from './ata'
import { debugconWrite, debugExitWrite, debugPortsReset, shutdownWrite } from './debug-ports'
import { FW_CFG_PORT, FW_CFG_PORTS, fwCfgRead, fwCfgReset, fwCfgWrite } from './fw-cfg'
import { hpetRead, hpetReset, hpetTimer, hpetWrite } from './hpet'
import { dmaControllerRead, dmaControllerWrite, dmaPageRead, dmaPageWrite, dmaReset } from './i8237'
import { fdcRead, fdcReset, fdcTimer, fdcWrite } from './i82077'
import { kbcRead, kbcReset, kbcTimer, kbcWrite } from './i8042'
import { pitRead, pitReset, pitTimer, pitWrite } from './i8254'
import { picRead, picReset, picWrite } from './i8259'
import {
  rtcAlarmEnable,
  rtcAlarmEnabled,
  rtcPeriodicTimer,
  rtcRead,
  rtcReset,
  rtcSecondTimer,
  rtcWrite,
} from './mc146818'
import { interruptLinesReset } from './interrupt-lines'
import { mediumInput } from './media'
import { IOAPIC_PAGE, ioapicRead, ioapicReset, ioapicWrite } from './ioapic'
import { messageSignalled } from './lapic-messages'
import { lapicTimer } from './lapic-timer'
import { numericErrorAcknowledge } from './numeric-error'
import {
  pciAddressRead,
  pciAddressWrite,
  pciDataRead,
  pciDataWrite,
  pciIoFind,
  pciMemoryFind,
  windowHandler,
  windowOffset,
} from './pci'
import {
  ideDecodes,
  pciDevicesReset,
  rangeMemoryRead,
  rangeMemoryWrite,
  rangePortRead,
  rangePortWrite,
  vgaDecodesMemory,
  vgaDecodesPorts,
} from './pci-devices'
import { speakerChanged } from './speaker'
import { RINGSIDE_MAGIC, RINGSIDE_PORT, ringsideWrite } from './ringside-port'
import { mouseInput, mouseReset, mouseTimer } from './ps2-mouse'
import { keyboardKey, keyboardReset, keyboardTypematicTimer } from './ps2-keyboard'
import {
  port61Read,
  port61Write,
  port92Read,
  port92Write,
  postRead,
  postWrite,
  resetControlRead,
  resetControlWrite,
  systemControlReset,
} from './system-control'
import {
  TEST_LINES,
  TEST_LINES_COUNT,
  TEST_MEMORY,
  TEST_MEMORY_SIZE,
  TEST_PORT,
  TEST_PORTS,
  testDeviceReset,
  testLineWrite,
  testMemoryRead,
  testMemoryWrite,
  testPortRead,
  testPortWrite,
} from './test-device'
import { smbusReset, smbusTimer } from './smbus'
import {
  NEVER,
  TIMER_ACPI,
  TIMER_SMBUS,
  TIMER_ATA,
  TIMER_HPET,
  TIMER_FDC,
  TIMER_KEYBOARD,
  TIMER_LAPIC,
  TIMER_MOUSE,
  TIMER_PIT,
  TIMER_RTC_PERIODIC,
  TIMER_RTC_SECOND,
  TIMER_TYPEMATIC,
  TIMER_UART,
  timerDeadline,
  timerEarliest,
  timerSet,
  timersReset,
} from './timers'
import { shadowWrite } from '../memory/physical'
import { uartRead, uartReceive, uartReset, uartTimer, uartWrite } from './uart-16550'
import { vbeRead, vbeWrite } from './vbe-dispi'
import { vgaRead, vgaReset, vgaWrite } from './vga'
import { vgaMemoryRead, vgaMemoryWrite } from './vga-memory'

export { interruptAcknowledge } from './i8259'

const PCI_ADDRESS: u32 = 0xcf8
const PCI_DATA: u32 = 0xcfc
const RESET_CONTROL: u32 = 0xcf9
/** A port nobody claims. */
const NOBODY: u32 = 0xffff
/** DISPI: 16-bit registers, which are not split into bytes. */
const VBE_PORT: u32 = 0x1ce
const VBE_PORTS: u32 = 3
const HPET_BASE: u64 = 0xfed00000
const HPET_SIZE: u64 = 0x400
/** FEE00000h-FEEFFFFFh: a write is an interrupt message. */
const MESSAGES: u64 = 0xfee
const VGA_APERTURE: u64 = 0xa0000
const VGA_APERTURE_SIZE: u64 = 0x20000
const VGA_PLANES_SIZE: usize = 0x40000

/** Power-on (or CF9h) state of every device. RAM size, drives and the RTC's epoch are read from the header. */
export function chipsetReset(): void {
  store<u32>(HEADER, RESET_NONE, HDR_RESET_REQUEST)
  timersReset()
  interruptLinesReset()
  ioapicReset()
  picReset()
  pitReset()
  systemControlReset()
  speakerChanged(clockNow())
  pciDevicesReset()
  acpiReset()
  smbusReset()
  hpetReset()
  rtcReset(clockNow())
  kbcReset()
  keyboardReset()
  mouseReset()
  uartReset()
  debugPortsReset()
  fwCfgReset()
  testDeviceReset()
  ataReset()
  dmaReset()
  fdcReset()
  vgaReset()
  memory.fill(VRAM, 0, VGA_PLANES_SIZE)
}

/** Into S3 and out of it: all but the events of power management and the clock's alarm, which have power there. */
export function chipsetResetS3(asleep: bool): void {
  const events = acpiEvents()
  const alarm = rtcAlarmEnabled()
  chipsetReset()
  acpiEventsKeep(events, asleep)
  if (alarm) rtcAlarmEnable(clockNow())
}

/** Fires every timer that is due at `now` (ns), in the order of their deadlines, each at exactly its own time. */
export function chipsetRun(now: u64): void {
  for (;;) {
    const timer = timerEarliest()
    const at = timerDeadline(timer)
    if (at > now || at == NEVER) return
    timerSet(timer, NEVER)
    if (timer == TIMER_PIT) pitTimer(at)
    else if (timer == TIMER_RTC_SECOND) rtcSecondTimer(at)
    else if (timer == TIMER_RTC_PERIODIC) rtcPeriodicTimer(at)
    else if (timer == TIMER_KEYBOARD) kbcTimer(at)
    else if (timer == TIMER_MOUSE) mouseTimer(at)
    else if (timer == TIMER_TYPEMATIC) keyboardTypematicTimer(at)
    else if (timer >= TIMER_LAPIC) lapicTimer(timer - TIMER_LAPIC, at)
    else if (timer >= TIMER_HPET) hpetTimer(timer - TIMER_HPET, at)
    else if (timer == TIMER_ACPI) acpiTimer(at)
    else if (timer == TIMER_SMBUS) smbusTimer(at)
    else if (timer == TIMER_FDC) fdcTimer(at)
    else if (timer >= TIMER_ATA) ataTimer(timer - TIMER_ATA, at)
    else uartTimer(timer - TIMER_UART)
  }
}

/** Machine time (ns) at which chipsetRun has something to do; all ones if never. */
export function chipsetDeadline(): u64 {
  return load<u64>(HEADER, HDR_DEADLINE)
}

/** The time of an access; whatever was due before it has happened. */
@inline
function arrive(): u64 {
  const now = clockNow()
  if (now >= load<u64>(HEADER, HDR_DEADLINE)) chipsetRun(now)
  return now
}

/** Takes an entry of the input queue (INPUT_KIND_*). False: no room now, offer the same again later. */
export function inputDeliver(kind: u32, data: u32): bool {
  const now = arrive()
  // Keyboard and mouse have power in S3, as on the boards that let them wake it; what woke it is no key for the guest.
  if (load<u8>(DEV_ACPI, ACPI_ASLEEP) && (kind == INPUT_KIND_KEY || kind == INPUT_KIND_MOUSE)) {
    acpiWake()
    return true
  }
  if (kind == INPUT_KIND_KEY) return keyboardKey(data, now)
  if (kind == INPUT_KIND_MOUSE) mouseInput(data, now)
  if (kind == INPUT_KIND_SERIAL) return uartReceive((data >> 8) & 3, data & 0xff, now)
  if (kind == INPUT_KIND_MEDIUM) mediumInput(data)
  if (kind == INPUT_KIND_POWER) acpiPowerButton(now)
  return true
}

/**
 * Port of byte `i` of an access. CF9h is there for byte accesses only (82371AB 4.2.7): wider ones are the PCI
 * configuration address register's, whole or not at all.
 */
@inline
function lane(port: u32, i: u32, size: u32): u32 {
  const at = (port + i) & 0xffff
  return size > 1 && at == RESET_CONTROL ? NOBODY : at
}

function allOnes(size: u32): u32 {
  return size == 4 ? 0xffffffff : (1 << (size << 3)) - 1
}

/** Whether a byte at `port` is for the ISA bus, or a range of the PCI bus placed there: not for the wide devices below. */
@inline
function isByteWide(port: u32): bool {
  return (
    port - VBE_PORT >= VBE_PORTS &&
    port - FW_CFG_PORT >= FW_CFG_PORTS &&
    port - TEST_LINES >= TEST_LINES_COUNT
  )
}

/** IN. `size` 1, 2 or 4; the result is zero-extended. */
export function portRead(port: u32, size: u32): u32 {
  const now = arrive()
  let value: u32
  if (size == 1 && isByteWide(port)) {
    value = byteRead(port, now)
  } else if (size > 1 && (port == 0x1f0 || port == 0x170)) {
    const channel: u32 = port == 0x1f0 ? 0 : 1
    value = ideDecodes(channel) ? ataDataRead(channel, size, now) : allOnes(size)
  } else if (port == PCI_ADDRESS && size == 4) {
    value = pciAddressRead()
  } else if (port - VBE_PORT < VBE_PORTS) {
    value = vbeRead(port, size)
  } else if (port == RINGSIDE_PORT && size == 4) {
    value = RINGSIDE_MAGIC
  } else if (port - FW_CFG_PORT < FW_CFG_PORTS) {
    value = fwCfgRead(port - FW_CFG_PORT, size)
  } else if (port - PCI_DATA < 4 && port + size <= PCI_DATA + 4) {
    value = pciDataRead(port & 3, size)
  } else if (pciIoFind(port, size)) {
    value = rangePortRead(windowHandler, <u32>windowOffset, size, now)
  } else {
    value = 0
    for (let i: u32 = 0; i < size; i++) value |= byteRead(lane(port, i, size), now) << (i << 3)
  }
  event(EVENT_CLASS_PORT, EVENT_KIND_PORT, port | (size << 16), value, 0)
  return value
}

/** OUT. `size` 1, 2 or 4; bits of `value` above it are ignored. */
export function portWrite(port: u32, size: u32, value: u32): void {
  const now = arrive()
  const sized = size == 4 ? value : value & ((1 << (size << 3)) - 1)
  event(EVENT_CLASS_PORT, EVENT_KIND_PORT, port | (size << 16) | (1 << 24), sized, 0)
  if (size == 1 && isByteWide(port)) {
    byteWrite(port, sized, now)
  } else if (size > 1 && (port == 0x1f0 || port == 0x170)) {
    if (ideDecodes(port == 0x1f0 ? 0 : 1)) ataDataWrite(port == 0x1f0 ? 0 : 1, size, sized, now)
  } else if (port == 0xf4) debugExitWrite(sized)
  else if (port == PCI_ADDRESS && size == 4) pciAddressWrite(sized)
  else if (port - VBE_PORT < VBE_PORTS) vbeWrite(port, size, sized)
  else if (port == RINGSIDE_PORT && size == 4) ringsideWrite(sized)
  else if (port - FW_CFG_PORT < FW_CFG_PORTS) fwCfgWrite(port - FW_CFG_PORT, size, sized)
  else if (port - TEST_LINES < TEST_LINES_COUNT) testLineWrite(port - TEST_LINES, sized)
  else if (port - PCI_DATA < 4 && port + size <= PCI_DATA + 4) pciDataWrite(port & 3, size, sized)
  else if (pciIoFind(port, size)) rangePortWrite(windowHandler, <u32>windowOffset, size, sized, now)
  else {
    for (let i: u32 = 0; i < size; i++) byteWrite(lane(port, i, size), (sized >> (i << 3)) & 0xff, now)
  }
}

/** A byte on its own, of a wider access too: ranges placed on the PCI bus come before the ISA bus. */
@inline
function byteRead(port: u32, now: u64): u32 {
  if (pciIoFind(port, 1)) return rangePortRead(windowHandler, <u32>windowOffset, 1, now)
  if (port - PCI_DATA < 4) return pciDataRead(port & 3, 1)
  return portRead8(port, now)
}

function byteWrite(port: u32, value: u32, now: u64): void {
  if (pciIoFind(port, 1)) rangePortWrite(windowHandler, <u32>windowOffset, 1, value, now)
  else if (port - PCI_DATA < 4) pciDataWrite(port & 3, 1, value)
  else portWrite8(port, value, now)
}

function portRead8(port: u32, now: u64): u32 {
  switch (port >> 3) {
    case 0x00 >> 3:
    case 0x08 >> 3:
      return dmaControllerRead(0, port)
    case 0x88 >> 3:
      return dmaPageRead(port)
    case 0xc0 >> 3:
    case 0xc8 >> 3:
    case 0xd0 >> 3:
    case 0xd8 >> 3:
      return port & 1 ? 0xff : dmaControllerRead(1, (port - 0xc0) >> 1)
    case 0x20 >> 3:
    case 0xa0 >> 3:
      return port & 6 ? 0xff : picRead(port)
    case 0x40 >> 3:
      return port & 4 ? 0xff : pitRead(port, now)
    case 0x60 >> 3:
      if (port == 0x61) return port61Read(now)
      return port == 0x60 || port == 0x64 ? kbcRead(port, now) : 0xff
    case 0x70 >> 3:
      return port < 0x72 ? rtcRead(port, now) : 0xff
    case 0x80 >> 3:
      return port == 0x80 ? postRead() : dmaPageRead(port)
    case 0x90 >> 3:
      return port == 0x92 ? port92Read() : 0xff
    case 0xb0 >> 3:
      return (port & 6) == 2 ? apmRead(port) : 0xff
    case 0xe0 >> 3:
    case 0xe8 >> 3:
      if (port - TEST_PORT < TEST_PORTS) return testPortRead(port - TEST_PORT)
      return port == 0xe9 ? 0xe9 : 0xff
    case 0xf0 >> 3:
      return port == 0xf4 ? 0 : 0xff
    case 0x170 >> 3:
      return ideDecodes(1) ? ataRead(1, port & 7, now) : 0xff
    case 0x1f0 >> 3:
      return ideDecodes(0) ? ataRead(0, port & 7, now) : 0xff
    case 0x370 >> 3:
      return port == 0x376 && ideDecodes(1) ? ataRead(1, 8, now) : 0xff
    case 0x3f0 >> 3:
      if (port == 0x3f6) return ideDecodes(0) ? ataRead(0, 8, now) : 0xff
      return fdcRead(port, now)
    case 0x3f8 >> 3:
      return uartRead(0, port & 7, now)
    case 0x2f8 >> 3:
      return uartRead(1, port & 7, now)
    case 0x3e8 >> 3:
      return uartRead(2, port & 7, now)
    case 0x2e8 >> 3:
      return uartRead(3, port & 7, now)
    case 0x3b0 >> 3:
    case 0x3b8 >> 3:
    case 0x3c0 >> 3:
    case 0x3c8 >> 3:
    case 0x3d0 >> 3:
    case 0x3d8 >> 3:
      return vgaDecodesPorts() ? vgaRead(port, now) : 0xff
    case 0x4d0 >> 3:
      return port < 0x4d2 ? picRead(port) : 0xff
    case 0x600 >> 3:
      return port == 0x604 || port == 0x605 ? pm1ControlRead(port & 1, now) : 0xff
    case 0xcf8 >> 3:
      return port == RESET_CONTROL ? resetControlRead() : 0xff
    default:
      return 0xff
  }
}

function portWrite8(port: u32, value: u32, now: u64): void {
  switch (port >> 3) {
    case 0x00 >> 3:
    case 0x08 >> 3:
      dmaControllerWrite(0, port, value)
      return
    case 0x88 >> 3:
      dmaPageWrite(port, value)
      return
    case 0xc0 >> 3:
    case 0xc8 >> 3:
    case 0xd0 >> 3:
    case 0xd8 >> 3:
      if ((port & 1) == 0) dmaControllerWrite(1, (port - 0xc0) >> 1, value)
      return
    case 0x20 >> 3:
    case 0xa0 >> 3:
      if ((port & 6) == 0) picWrite(port, value)
      return
    case 0x40 >> 3:
      if ((port & 4) == 0) {
        pitWrite(port, value, now)
        if (port & 2) speakerChanged(now)
      }
      return
    case 0x60 >> 3:
      if (port == 0x61) {
        port61Write(value, now)
        speakerChanged(now)
      } else if (port == 0x60 || port == 0x64) kbcWrite(port, value, now)
      return
    case 0x70 >> 3:
      if (port < 0x72) rtcWrite(port, value, now)
      return
    case 0x80 >> 3:
      if (port == 0x80) postWrite(value)
      else dmaPageWrite(port, value)
      return
    case 0x90 >> 3:
      if (port == 0x92) port92Write(value)
      return
    case 0xb0 >> 3:
      if ((port & 6) == 2) apmWrite(port, value, now)
      return
    case 0xe0 >> 3:
    case 0xe8 >> 3:
      if (port - TEST_PORT < TEST_PORTS) testPortWrite(port - TEST_PORT, value)
      else if (port == 0xe9) debugconWrite(value)
      return
    case 0xf0 >> 3:
      if (port == 0xf4) debugExitWrite(value)
      else if (port == 0xf0) numericErrorAcknowledge()
      return
    case 0x170 >> 3:
      if (ideDecodes(1)) ataWrite(1, port & 7, value, now)
      return
    case 0x1f0 >> 3:
      if (ideDecodes(0)) ataWrite(0, port & 7, value, now)
      return
    case 0x370 >> 3:
      if (port == 0x376 && ideDecodes(1)) ataWrite(1, 8, value, now)
      return
    case 0x3f0 >> 3:
      if (port != 0x3f6) fdcWrite(port, value, now)
      else if (ideDecodes(0)) ataWrite(0, 8, value, now)
      return
    case 0x3f8 >> 3:
      uartWrite(0, port & 7, value, now)
      return
    case 0x2f8 >> 3:
      uartWrite(1, port & 7, value, now)
      return
    case 0x3e8 >> 3:
      uartWrite(2, port & 7, value, now)
      return
    case 0x2e8 >> 3:
      uartWrite(3, port & 7, value, now)
      return
    case 0x3b0 >> 3:
    case 0x3b8 >> 3:
    case 0x3c0 >> 3:
    case 0x3c8 >> 3:
    case 0x3d0 >> 3:
    case 0x3d8 >> 3:
      if (vgaDecodesPorts()) vgaWrite(port, value)
      return
    case 0x4d0 >> 3:
      if (port < 0x4d2) picWrite(port, value)
      return
    case 0x600 >> 3:
      if (port == 0x604 || port == 0x605) pm1ControlWrite(port & 1, value, now)
      return
    case 0xcf8 >> 3:
      if (port == RESET_CONTROL) resetControlWrite(value)
      return
    case 0x8900 >> 3:
      if (port == 0x8900) shutdownWrite(value)
  }
}

/**
 * A read of a guest-physical address that is neither RAM nor ROM. `size` 1, 2, 4 or 8; zero-extended. Ranges of PCI
 * functions may lie anywhere RAM does not; an access that leaves one goes byte by byte.
 */
export function mmioRead(phys: u64, size: u32): u64 {
  if (phys - VGA_APERTURE < VGA_APERTURE_SIZE && vgaDecodesMemory()) {
    let value: u64 = 0
    for (let i: u32 = 0; i < size; i++) {
      const at = <u32>phys + i
      value |= (<u64>(at < 0xc0000 ? vgaMemoryRead(at) : 0xff)) << (i << 3)
    }
    return value
  }
  if (phys >> 12 == <u64>IOAPIC_PAGE) return ioapicRead(<u32>phys & 0xfff, size)
  if (phys - HPET_BASE < HPET_SIZE && phys + size <= HPET_BASE + HPET_SIZE)
    return hpetRead(<u32>phys & 0xfff, size, arrive())
  if (phys >> 20 != MESSAGES && pciMemoryFind(phys, size))
    return rangeMemoryRead(windowHandler, windowOffset, size, arrive())
  if (phys - TEST_MEMORY < TEST_MEMORY_SIZE && phys + size <= TEST_MEMORY + TEST_MEMORY_SIZE)
    return testMemoryRead(<u32>(phys - TEST_MEMORY), size)
  if (size == 1) return 0xff
  let value: u64 = 0
  for (let i: u32 = 0; i < size; i++) value |= mmioRead(phys + i, 1) << (i << 3)
  return value
}

/** A write to a guest-physical address that is neither RAM nor ROM. `size` 1, 2, 4 or 8. */
export function mmioWrite(phys: u64, size: u32, value: u64): void {
  if (phys - VGA_APERTURE < VGA_APERTURE_SIZE && vgaDecodesMemory()) {
    for (let i: u32 = 0; i < size; i++) {
      const at = <u32>phys + i
      if (at < 0xc0000) vgaMemoryWrite(at, <u32>(value >> (i << 3)) & 0xff)
    }
  } else if (phys >> 12 == <u64>IOAPIC_PAGE) ioapicWrite(<u32>phys & 0xfff, size, value)
  else if (phys - HPET_BASE < HPET_SIZE && phys + size <= HPET_BASE + HPET_SIZE)
    hpetWrite(<u32>phys & 0xfff, size, value, arrive())
  else if (phys >> 20 == MESSAGES) {
    // Interrupt messages are double words.
    if (size == 4 && !(phys & 3)) messageSignalled(<u32>phys, <u32>value)
  } else if (pciMemoryFind(phys, size)) rangeMemoryWrite(windowHandler, windowOffset, size, value, arrive())
  else if (phys - TEST_MEMORY < TEST_MEMORY_SIZE && phys + size <= TEST_MEMORY + TEST_MEMORY_SIZE)
    testMemoryWrite(<u32>(phys - TEST_MEMORY), size, value)
  else if (size > 1) {
    for (let i: u32 = 0; i < size; i++) mmioWrite(phys + i, 1, (value >> (i << 3)) & 0xff)
  } else shadowWrite(phys, <u8>value)
}
