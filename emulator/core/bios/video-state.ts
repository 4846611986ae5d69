// Saving and restoring what the video hardware and its BIOS know: INT 10h/1Ch and VBE function 04h. The image is our
// own; it goes back through the ports, so whatever a program makes of it, no register holds what it cannot hold.
import { portRead, portWrite } from '../chipset/bus'
import {
  ENABLE_NO_CLEAR,
  VBE_ENABLE,
  VBE_ID,
  VBE_MEMORY_64K,
  vbeRegister,
  vbeRegisterWrite,
} from '../chipset/vbe-dispi'
import { VGA_LATCH, VGA_MISC } from '../chipset/vga'
import { DEV_BIOS, DEV_VGA } from '../layout'
import { physicalRead32, physicalWrite32 } from '../memory/physical'
import {
  bda8,
  guestRead16,
  guestRead32,
  guestRead8,
  guestWrite16,
  guestWrite32,
  guestWrite8,
  setBda8,
} from './guest'
import { BIOS_VBE_MODE } from './state-layout'
import { attributeRead, attributeWrite, crtc, graphicsWrite, sequencerWrite } from './video-modes'

const HARDWARE: u32 = 1
const BIOS_DATA: u32 = 2
const DAC: u32 = 4
const EXTENSION: u32 = 8

/** In blocks of 64 bytes. */
const HARDWARE_BLOCKS: u32 = 2
const BIOS_BLOCKS: u32 = 1
const DAC_BLOCKS: u32 = 13
const EXTENSION_BLOCKS: u32 = 1

/** Blocks of 64 bytes that the parts `what` take. */
export function stateBlocks(what: u32): u32 {
  return (
    (what & HARDWARE ? HARDWARE_BLOCKS : 0) +
    (what & BIOS_DATA ? BIOS_BLOCKS : 0) +
    (what & DAC ? DAC_BLOCKS : 0) +
    (what & EXTENSION ? EXTENSION_BLOCKS : 0)
  )
}

export function stateSave(what: u32, to: u64): void {
  let at = to
  if (what & HARDWARE) {
    saveHardware(at)
    at += HARDWARE_BLOCKS * 64
  }
  if (what & BIOS_DATA) {
    for (let i: u32 = 0; i < 0x1e; i++) guestWrite8(at + i, bda8(0x49 + i))
    for (let i: u32 = 0; i < 7; i++) guestWrite8(at + 0x1e + i, bda8(0x84 + i))
    guestWrite32(at + 0x28, physicalRead32(0x1d * 4))
    guestWrite32(at + 0x2c, physicalRead32(0x1f * 4))
    guestWrite32(at + 0x30, physicalRead32(0x43 * 4))
    at += BIOS_BLOCKS * 64
  }
  if (what & DAC) {
    guestWrite8(at, portRead(0x3c6, 1))
    portWrite(0x3c7, 1, 0)
    for (let i: u32 = 0; i < 768; i++) guestWrite8(at + 4 + i, portRead(0x3c9, 1))
    at += DAC_BLOCKS * 64
  }
  if (what & EXTENSION) {
    for (let i: u32 = 0; i < 11; i++) guestWrite16(at + i * 2, vbeRegister(i))
    guestWrite32(at + 0x18, load<u32>(DEV_BIOS, BIOS_VBE_MODE))
  }
}

/** The extension first: whether it is on decides what the registers and the DAC mean. */
export function stateRestore(what: u32, from: u64): void {
  if (what & EXTENSION) restoreExtension(from + (stateBlocks(what) - EXTENSION_BLOCKS) * 64)
  let at = from
  if (what & HARDWARE) {
    restoreHardware(at)
    at += HARDWARE_BLOCKS * 64
  }
  if (what & BIOS_DATA) {
    for (let i: u32 = 0; i < 0x1e; i++) setBda8(0x49 + i, guestRead8(at + i))
    for (let i: u32 = 0; i < 7; i++) setBda8(0x84 + i, guestRead8(at + 0x1e + i))
    physicalWrite32(0x1d * 4, guestRead32(at + 0x28))
    physicalWrite32(0x1f * 4, guestRead32(at + 0x2c))
    physicalWrite32(0x43 * 4, guestRead32(at + 0x30))
    at += BIOS_BLOCKS * 64
  }
  if (what & DAC) {
    portWrite(0x3c6, 1, guestRead8(at))
    portWrite(0x3c8, 1, 0)
    for (let i: u32 = 0; i < 768; i++) portWrite(0x3c9, 1, guestRead8(at + 4 + i))
  }
}

