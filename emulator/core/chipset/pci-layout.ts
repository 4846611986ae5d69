// Where the bridge keeps what is decoded now, and what the ranges are: plain numbers, for both languages (pci.ts,
// machine/memory-map.ts).

/** u32 from DEV_PCI: how many windows there are */
export const PCI_WINDOW_COUNT = 8
/** From DEV_PCI: what is decoded now, made of BARs and command registers, PCI_WINDOW_SIZE each */
export const PCI_WINDOWS = 0x200
export const PCI_WINDOW_SIZE = 32
export const PCI_WINDOW_BASE = 0 // u64
export const PCI_WINDOW_LENGTH = 8 // u64
export const PCI_WINDOW_HANDLER = 16 // u32, RANGE_*
export const PCI_WINDOW_IO = 20 // u32, 1: in I/O space
export const PCI_WINDOW_SLOT = 24 // u32
export const PCI_WINDOW_MAX = 48

export const RANGE_IDE_BUS_MASTER = 1 // I/O, 16 bytes
export const RANGE_PM = 2 // I/O, 64 bytes at PMBA
export const RANGE_VGA_FRAMEBUFFER = 3 // memory, VGA_FRAMEBUFFER_SIZE bytes
export const RANGE_VGA_REGISTERS = 4 // memory, 4 KiB
export const RANGE_SMBUS = 5 // I/O, 16 bytes at SMBBA
