// INT 15h: memory map, A20, waiting, block move, configuration.
import { portRead, portWrite } from '../chipset/bus'
import { ram } from '../cpu/context'
import {
  CPU_RAX,
  CPU_RBX,
  CPU_RCX,
  CPU_RDX,
  HDR_A20,
  HDR_RAM_SIZE,
  HEADER,
  SEG_ES,
  STOP_POWER_OFF,
} from '../layout'
import { machineStop } from '../machine/stop'
import { frameWritten, physicalRead8, physicalWrite8 } from '../memory/physical'
import { BDA_WAIT_ACTIVE, BDA_WAIT_COUNT, BDA_WAIT_FLAG, EBDA, EBDA_SEGMENT } from './bda'
import {
  ah,
  al,
  bda8,
  bx,
  cx,
  di,
  dx,
  guestRead16,
  guestRead8,
  guestWrite32,
  guestWrite64,
  linear,
  register32,
  selector,
  setAh,
  setAx,
  setBda32,
  setBda8,
  setBx,
  setCarry,
  setCx,
  setDx,
  setRegister32,
  setSelector,
  si,
} from './guest'
import { mouseService } from './int15-mouse'
import { clockPeriodic } from './int1a-time'
import { ROM_CODE_SEGMENT, ROM_CONFIGURATION } from './rom-layout'

const UNSUPPORTED: u32 = 0x86
const SMAP: u32 = 0x534d4150
const MIB: u64 = 0x100000

/** Where the system ROM begins below 4 GiB, with the room a chipset keeps for it. */
const HIGH_ROM: u64 = 0xfffc0000

const E820_USABLE: u32 = 1
const E820_RESERVED: u32 = 2

export function int15(): void {
  setCarry(false)
  switch (ah()) {
    case 0x24:
      gateA20()
      return
    case 0x4f: // keyboard intercept: nothing changed, go on (CF set)
      setCarry(true)
      return
    case 0x53:
      powerManagement()
      return
    case 0x80: // device open, close, end of program; SysReq; device busy, ready: nobody hooked them
    case 0x81:
    case 0x82:
    case 0x85:
    case 0x90:
    case 0x91:
      setAh(0)
      return
    case 0x83:
      eventWait()
      return
    case 0x86:
      wait()
      return
    case 0x87:
      blockMove()
      return
    case 0x88:
      extendedMemory()
      return
    case 0xc0:
      setSelector(SEG_ES, ROM_CODE_SEGMENT)
      setBx(ROM_CONFIGURATION)
      setAh(0)
      return
    case 0xc1:
      setSelector(SEG_ES, EBDA_SEGMENT)
      return
    case 0xc2:
      mouseService()
      return
    case 0xe8:
      bigMemory()
      return
    default:
      unsupported()
      return
  }
}

function unsupported(): void {
  setAh(UNSUPPORTED)
  setCarry(true)
}

// ---------------------------------------------------------------------------------------------------------
// A20: port 92h is the fast gate, the 8042's output port the other

function gateA20(): void {
  switch (al()) {
    case 0x00:
      portWrite(0x92, 1, portRead(0x92, 1) & 0xfc)
      // The 8042 may hold the line open too: command DDh closes its gate.
      if (load<u32>(HEADER, HDR_A20)) portWrite(0x64, 1, 0xdd)
      break
    case 0x01:
      portWrite(0x92, 1, (portRead(0x92, 1) & 0xfe) | 2)
      if (!load<u32>(HEADER, HDR_A20)) portWrite(0x64, 1, 0xdf)
      break
    case 0x02:
      setAx(load<u32>(HEADER, HDR_A20))
      return
    case 0x03:
      setBx(0x0003) // 8042 and port 92h
      break
    default:
      unsupported()
      return
  }
  setAh(0)
}

// ---------------------------------------------------------------------------------------------------------
// Waiting

/** Starts the clock's periodic interrupt for `microseconds`; IRQ 8 counts and raises bit 7 at segment:offset. */
function startWait(microseconds: u32, segment: u32, offset: u32): void {
  setBda32(BDA_WAIT_FLAG, (segment << 16) | offset)
  setBda32(BDA_WAIT_COUNT, microseconds)
  setBda8(BDA_WAIT_ACTIVE, 0x01)
  clockPeriodic(true)
}

/** AH = 83h: AL = 0 sets a wait of CX:DX microseconds that raises bit 7 of the byte at ES:BX, AL = 1 takes it back. */
function eventWait(): void {
  if (al() == 1) {
    setBda8(BDA_WAIT_ACTIVE, 0)
    clockPeriodic(false)
    setAh(0)
    return
  }
  if (al() != 0 || bda8(BDA_WAIT_ACTIVE) & 1) {
    setAh(0)
    setCarry(true)
    return
  }
  startWait((cx() << 16) | dx(), selector(SEG_ES), bx())
  setAh(0)
}

/** AH = 86h: the stub sleeps until IRQ 8 has counted CX:DX microseconds. CF: another wait is under way. */
function wait(): void {
  if (bda8(BDA_WAIT_ACTIVE) & 1) {
    setAh(0x83)
    setCarry(true)
    return
  }
  startWait((cx() << 16) | dx(), 0x40, BDA_WAIT_ACTIVE)
}

// ---------------------------------------------------------------------------------------------------------
// Memory

function ramSize(): u64 {
  return load<u32>(HEADER, HDR_RAM_SIZE)
}

