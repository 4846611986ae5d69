// The firmware's services: what the ROM's stubs (emulator/firmware/rom) call with the instruction 0F 3F ib.
//
// A service works on the caller's registers in the vCPU block and on guest memory, takes no guest time and never
// waits for the guest. Where the interface waits (a key, a timer), it answers "nothing yet" in CF and the ROM
// sleeps with STI and HLT, so that interrupts are taken and the machine's clock goes on.
//
// Whatever the guest did to its memory or registers, a service answers; it can fail, it cannot trap. Behind
// every address from the guest stands the physical map of memory/physical.ts.
import { cpu } from '../cpu/context'
import {
  CLIMB_BIOS,
  CPU_FAULT_RIP,
  CPU_RAX,
  CPU_RBX,
  CPU_RCX,
  CPU_RDX,
  EVENT_CLASS_BIOS,
  EVENT_KIND_BIOS,
} from '../layout'
import { milestoneOutside } from '../machine/climb'
import { event } from '../machine/events'
import { chipsetLock, chipsetUnlock } from '../machine/lock'
import { bootAgain, bootStart, bootTry } from './boot'
import { unhandledException } from './exceptions'
import { setCarry, stackWord } from './guest'
import { int10 } from './int10-video'
import { int11, int12 } from './int11-equipment'
import { int13 } from './int13-disk'
import { int14 } from './int14-serial'
import { mouseByte } from './int15-mouse'
import { int15 } from './int15-system'
import { int16 } from './int16-keyboard'
import { int17 } from './int17-printer'
import { int1a } from './int1a-time'
import { keyboardByte } from './irq1-keyboard'
import { virtualWire } from './virtual-wire'
import { banner, resume, setUpTables } from './power-on'
import {
  SERVICE_BANNER,
  SERVICE_BOOT,
  SERVICE_BOOT_AGAIN,
  SERVICE_BOOT_START,
  SERVICE_EXCEPTION,
  SERVICE_KEY,
  SERVICE_PROCESSOR,
  SERVICE_MOUSE,
  SERVICE_READY,
  SERVICE_RESUME,
  SERVICE_TABLES,
} from './rom-layout'

/**
 * Executes service `service` (0-FFh) for the running vCPU: an interrupt number below 20h, else SERVICE_*.
 * CPU_RIP is already behind the instruction, CPU_RFLAGS is exact and may be changed. Unknown numbers set CF.
 */
export function biosCall(service: u32): void {
  if (service < 0x20) {
    const registers =
      <u64>load<u16>(cpu, CPU_RAX) |
      ((<u64>load<u16>(cpu, CPU_RBX)) << 16) |
      ((<u64>load<u16>(cpu, CPU_RCX)) << 32) |
      ((<u64>load<u16>(cpu, CPU_RDX)) << 48)
    event(EVENT_CLASS_BIOS, EVENT_KIND_BIOS, service, registers, stackWord(0) | (stackWord(1) << 16))
  }
  chipsetLock()
  serve(service)
  chipsetUnlock()
}

function serve(service: u32): void {
  switch (service) {
    case 0x10:
      int10()
      return
    case 0x11:
      int11()
      return
    case 0x12:
      int12()
      return
    case 0x13:
      int13()
      return
    case 0x14:
      int14()
      return
    case 0x15:
      int15()
      return
    case 0x16:
      int16()
      return
    case 0x17:
      int17()
      return
    case 0x1a:
      int1a()
      return
    case SERVICE_PROCESSOR:
      virtualWire()
      return
    case SERVICE_RESUME:
      setCarry(!resume())
      return
    case SERVICE_TABLES:
      setUpTables()
      return
    case SERVICE_BANNER:
      banner()
      return
    case SERVICE_READY:
      milestoneOutside(CLIMB_BIOS, load<u64>(cpu, CPU_FAULT_RIP), 0)
      return
    case SERVICE_BOOT:
      bootTry()
      return
    case SERVICE_BOOT_START:
      bootStart()
      return
    case SERVICE_BOOT_AGAIN:
      bootAgain()
      return
    case SERVICE_KEY:
      keyboardByte()
      return
    case SERVICE_MOUSE:
      mouseByte()
      return
    case SERVICE_EXCEPTION:
      unhandledException()
      return
    default:
      setCarry(true)
  }
}
