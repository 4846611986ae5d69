// What POST does to the PCI bus: a place for every base address register, routes for the interrupts, decoding on. By
// configuration accesses alone, as any firmware does it.
import { portRead, portWrite } from '../chipset/bus'
import { HDR_CPU_COUNT, HDR_RAM_SIZE, HEADER } from '../layout'

const ADDRESS: u32 = 0xcf8
const DATA: u32 = 0xcfc
const ENABLE: u32 = 0x80000000
const ELCR: u32 = 0x4d0

// Configuration registers (PCI 2.1, 6.1; 82371SB 2.2; 82371AB 7.1)
const COMMAND: u32 = 0x04
const HEADER_TYPE: u32 = 0x0c
const BAR0: u32 = 0x10
const INTERRUPT: u32 = 0x3c
const PIRQRC: u32 = 0x60
const PMBA: u32 = 0x40
const PMREGMISC: u32 = 0x80
const SMBBA: u32 = 0x90
const SMBHSTCFG: u32 = 0xd2

const HOST_BRIDGE: u32 = 0x00
const PMCCFG: u32 = 0x50
const PMCCFG_WSC: u32 = 0x8000
const DRB: u32 = 0x60
/** Units of 8 MiB in a row of memory (256 MiB), and the most an end can say. */
const ROW: u32 = 32
const ROW_END_MAX: u32 = 255

const ISA_BRIDGE: u32 = 0x08
const POWER_MANAGEMENT: u32 = 0x0b
const ID_POWER_MANAGEMENT: u32 = 0x71138086

/** First I/O range given out; those below belong to the board. */
const IO_FIRST: u32 = 0xc000
/** Ranges of a MiB and more, and smaller ones. */
const LARGE_FIRST: u64 = 0xfd000000
const SMALL_FIRST: u64 = 0xfebf0000
const SMALL_END: u64 = 0xfec00000
const LARGE: u64 = 0x100000
/** The power management's ports: where QEMU's PIIX4 has them, and kernels that know only one machine look. */
export const PM_BASE: u32 = 0x600
/** The SMBus host controller's ports, as SeaBIOS places them. */
const SMB_BASE: u32 = 0x700
/** IRQs of PIRQA-PIRQD, level-triggered. */
const ROUTES: u32 = 0x0b0b0a0a
/** IRQ 9 (the SCI), 10 and 11 in ELCR2 */
const LEVEL_IRQS: u32 = 0x0e

function read32(devfn: u32, at: u32): u32 {
  portWrite(ADDRESS, 4, ENABLE | (devfn << 8) | at)
  return portRead(DATA, 4)
}

function write32(devfn: u32, at: u32, value: u32): void {
  portWrite(ADDRESS, 4, ENABLE | (devfn << 8) | at)
  portWrite(DATA, 4, value)
}

function write8(devfn: u32, at: u32, value: u32): void {
  portWrite(ADDRESS, 4, ENABLE | (devfn << 8) | (at & 0xfc))
  portWrite(DATA + (at & 3), 1, value)
}

let ioNext: u32 = 0
let largeNext: u64 = 0
let smallNext: u64 = 0

/** Where each of the eight rows of memory ends, up to 2 GiB, and the bus protocol for an I/O APIC (82441FX 3.2.11, 3.2.19). */
function hostBridge(): void {
  const units = max<u32>(load<u32>(HEADER, HDR_RAM_SIZE) >> 23, 1)
  for (let half: u32 = 0; half < 2; half++) {
    let ends: u32 = 0
    for (let row: u32 = 0; row < 4; row++)
      ends |= min<u32>(min<u32>(units, (half * 4 + row + 1) * ROW), ROW_END_MAX) << (row * 8)
    write32(HOST_BRIDGE, DRB + half * 4, ends)
  }
  if (load<u32>(HEADER, HDR_CPU_COUNT) > 1)
    write32(HOST_BRIDGE, PMCCFG, read32(HOST_BRIDGE, PMCCFG) | PMCCFG_WSC)
}

export function pciSetUp(): void {
  hostBridge()
  ioNext = IO_FIRST
  largeNext = LARGE_FIRST
  smallNext = SMALL_FIRST
  write32(ISA_BRIDGE, PIRQRC, ROUTES)
  portWrite(ELCR + 1, 1, LEVEL_IRQS)
  for (let devfn: u32 = 0; devfn < 0x100; devfn++) {
    const id = read32(devfn, 0)
    if (id == 0xffffffff) {
      if (!(devfn & 7)) devfn += 7 // no function 0, no device
      continue
    }
    placeFunction(devfn)
    if (id == ID_POWER_MANAGEMENT && devfn == POWER_MANAGEMENT) {
      write32(devfn, PMBA, PM_BASE | 1)
      write32(devfn, PMREGMISC, 1)
      write32(devfn, SMBBA, SMB_BASE | 1)
      write8(devfn, SMBHSTCFG, 0x09) // decode, IRQ 9
    }
    // Of a device with one function the others are not asked for.
    if (!(devfn & 7) && !(read32(devfn, HEADER_TYPE) & 0x800000)) devfn += 7
  }
}

function placeFunction(devfn: u32): void {
  let enable: u32 = 0
  for (let index: u32 = 0; index < 6; index++) {
    const at = BAR0 + index * 4
    write32(devfn, at, 0xffffffff)
    const mask = read32(devfn, at)
    if (mask == 0) continue
    if (mask & 1) {
      const size = ~(mask & 0xfffc) + 1
      ioNext = (ioNext + (size & 0xffff) - 1) & mask & 0xfffc
      write32(devfn, at, ioNext)
      ioNext += size & 0xffff
      enable |= 1
      continue
    }
    const wide = (mask & 6) == 4
    const size: u64 = <u64>~(mask & 0xfffffff0) + 1
    const base = placeMemory(size)
    write32(devfn, at, <u32>base)
    if (wide) {
      write32(devfn, at + 4, 0)
      index++
    }
    if (base) enable |= 2
  }
  const pin = (read32(devfn, INTERRUPT) >> 8) & 0xff
  if (pin) {
    const pirq = (pin - 1 + (devfn >> 3) + 3) & 3
    // The power management's pin is not INTA#: its interrupt is the SCI.
    const irq = devfn == POWER_MANAGEMENT ? 9 : (ROUTES >> (pirq * 8)) & 0xff
    write32(devfn, INTERRUPT, irq)
  }
  write32(devfn, COMMAND, (read32(devfn, COMMAND) & 0xffff) | enable)
}

/** Room for `size` bytes, aligned to their number; 0 when there is none left. */
function placeMemory(size: u64): u64 {
  if (size >= LARGE) {
    const base = (largeNext + size - 1) & ~(size - 1)
    if (base + size > SMALL_FIRST) return 0
    largeNext = base + size
    return base
  }
  const base = (smallNext + size - 1) & ~(size - 1)
  if (base + size > SMALL_END) return 0
  smallNext = base + size
  return base
}
