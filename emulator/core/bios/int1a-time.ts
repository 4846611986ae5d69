// INT 1Ah: time of day, counted by IRQ 0 in the BIOS data area, and the MC146818's clock, alarm included.
import { portRead, portWrite } from '../chipset/bus'
import { BDA_MIDNIGHT, BDA_TICKS } from './bda'
import {
  ah,
  bda32,
  bda8,
  ch,
  cl,
  cx,
  dh,
  dl,
  dx,
  setAh,
  setAl,
  setBda32,
  setBda8,
  setCarry,
  setCx,
  setDx,
} from './guest'

const RTC_SECONDS: u32 = 0x00
const RTC_SECONDS_ALARM: u32 = 0x01
const RTC_MINUTES: u32 = 0x02
const RTC_MINUTES_ALARM: u32 = 0x03
const RTC_HOURS: u32 = 0x04
const RTC_HOURS_ALARM: u32 = 0x05
const RTC_DAY: u32 = 0x07
const RTC_MONTH: u32 = 0x08
const RTC_YEAR: u32 = 0x09
const RTC_B: u32 = 0x0b
const RTC_CENTURY: u32 = 0x32

/** Register B: SET stops the updates, AIE alarm interrupt, DSE daylight saving (MC146818A, "Register B"). */
const B_SET: u32 = 0x80
const B_PIE: u32 = 0x40
const B_AIE: u32 = 0x20
const B_24H: u32 = 0x02

export function cmosRead(register: u32): u32 {
  portWrite(0x70, 1, register)
  return portRead(0x71, 1)
}
export function cmosWrite(register: u32, value: u32): void {
  portWrite(0x70, 1, register)
  portWrite(0x71, 1, value)
}

function binary(bcd: u32): u32 {
  return (bcd >> 4) * 10 + (bcd & 15)
}

/** Ticks of 18.2065 Hz since midnight by the clock: seconds * 1193182 / 65536. */
export function clockTicks(): u32 {
  const hours = binary(cmosRead(RTC_HOURS))
  const seconds = (hours * 60 + binary(cmosRead(RTC_MINUTES))) * 60 + binary(cmosRead(RTC_SECONDS))
  return <u32>((<u64>seconds * 1193182) >> 16)
}

/** Opens IRQ 8 at the second 8259A and the cascade at the first. */
export function unmaskClock(): void {
  portWrite(0xa1, 1, portRead(0xa1, 1) & 0xfe)
  portWrite(0x21, 1, portRead(0x21, 1) & 0xfb)
}

/** Starts or ends the 1024 Hz periodic interrupt. */
export function clockPeriodic(on: bool): void {
  const b = cmosRead(RTC_B)
  cmosWrite(RTC_B, on ? b | B_PIE : b & ~B_PIE)
  if (on) {
    cmosRead(0x0c)
    unmaskClock()
  }
}

export function int1a(): void {
  setCarry(false)
  switch (ah()) {
    case 0x00: {
      const ticks = bda32(BDA_TICKS)
      setCx(ticks >> 16)
      setDx(ticks & 0xffff)
      setAl(bda8(BDA_MIDNIGHT))
      setBda8(BDA_MIDNIGHT, 0)
      setAh(0)
      return
    }
    case 0x01:
      setBda32(BDA_TICKS, (cx() << 16) | dx())
      setBda8(BDA_MIDNIGHT, 0)
      setAh(0)
      return
    case 0x02:
      setCx((cmosRead(RTC_HOURS) << 8) | cmosRead(RTC_MINUTES))
      setDx((cmosRead(RTC_SECONDS) << 8) | (cmosRead(RTC_B) & 1))
      setAh(0)
      return
    case 0x03: {
      const b = cmosRead(RTC_B) & ~1
      cmosWrite(RTC_B, b | B_SET)
      cmosWrite(RTC_HOURS, ch())
      cmosWrite(RTC_MINUTES, cl())
      cmosWrite(RTC_SECONDS, dh())
      cmosWrite(RTC_B, (b & ~B_SET) | B_24H | (dl() & 1))
      setAh(0)
      return
    }
    case 0x04:
      setCx((cmosRead(RTC_CENTURY) << 8) | cmosRead(RTC_YEAR))
      setDx((cmosRead(RTC_MONTH) << 8) | cmosRead(RTC_DAY))
      setAh(0)
      return
    case 0x05: {
      const b = cmosRead(RTC_B)
      cmosWrite(RTC_B, b | B_SET)
      cmosWrite(RTC_CENTURY, ch())
      cmosWrite(RTC_YEAR, cl())
      cmosWrite(RTC_MONTH, dh())
      cmosWrite(RTC_DAY, dl())
      cmosWrite(RTC_B, b & ~B_SET)
      setAh(0)
      return
    }
    case 0x06: {
      const b = cmosRead(RTC_B)
      if (b & B_AIE) {
        setCarry(true) // an alarm is set already
        return
      }
      cmosWrite(RTC_HOURS_ALARM, ch())
      cmosWrite(RTC_MINUTES_ALARM, cl())
      cmosWrite(RTC_SECONDS_ALARM, dh())
      unmaskClock()
      cmosWrite(RTC_B, (b & ~B_SET) | B_AIE)
      setAh(0)
      return
    }
    case 0x07:
      cmosWrite(RTC_B, cmosRead(RTC_B) & ~B_AIE)
      setAh(0)
      return
    default:
      setCarry(true)
      return
  }
}
