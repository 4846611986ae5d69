// What is on PCI bus 0, and to whom an access within a decoded range goes.
//
//   00.0  8086:1237  host bridge, 82441FX (290549)
//   01.0  8086:7000  ISA bridge, 82371SB (PIIX3, 290550)
//   01.1  8086:7010  IDE interface of the PIIX3: the channels at the AT's ports, bus master registers in BAR4
//   01.3  8086:7113  power management of the 82371AB (PIIX4, 290562): its I/O range is at PMBA
//   02.0  1234:1111  VGA
//
// A device that gets a range of its own takes a number here, gives it to pciBar(), and is called by the four
// functions at the end: offset within the range, 1, 2 or 4 bytes (memory: 8 as well) that lie wholly in it.

import { acpiRead, acpiWrite } from './acpi-pm'
import { busMasterRead, busMasterWrite } from './ide-bus-master'
import { DEV_VGA, HDR_SHADOW, HEADER, MAINTENANCE_DROP_TRACES, VGA_FRAME_BUFFER, VRAM } from '../layout'
import { cpuCount, maintenancePost } from '../machine/smp'
import { busMapChanged } from '../memory/tlb'
import { pirqRoute } from './interrupt-lines'
import {
  BAR_IO,
  BAR_MEMORY,
  BAR_PREFETCH,
  COMMAND_IO,
  COMMAND_MASTER,
  COMMAND_MEMORY,
  NO_SLOT,
  PCI_COMMAND,
  PCI_HEADER_TYPE,
  PCI_STATUS,
  pciBar,
  pciClearable16,
  pciFunction,
  pciInterruptPin,
  pciLoad16,
  pciLoad32,
  pciLoad8,
  pciReset,
  pciSlot,
  pciStore16,
  pciStore32,
  pciStore8,
  pciSubsystem,
  pciWindow,
  pciWindowBase,
  pciWindowsChanged,
  pciWritable16,
  pciWritable32,
  pciWritable8,
} from './pci'
import {
  RANGE_IDE_BUS_MASTER,
  RANGE_PM,
  RANGE_SMBUS,
  RANGE_VGA_FRAMEBUFFER,
  RANGE_VGA_REGISTERS,
} from './pci-layout'
import { turboResetWrite } from './system-control'
import { smbusRead, smbusWrite } from './smbus'
import { vgaWindowRead, vgaWindowWrite } from './vga-window'

// device << 3 | function
export const DEVFN_HOST: u32 = 0x00
export const DEVFN_ISA: u32 = 0x08
export const DEVFN_IDE: u32 = 0x09
export const DEVFN_PM: u32 = 0x0b
export const DEVFN_VGA: u32 = 0x10

export const VGA_FRAMEBUFFER_SIZE: u64 = 0x0100_0000

// 82441FX
const PAM: u32 = 0x59 // u8[7], PAM0-PAM6: two nibbles each, bit 0 read enable, bit 1 write enable
const PAMS: u32 = 7
const SMRAM: u32 = 0x72
const PMCCFG: u32 = 0x50 // u16
const PMCCFG_WSC: u32 = 0x8000 // write snoop complete protocol, for machines with an I/O APIC
const DBC: u32 = 0x53 // then AXC, DRT (u16): what times the memory
const DRAMC: u32 = 0x57
const DRAMT: u32 = 0x58
const DRB: u32 = 0x60 // u8[8], end of each row in units of 8 MiB; the firmware fills them
const DRBS: u32 = 8
const MTT: u32 = 0x70
const CLT: u32 = 0x71
const ERRCMD: u32 = 0x90
const TRC: u32 = 0x93
const TRC_WRITABLE: u32 = 0x06 // RCPU, SHRE
// PIIX3 ISA bridge
const PIRQRC: u32 = 0x60 // u8[4]
const IORT: u32 = 0x4c
const XBCS: u32 = 0x4e
const TOM: u32 = 0x69
// PIIX3 IDE
const IDETIM: u32 = 0x40 // u16 primary, secondary; bit 15: the channel's AT ports are decoded
const SIDETIM: u32 = 0x44
const IDETIM_DECODE: u32 = 0x8000
// PIIX4 power management
export const PM_PMBA: u32 = 0x40 // u32, bits 15-6
export const PM_PMREGMISC: u32 = 0x80 // bit 0: decode the range at PMBA
const PM_DEVACTB: u32 = 0x58 // u32
const DEVACTB_APMC_EN: u32 = 0x02000000 // a write of the APM control port raises an SMI
const PM_RANGE: u64 = 64
export const PM_SMBBA: u32 = 0x90 // u32, bits 15-4
export const PM_SMBHSTCFG: u32 = 0xd2 // bit 0: decode the range at SMBBA; bits 3-1: interrupt, 100b is IRQ 9, 000b SMI#
const SMB_RANGE: u64 = 16
const SMB_IRQ9: u32 = 0x08
const SMB_INTERRUPT: u32 = 0x0e

