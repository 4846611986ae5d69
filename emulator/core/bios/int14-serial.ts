// INT 14h: the serial ports of the BIOS data area, through their 16550A's registers.
import { portRead, portWrite } from '../chipset/bus'
import { BDA_COM } from './bda'
import { ah, al, bda16, cl, ch, bh, bl, dx, setAh, setAl, setAx, setCarry } from './guest'

const UART_DATA: u32 = 0
const UART_IER: u32 = 1
const UART_LCR: u32 = 3
const UART_MCR: u32 = 4
const UART_LSR: u32 = 5
const UART_MSR: u32 = 6

const LSR_DATA_READY: u32 = 0x01
const LSR_ERRORS: u32 = 0x1e
const LSR_HOLDING_EMPTY: u32 = 0x20
const LCR_DLAB: u32 = 0x80
const TIMEOUT: u32 = 0x80

/** CF: AH = 02h found no byte; the stub sleeps until an interrupt and asks again. */
export function int14(): void {
  setCarry(false)
  const port = dx()
  const base: u32 = port < 4 ? bda16(BDA_COM + port * 2) : 0
  if (base == 0) return
  switch (ah()) {
    case 0x00:
      setLine(base, divisor(al() >> 5), al() & 0x1f)
      status(base)
      return
    case 0x01: {
      portWrite(base + UART_MCR, 1, portRead(base + UART_MCR, 1) | 0x03)
      const line = portRead(base + UART_LSR, 1)
      if (!(line & LSR_HOLDING_EMPTY)) {
        setAh(line | TIMEOUT)
        return
      }
      portWrite(base + UART_DATA, 1, al())
      setAh(portRead(base + UART_LSR, 1) & ~TIMEOUT)
      return
    }
    case 0x02: {
      portWrite(base + UART_MCR, 1, portRead(base + UART_MCR, 1) | 0x01)
      const line = portRead(base + UART_LSR, 1)
      if (!(line & LSR_DATA_READY)) {
        setCarry(true)
        return
      }
      setAl(portRead(base + UART_DATA, 1))
      setAh(line & LSR_ERRORS)
      return
    }
    case 0x03:
      status(base)
      return
    case 0x04: {
      // AL break, BH parity, BL stop bits, CH word length, CL speed
      const parity: u32 = bh() == 1 ? 0x08 : bh() == 2 ? 0x18 : bh() == 3 ? 0x28 : bh() == 4 ? 0x38 : 0
      const line = (ch() & 3) | (bl() ? 0x04 : 0) | parity | (al() ? 0x40 : 0)
      setLine(base, divisor(cl()), line)
      status(base)
      return
    }
    case 0x05:
      if (al() == 1) portWrite(base + UART_MCR, 1, bl() & 0x1f)
      status(base)
      return
    default:
      return
  }
}

/** Divisor of 115200 for speed code 0-8: 110, 150, 300, 600, 1200, 2400, 4800, 9600, 19200 baud. */
function divisor(code: u32): u32 {
  if (code == 0) return 1047
  return code >= 8 ? 6 : 1536 >> code
}

function setLine(base: u32, value: u32, line: u32): void {
  portWrite(base + UART_LCR, 1, line | LCR_DLAB)
  portWrite(base + UART_DATA, 1, value & 0xff)
  portWrite(base + UART_IER, 1, value >> 8)
  portWrite(base + UART_LCR, 1, line)
  portWrite(base + UART_IER, 1, 0)
}

/** AH line status, AL modem status. */
function status(base: u32): void {
  setAx((portRead(base + UART_LSR, 1) << 8) | portRead(base + UART_MSR, 1))
}
