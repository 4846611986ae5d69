// The register window of the VGA's PCI function, BAR2, 4 KiB: the monitor's EDID, the VGA's ports and the DISPI registers,
// for those who do not want to use ports. Reference: QEMU, docs/specs/standard-vga.rst, "MMIO area spec".
//
//   000h-3FFh  EDID
//   400h-41Fh  ports 3C0h-3DFh
//   500h-515h  DISPI registers, 16 bits each
//   600h       size of what follows from here (8), 604h byte order of the frame buffer (little: 1E1E1E1Eh)

import { EDID, EDID_SIZE } from './edid'
import { vbeRegisterRead, vbeRegisterWrite } from './vbe-dispi'
import { vgaRead, vgaWrite } from './vga'

const PORTS: u32 = 0x400
const PORTS_SIZE: u32 = 0x20
const DISPI: u32 = 0x500
const DISPI_SIZE: u32 = 0x16
const EXTENSION: u32 = 0x600
const LITTLE_ENDIAN: u32 = 0x1e1e1e1e

/** `offset` in the window, `size` 1, 2, 4 or 8. */
export function vgaWindowRead(offset: u32, size: u32, now: u64): u64 {
  let value: u64 = 0
  for (let i: u32 = 0; i < size; i++) value |= (<u64>readByte(offset + i, now)) << (i << 3)
  return value
}

function readByte(at: u32, now: u64): u32 {
  if (at < EDID_SIZE) return load<u8>(EDID + at)
  if (at - PORTS < PORTS_SIZE) return vgaRead(0x3c0 + at - PORTS, now)
  if (at - DISPI < DISPI_SIZE) return (vbeRegisterRead((at - DISPI) >> 1) >> ((at & 1) << 3)) & 0xff
  if (at - EXTENSION < 4) return at == EXTENSION ? 8 : 0
  if (at - EXTENSION < 8) return (LITTLE_ENDIAN >> ((at & 3) << 3)) & 0xff
  return 0
}

/** DISPI registers are written by whole ones; the byte order cannot be changed. */
export function vgaWindowWrite(offset: u32, size: u32, value: u64): void {
  for (let i: u32 = 0; i < size; i++) {
    const at = offset + i
    const byte = <u32>(value >> (i << 3)) & 0xff
    if (at - PORTS < PORTS_SIZE) vgaWrite(0x3c0 + at - PORTS, byte)
    else if (at - DISPI < DISPI_SIZE && (at & 1) == 0 && i + 1 < size) {
      vbeRegisterWrite((at - DISPI) >> 1, <u32>(value >> (i << 3)) & 0xffff)
      i++
    }
  }
}