/** Power-on: every function as it is before the firmware has placed anything. */
export function pciDevicesReset(): void {
  pciReset()
  hostBridge()
  isaBridge()
  ide()
  powerManagement()
  vga()
}

/**
 * 82441FX: memory and mastering are wired on (3.2.4). What times the memory (3.2.13-3.2.22) is kept as it is written; there are no
 * holes in it (FDHC, 68h, stays 0).
 */
function hostBridge(): void {
  const slot = pciFunction(DEVFN_HOST, 0x12378086, 0x06000002)
  pciStore16(slot, PCI_COMMAND, COMMAND_MEMORY | COMMAND_MASTER)
  pciWritable16(slot, PCI_COMMAND, 0x0140) // SERR#, parity
  pciStore16(slot, PCI_STATUS, 0x0280)
  pciClearable16(slot, PCI_STATUS, 0xf900)
  pciWritable16(slot, PMCCFG, PMCCFG_WSC)
  pciStore8(slot, DBC, 0x80)
  pciStore8(slot, DRAMC, 0x01)
  pciStore8(slot, DRAMT, 0x10)
  pciStore8(slot, CLT, 0x10)
  for (let at = DBC; at <= DRAMT; at++) pciWritable8(slot, at, 0xff)
  for (let row: u32 = 0; row < DRBS; row++) {
    pciStore8(slot, DRB + row, 0x01)
    pciWritable8(slot, DRB + row, 0xff)
  }
  pciWritable8(slot, MTT, 0xff)
  pciWritable8(slot, CLT, 0xff)
  pciWritable8(slot, ERRCMD, 0xff)
  pciWritable8(slot, TRC, TRC_WRITABLE)
  for (let i: u32 = 0; i < PAMS; i++) pciWritable8(slot, PAM + i, i == 0 ? 0x30 : 0x33)
  // SMRAM control (3.2.23): without system management mode it is neither opened nor locked.
  pciStore8(slot, SMRAM, 0x02)
  pciWritable8(slot, SMRAM, 0x28)
  pciSubsystem(slot, 0x11001af4)
  store<u32>(HEADER, 0, HDR_SHADOW)
}

/** The PAM registers are written: what of C0000h-FFFFFh is RAM, for reads and for writes (82441FX 3.2.18). */
function shadowChanged(slot: u32): void {
  // PAM0's high nibble is F0000h-FFFFFh, the others' nibbles are 16 KiB each from C0000h on.
  const system = pciLoad8(slot, PAM) >> 4
  let reads: u32 = system & 1 ? 0xf000 : 0
  let writes: u32 = system & 2 ? 0xf000 : 0
  for (let segment: u32 = 0; segment < 12; segment++) {
    const nibble = pciLoad8(slot, PAM + 1 + (segment >> 1)) >> ((segment & 1) << 2)
    reads |= (nibble & 1) << segment
    writes |= ((nibble >> 1) & 1) << segment
  }
  const shadow = reads | (writes << 16)
  if (shadow == load<u32>(HEADER, HDR_SHADOW)) return
  store<u32>(HEADER, shadow, HDR_SHADOW)
  busMapChanged()
  for (let index: u32 = 0; index < cpuCount(); index++) maintenancePost(index, MAINTENANCE_DROP_TRACES)
}

/** 82371SB, function 0: I/O, memory and mastering are wired on (2.2.3). */
function isaBridge(): void {
  const slot = pciFunction(DEVFN_ISA, 0x70008086, 0x06010000)
  pciStore8(slot, PCI_HEADER_TYPE, 0x80) // one device with several functions
  pciStore16(slot, PCI_COMMAND, COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER)
  pciClearable16(slot, PCI_STATUS, 0x7900)
  pciStore8(slot, IORT, 0x4d)
  pciWritable8(slot, IORT, 0x7f)
  pciStore16(slot, XBCS, 0x0003)
  pciWritable16(slot, XBCS, 0x01ff)
  pciStore32(slot, PIRQRC, 0x80808080)
  pciWritable32(slot, PIRQRC, 0x8f8f8f8f)
  pciStore8(slot, TOM, 0x02)
  pciWritable8(slot, TOM, 0xfe)
  pciSubsystem(slot, 0x11001af4)
}