/** KiB above 1 MiB. */
function extendedKib(): u32 {
  const size = ramSize()
  return size > MIB ? <u32>((size - MIB) >> 10) : 0
}

/** AX = KiB above 1 MiB, at most 63 MiB, the answer of every BIOS since memory outgrew the word. */
function extendedMemory(): void {
  const kib = extendedKib()
  setAx(min<u32>(kib, 63 * 1024))
}

function bigMemory(): void {
  switch (al()) {
    case 0x01:
    case 0x81: {
      // AX, CX: KiB from 1 to 16 MiB; BX, DX: 64 KiB blocks above 16 MiB
      const kib = extendedKib()
      const low: u32 = min<u32>(kib, 15 * 1024)
      const high: u32 = kib > 15 * 1024 ? (kib - 15 * 1024) >> 6 : 0
      if (al() == 0x81) {
        setRegister32(CPU_RAX, low)
        setRegister32(CPU_RBX, high)
        setRegister32(CPU_RCX, low)
      } else {
        setAx(low)
        setBx(high)
        setCx(low)
      }
      setDx(high)
      return
    }
    case 0x20:
      memoryMap()
      return
    default:
      unsupported()
      return
  }
}

let entryBase: u64 = 0
let entryEnd: u64 = 0
let entryType: u32 = 0

/** Entry `index` of the memory map into entryBase, entryEnd, entryType; false behind the last one. */
function mapEntry(index: u32): bool {
  const size = ramSize()
  const base = size < 0xa0000 ? size - 0x400 : <u64>EBDA
  const above = size > MIB
  entryType = E820_RESERVED
  switch (index) {
    case 0:
      entryBase = 0
      entryEnd = base
      entryType = E820_USABLE
      return true
    case 1:
      entryBase = base
      entryEnd = base + 0x400
      return true
    case 2:
      entryBase = 0xe0000
      entryEnd = MIB
      return true
    case 3:
      if (!above) break
      entryBase = MIB
      entryEnd = size < HIGH_ROM ? size : HIGH_ROM
      entryType = E820_USABLE
      return true
    default:
  }
  if (index != (above ? 4 : 3)) return false
  entryBase = HIGH_ROM
  entryEnd = 0x100000000
  return true
}

/** AX = E820h (ACPI 6.5, 15.1): EBX continuation, ECX room, ES:DI entry, EDX 'SMAP'. */
function memoryMap(): void {
  const index = register32(CPU_RBX)
  const room = register32(CPU_RCX)
  if (register32(CPU_RDX) != SMAP || room < 20 || !mapEntry(index)) {
    unsupported()
    return
  }
  const at = linear(SEG_ES, di())
  guestWrite64(at, entryBase)
  guestWrite64(at + 8, entryEnd - entryBase)
  guestWrite32(at + 16, entryType)
  const wide = room >= 24
  if (wide) guestWrite32(at + 20, 1) // extended attributes: the entry counts
  setRegister32(CPU_RAX, SMAP)
  setRegister32(CPU_RCX, wide ? 24 : 20)
  setRegister32(CPU_RBX, mapEntry(index + 1) ? index + 1 : 0)
}

/** One byte of guest memory with address line 20 on, as the block move has it. */
function moveByte(source: u64, target: u64): void {
  const size = ramSize()
  const value =
    source >= MIB && source < size
      ? load<u8>(ram + <usize>source)
      : source < MIB
        ? physicalRead8(source)
        : 0xff
  if (target < MIB) physicalWrite8(target, value)
  else if (target < size) store<u8>(ram + <usize>target, value)
}

/** Physical base in the descriptor at linear `at`. */
function descriptorBase(at: u64): u64 {
  return guestRead16(at + 2) | (guestRead8(at + 4) << 16) | (guestRead8(at + 7) << 24)
}

/** AH = 87h: CX words from the descriptor at ES:SI+10h to the one at ES:SI+18h. */
function blockMove(): void {
  const table = linear(SEG_ES, si())
  const words = cx()
  if (words > 0x8000) {
    setAh(0x02)
    setCarry(true)
    return
  }
  const source = descriptorBase(table + 0x10)
  const target = descriptorBase(table + 0x18)
  const length = words * 2
  for (let i: u32 = 0; i < length; i++) moveByte(source + i, target + i)
  // frameWritten counts in addresses as the processor sees them: with A20 masked the odd mebibytes are out of reach.
  const a20 = load<u32>(HEADER, HDR_A20)
  store<u32>(HEADER, 1, HDR_A20)
  if (target >= MIB && target < ramSize()) {
    const left = ramSize() - target
    frameWritten(target, <u64>length < left ? length : <u32>left)
  }
  store<u32>(HEADER, a20, HDR_A20)
  setAh(0)
}

// ---------------------------------------------------------------------------------------------------------
// Advanced power management 1.2, the real-mode interface: enough to switch the machine off

function powerManagement(): void {
  switch (al()) {
    case 0x00: // installation check: version 1.2, 'PM', no 32-bit interface
      setAx(0x0102)
      setBx(0x504d)
      setCx(0)
      return
    case 0x01: // connect, disconnect, CPU idle and busy, enable, driver version
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x08:
    case 0x0d:
    case 0x0f:
      setAh(0)
      return
    case 0x0e:
      setAx(0x0102)
      return
    case 0x07:
      if (bx() == 1 && cx() == 3) machineStop(STOP_POWER_OFF, 0)
      setAh(0)
      return
    default:
      setAh(0x0c)
      setCarry(true)
      return
  }
}