function saveHardware(at: u64): void {
  guestWrite8(at, load<u8>(DEV_VGA, VGA_MISC))
  guestWrite8(at + 1, portRead(0x3ca, 1))
  guestWrite8(at + 2, portRead(0x3c4, 1))
  guestWrite8(at + 3, portRead(0x3ce, 1))
  guestWrite8(at + 4, portRead(crtc(), 1))
  guestWrite8(at + 5, portRead(0x3c0, 1))
  for (let i: u32 = 0; i < 5; i++) guestWrite8(at + 8 + i, indexed(0x3c4, i))
  for (let i: u32 = 0; i < 9; i++) guestWrite8(at + 16 + i, indexed(0x3ce, i))
  for (let i: u32 = 0; i < 25; i++) guestWrite8(at + 32 + i, indexed(crtc(), i))
  for (let i: u32 = 0; i < 21; i++) guestWrite8(at + 64 + i, attributeRead(i))
  guestWrite32(at + 88, load<u32>(DEV_VGA, VGA_LATCH))
  portWrite(0x3c4, 1, guestRead8(at + 2))
  portWrite(0x3ce, 1, guestRead8(at + 3))
  portWrite(crtc(), 1, guestRead8(at + 4))
}

function indexed(port: u32, index: u32): u32 {
  portWrite(port, 1, index)
  return portRead(port + 1, 1)
}

function restoreHardware(at: u64): void {
  portWrite(0x3c2, 1, guestRead8(at))
  const controller: u32 = guestRead8(at) & 1 ? 0x3d4 : 0x3b4
  for (let i: u32 = 0; i < 5; i++) sequencerWrite(i, guestRead8(at + 8 + i))
  for (let i: u32 = 0; i < 9; i++) graphicsWrite(i, guestRead8(at + 16 + i))
  portWrite(controller, 1, 0x11)
  portWrite(controller + 1, 1, 0) // CRTC 0-7 may be written
  for (let i: u32 = 0; i < 25; i++) {
    portWrite(controller, 1, i)
    portWrite(controller + 1, 1, guestRead8(at + 32 + i))
  }
  for (let i: u32 = 0; i < 21; i++) attributeWrite(i, guestRead8(at + 64 + i))
  store<u32>(DEV_VGA, guestRead32(at + 88), VGA_LATCH)
  portWrite(controller + 6, 1, guestRead8(at + 1))
  portWrite(0x3c4, 1, guestRead8(at + 2))
  portWrite(0x3ce, 1, guestRead8(at + 3))
  portWrite(controller, 1, guestRead8(at + 4))
  // As it was, screen on or off.
  portRead(controller + 6, 1)
  portWrite(0x3c0, 1, guestRead8(at + 5))
  portRead(controller + 6, 1)
}

function restoreExtension(at: u64): void {
  const enable = guestRead16(at + VBE_ENABLE * 2)
  vbeRegisterWrite(VBE_ENABLE, 0)
  for (let i: u32 = VBE_ID; i < VBE_ENABLE; i++) vbeRegisterWrite(i, guestRead16(at + i * 2))
  vbeRegisterWrite(VBE_ENABLE, enable | ENABLE_NO_CLEAR)
  for (let i = VBE_ENABLE + 1; i < VBE_MEMORY_64K; i++) vbeRegisterWrite(i, guestRead16(at + i * 2))
  store<u32>(DEV_BIOS, guestRead32(at + 0x18) & 0xc1ff, BIOS_VBE_MODE)
}
