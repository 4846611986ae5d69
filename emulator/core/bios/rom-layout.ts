// What the system ROM (emulator/firmware/rom) and the services here must agree on. tools/build-guests.mjs hands
// every constant of this file to the assembler by its name, so there is one place to change. Plain integers only.

/** Real-mode segments of the ROM. */
export const ROM_FONT_SEGMENT = 0xe000
export const ROM_CODE_SEGMENT = 0xf000

/** Offsets in ROM_FONT_SEGMENT: 256 glyphs each, a byte per row, leftmost pixel in bit 7. */
export const ROM_FONT_8X16 = 0x0000
export const ROM_FONT_8X14 = 0x1000
export const ROM_FONT_8X8 = 0x1e00

/** The VBE's, in ROM_FONT_SEGMENT: strings, the routine behind WinFuncPtr, the 32-bit routines of function 0Ah. */
export const ROM_VBE_OEM = 0x2600
export const ROM_VBE_VENDOR = 0x2620
export const ROM_VBE_PRODUCT = 0x2640
export const ROM_VBE_REVISION = 0x2660
export const ROM_VBE_WINDOW = 0x2680
export const ROM_VBE_PROTECTED = 0x2700
export const ROM_VBE_PROTECTED_END = 0x2900
/** BIOS32 service directory and the 32-bit PCI BIOS, in ROM_FONT_SEGMENT. */
export const ROM_BIOS32 = 0x2a00 // on a paragraph, or nobody finds it
export const ROM_BIOS32_PCI = 0x2a40
export const ROM_BIOS32_END = 0x2c00

/** Offsets in ROM_CODE_SEGMENT. */
export const ROM_VECTORS_LOW = 0xfef3 // u16[40]: handlers of vectors 00h-1Fh, then 70h-77h
export const ROM_IRET = 0xff53
export const ROM_CONFIGURATION = 0xe6f5 // table of INT 15h/C0h
export const ROM_DISKETTE_PARAMETERS = 0xefc7 // INT 1Eh
export const ROM_FONT_8X8_FIRST_HALF = 0xfa6e

/** Room for the tables that POST writes (ACPI, MP, SMBIOS), and the DSDT, in ROM_CODE_SEGMENT. */
export const ROM_TABLES = 0x8000
export const ROM_TABLES_END = 0xb000
export const ROM_DSDT = 0xb000

/** Service numbers of the firmware-call instruction (0F 3F ib); below 20h they are interrupt numbers. */
export const SERVICE_TABLES = 0x80 // interrupt vectors, BIOS data area
export const SERVICE_BANNER = 0x81
export const SERVICE_READY = 0x82 // power-on is over
export const SERVICE_BOOT = 0x83 // try the next boot device; ZF loaded, CF none left
export const SERVICE_BOOT_START = 0x84 // registers for the boot sector
export const SERVICE_BOOT_AGAIN = 0x85 // begin with the first device again
export const SERVICE_KEY = 0x86 // one byte of the keyboard in AL; AH: KEY_*
export const SERVICE_EXCEPTION = 0x87 // CPU exception without a handler; CF: do not return

export const SERVICE_PROCESSOR = 0x90 // local APIC into virtual wire mode, after every reset
export const SERVICE_RESUME = 0x92 // back from S3; CF: no waking vector, it is a cold start
export const SERVICE_MOUSE = 0x91 // one byte of the mouse in AL; CF: a packet for the handler

/** Where SERVICE_RESUME leaves the waking vector as a far pointer: in the EBDA, before the FACS. */
export const ROM_WAKING_SEGMENT = 0x9fc0
export const ROM_WAKING_OFFSET = 0x3bc

/** What SERVICE_KEY leaves to the interrupt handler. */
export const KEY_DONE = 0
export const KEY_REBOOT = 1
export const KEY_BREAK = 2
export const KEY_PRINT = 3
export const KEY_PAUSE = 4
export const KEY_SYSREQ = 5