/** 82371SB, function 1. Both channels decode their ports from the start: the firmware finds them so. */
function ide(): void {
  const slot = pciFunction(DEVFN_IDE, 0x70108086, 0x01018000)
  pciStore16(slot, PCI_STATUS, 0x0280)
  pciClearable16(slot, PCI_STATUS, 0x3800)
  pciBar(slot, 4, BAR_IO, 16, RANGE_IDE_BUS_MASTER)
  pciWritable16(slot, PCI_COMMAND, COMMAND_MASTER)
  pciStore16(slot, PCI_COMMAND, COMMAND_IO)
  pciStore32(slot, IDETIM, 0x80008000)
  pciWritable32(slot, IDETIM, 0xf3fff3ff)
  pciWritable8(slot, SIDETIM, 0xff)
  pciSubsystem(slot, 0x11001af4)
}

/** 82371AB, function 3: power management; its interrupt is the SCI, IRQ 9 by wire. */
function powerManagement(): void {
  const slot = pciFunction(DEVFN_PM, 0x71138086, 0x06800003)
  pciStore16(slot, PCI_STATUS, 0x0280)
  pciInterruptPin(slot, 1)
  pciWritable16(slot, PCI_COMMAND, COMMAND_IO)
  pciStore32(slot, PM_PMBA, 1)
  pciWritable32(slot, PM_PMBA, 0xffc0)
  pciWritable8(slot, PM_PMREGMISC, 1)
  pciStore32(slot, PM_SMBBA, 1)
  pciWritable32(slot, PM_SMBBA, 0xfff0)
  // SMBHSTCFG, SMBSLVC and its two shadow addresses (7.1.29 and on)
  pciWritable16(slot, PM_SMBHSTCFG, 0xff0f)
  pciWritable16(slot, PM_SMBHSTCFG + 2, 0xffff)
  // There is no system management mode. To firmware that brings a handler along this bit, found set, says that one is in
  // place already: it installs none and does not wait for an answer to its first SMI. (SeaBIOS, src/fw/smm.c.)
  pciStore32(slot, PM_DEVACTB, DEVACTB_APMC_EN)
  pciSubsystem(slot, 0x11001af4)
}

function vga(): void {
  const slot = pciFunction(DEVFN_VGA, 0x11111234, 0x03000002)
  pciBar(slot, 0, BAR_MEMORY | BAR_PREFETCH, VGA_FRAMEBUFFER_SIZE, RANGE_VGA_FRAMEBUFFER)
  pciBar(slot, 2, BAR_MEMORY, 0x1000, RANGE_VGA_REGISTERS)
  pciWritable16(slot, PCI_COMMAND, COMMAND_IO | COMMAND_MASTER)
  pciStore16(slot, PCI_COMMAND, COMMAND_IO | COMMAND_MEMORY) // the AT's ranges answer before anybody asks
  pciSubsystem(slot, 0x11001af4)
}

/** Software has written bytes [at, end) of a configuration space. */
export function pciConfigWritten(slot: u32, devfn: u32, at: u32, end: u32): void {
  if (devfn == DEVFN_HOST) {
    if (at < PAM + PAMS && end > PAM) shadowChanged(slot)
    if (at <= TRC && end > TRC) turboResetWrite(pciLoad8(slot, TRC))
  } else if (devfn == DEVFN_ISA) {
    for (let pirq: u32 = 0; pirq < 4; pirq++) {
      if (at <= PIRQRC + pirq && PIRQRC + pirq < end) pirqRoute(pirq, pciLoad8(slot, PIRQRC + pirq))
    }
  } else if (devfn == DEVFN_PM) {
    const base = (at < PM_PMBA + 4 && end > PM_PMBA) || (at < PM_SMBBA + 4 && end > PM_SMBBA)
    const decoded = (at <= PM_PMREGMISC && end > PM_PMREGMISC) || (at <= PM_SMBHSTCFG && end > PM_SMBHSTCFG)
    if (base || decoded) pciWindowsChanged()
  }
}

/** Ranges that are not placed by a BAR. */
export function pciFixedWindows(): void {
  const slot = pciSlot(DEVFN_PM)
  if (slot == NO_SLOT) return
  if (pciLoad8(slot, PM_PMREGMISC) & 1)
    pciWindow(slot, true, pciLoad32(slot, PM_PMBA) & 0xffc0, PM_RANGE, RANGE_PM)
  if (pciLoad8(slot, PM_SMBHSTCFG) & 1)
    pciWindow(slot, true, pciLoad32(slot, PM_SMBBA) & 0xfff0, SMB_RANGE, RANGE_SMBUS)
}

