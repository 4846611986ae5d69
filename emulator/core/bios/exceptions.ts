// CPU exceptions that arrive at the firmware because the guest has put up no handler. A PC's firmware returns to the
// instruction, which faults again, for ever; here the screen says what happened, and the machine waits with HLT.
import { DEV_BIOS, SEG_SS } from '../layout'
import { guestRead8, linear, setCarry, sp, guestRead16 } from './guest'
import { BIOS_EXCEPTION, BIOS_EXCEPTION_ADDRESS } from './state-layout'
import { print, printHex } from './teletype'

function name(vector: u32): string {
  switch (vector) {
    case 0x00:
      return 'divide error'
    case 0x06:
      return 'invalid opcode'
    case 0x07:
      return 'device not available'
    case 0x0b:
      return 'segment not present'
    case 0x0c:
      return 'stack fault'
    default:
      return 'general protection'
  }
}

/** The stub pushed the vector; below it lie IP, CS, FLAGS. CF: do not return to the program. */
export function unhandledException(): void {
  const stack = sp()
  const vector = guestRead16(linear(SEG_SS, stack))
  const ip = guestRead16(linear(SEG_SS, (stack + 2) & 0xffff))
  const cs = guestRead16(linear(SEG_SS, (stack + 4) & 0xffff))
  setCarry(false)
  // An 8259A that lost its request answers with vector 0Fh (spurious), and 0Ah is the cascade: not exceptions.
  if (vector == 0x0a || vector == 0x0f) return
  // INT n returns behind itself, where a fault returns to the instruction.
  const code: u64 = ((<u64>cs) << 4) + ((ip - 2) & 0xffff)
  if (guestRead8(code) == 0xcd && guestRead8(code + 1) == vector) return
  store<u32>(DEV_BIOS, vector + 1, BIOS_EXCEPTION)
  store<u32>(DEV_BIOS, (cs << 16) | ip, BIOS_EXCEPTION_ADDRESS)
  print('\nCPU exception ')
  printHex(vector, 2)
  print('h (')
  print(name(vector))
  print(') at ')
  printHex(cs, 4)
  print(':')
  printHex(ip, 4)
  print(', and no handler is installed. Stopped.\n')
  setCarry(true)
}
