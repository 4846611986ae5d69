// The BIOS data area, 0040:0000, as IBM laid it out (PS/2 and PC BIOS Interface Technical Reference, section 3).

export const BDA = 0x400
export const BDA_COM = 0x00 // u16[4] port bases
export const BDA_LPT = 0x08 // u16[3]
export const BDA_EBDA = 0x0e // u16 segment
export const BDA_EQUIPMENT = 0x10 // u16
export const BDA_MEMORY = 0x13 // u16 KiB below the extended BIOS data area
export const BDA_KEY_FLAGS = 0x17 // u8, KEY_FLAG_*
export const BDA_KEY_FLAGS_2 = 0x18
export const BDA_ALT_NUMBER = 0x19
export const BDA_KEY_HEAD = 0x1a // u16 offset from 0040:0000
export const BDA_KEY_TAIL = 0x1c
export const BDA_KEY_BUFFER = 0x1e // u16[16]
export const BDA_KEY_BUFFER_END = 0x3e
export const BDA_DISKETTE_STATUS = 0x41
export const BDA_VIDEO_MODE = 0x49
export const BDA_VIDEO_COLUMNS = 0x4a // u16
export const BDA_VIDEO_PAGE_SIZE = 0x4c // u16
export const BDA_VIDEO_START = 0x4e // u16
export const BDA_CURSOR = 0x50 // u16[8]: column, row
export const BDA_CURSOR_SHAPE = 0x60 // u16: end, start
export const BDA_VIDEO_PAGE = 0x62
export const BDA_CRTC = 0x63 // u16 port
export const BDA_VIDEO_SELECT = 0x65 // CGA mode register image
export const BDA_VIDEO_PALETTE = 0x66
export const BDA_TICKS = 0x6c // u32
export const BDA_MIDNIGHT = 0x70
export const BDA_BREAK = 0x71
export const BDA_RESET = 0x72 // u16
export const BDA_DISK_STATUS = 0x74
export const BDA_DISK_COUNT = 0x75
export const BDA_LPT_TIMEOUT = 0x78 // u8[4]
export const BDA_COM_TIMEOUT = 0x7c // u8[4]
export const BDA_KEY_START = 0x80 // u16
export const BDA_KEY_END = 0x82
export const BDA_VIDEO_ROWS = 0x84 // rows - 1
export const BDA_CHARACTER_HEIGHT = 0x85 // u16 scan lines
export const BDA_VIDEO_CONTROL = 0x87
export const BDA_VIDEO_SWITCHES = 0x88
export const BDA_VIDEO_MODESET = 0x89
export const BDA_VIDEO_COMBINATION = 0x8a
export const BDA_KEY_MODE = 0x96 // bit 4: 101-key keyboard, bits 2-3: right Alt, Ctrl, bits 0-1: E1h, E0h was last
export const BDA_KEY_LEDS = 0x97 // bits 0-2 lit, 4 ACK received, 6 update under way
export const BDA_WAIT_FLAG = 0x98 // far pointer
export const BDA_WAIT_COUNT = 0x9c // u32 microseconds
export const BDA_WAIT_ACTIVE = 0xa0

/** The extended BIOS data area: the last KiB below A0000h. */
export const EBDA_SEGMENT = 0x9fc0
export const EBDA = 0x9fc00
export const EBDA_SIZE = 0x400
/** Pointing device (INT 15h/C2h): far pointer of the handler, index of the next byte, packet size - 1 | 80h, the bytes. */
export const EBDA_MOUSE_HANDLER = 0x22
export const EBDA_MOUSE_FLAGS_1 = 0x26
export const EBDA_MOUSE_FLAGS_2 = 0x27
export const EBDA_MOUSE_DATA = 0x28 // u8[8]
/** Status, X, Y, Z as the handler gets them: u16[4] */
export const EBDA_MOUSE_PACKET = 0xe0
/** Fixed disk parameter tables of drives 80h and 81h (INT 41h, INT 46h), 16 bytes each. */
export const EBDA_DISK_PARAMETERS = 0x3d
/** EDD device parameter extension of the last INT 13h/48h asked for, 16 bytes. */
export const EBDA_DPTE = 0x70
/** Static functionality table of INT 10h/1Bh. */
export const EBDA_VIDEO_FUNCTIONALITY = 0x90
/** Firmware ACPI control structure, 64 bytes, aligned: the last of the EBDA. */
export const EBDA_FACS = 0x3c0