/** Whether the SMBus host controller's interrupt is IRQ 9. */
export function smbusInterruptIsIrq9(): bool {
  return (pciLoad8(pciSlot(DEVFN_PM), PM_SMBHSTCFG) & SMB_INTERRUPT) == SMB_IRQ9
}

/** What is decoded has changed: for those who have to know without looking it up each time. */
export function pciPlaced(): void {
  const base = pciWindowBase(RANGE_VGA_FRAMEBUFFER)
  store<u32>(DEV_VGA, base == u64.MAX_VALUE ? 0 : <u32>base, VGA_FRAME_BUFFER)
}

/** Whether the IDE interface answers at the AT's ports of `channel` (0, 1). */
export function ideDecodes(channel: u32): bool {
  const slot = pciSlot(DEVFN_IDE)
  if (!(pciLoad16(slot, PCI_COMMAND) & COMMAND_IO)) return false
  return (pciLoad16(slot, IDETIM + channel * 2) & IDETIM_DECODE) != 0
}

/** Whether the VGA answers at 3B0h-3DFh. */
export function vgaDecodesPorts(): bool {
  return (pciLoad16(pciSlot(DEVFN_VGA), PCI_COMMAND) & COMMAND_IO) != 0
}

/** Whether the VGA answers at A0000h-BFFFFh. */
export function vgaDecodesMemory(): bool {
  return (pciLoad16(pciSlot(DEVFN_VGA), PCI_COMMAND) & COMMAND_MEMORY) != 0
}

// ---------------------------------------------------------------------------------------------------------
// Dispatch

/** All ones in `size` bytes: what a range without a device behind it reads. */
function ones(size: u32): u32 {
  return size == 4 ? 0xffffffff : (1 << (size << 3)) - 1
}

export function rangePortRead(range: u32, offset: u32, size: u32, now: u64): u32 {
  switch (range) {
    case RANGE_IDE_BUS_MASTER: {
      let value: u32 = 0
      for (let i: u32 = 0; i < size; i++) value |= busMasterRead(offset + i) << (i << 3)
      return value
    }
    case RANGE_PM:
      return acpiRead(offset, size, now)
    case RANGE_SMBUS: {
      let value: u32 = 0
      for (let i: u32 = 0; i < size; i++) value |= smbusRead(offset + i) << (i << 3)
      return value
    }
    default:
      return ones(size)
  }
}

export function rangePortWrite(range: u32, offset: u32, size: u32, value: u32, now: u64): void {
  switch (range) {
    case RANGE_IDE_BUS_MASTER:
      // The table pointer is whole before the command byte can start the engine: bytes go in order
      for (let i: u32 = 0; i < size; i++) busMasterWrite(offset + i, (value >> (i << 3)) & 0xff, now)
      return
    case RANGE_PM:
      acpiWrite(offset, size, value, now)
      return
    case RANGE_SMBUS:
      for (let i: u32 = 0; i < size; i++) smbusWrite(offset + i, (value >> (i << 3)) & 0xff, now)
      return
    default:
      return
  }
}

export function rangeMemoryRead(range: u32, offset: u64, size: u32, now: u64): u64 {
  switch (range) {
    case RANGE_VGA_FRAMEBUFFER: {
      const at = VRAM + <usize>offset
      return size == 8 ? load<u64>(at) : size == 4 ? load<u32>(at) : size == 2 ? load<u16>(at) : load<u8>(at)
    }
    case RANGE_VGA_REGISTERS:
      return vgaWindowRead(<u32>offset, size, now)
    default:
      return size == 8 ? u64.MAX_VALUE : ones(size)
  }
}

export function rangeMemoryWrite(range: u32, offset: u64, size: u32, value: u64, now: u64): void {
  switch (range) {
    case RANGE_VGA_FRAMEBUFFER: {
      const at = VRAM + <usize>offset
      if (size == 8) store<u64>(at, value)
      else if (size == 4) store<u32>(at, <u32>value)
      else if (size == 2) store<u16>(at, <u16>value)
      else store<u8>(at, <u8>value)
      return
    }
    case RANGE_VGA_REGISTERS:
      vgaWindowWrite(<u32>offset, size, value)
      return
    default:
      return
  }
}
