// State of the firmware outside the guest's memory: offsets from DEV_BIOS. What real firmware keeps in the BIOS data
// area is kept there (bda.ts); here is only what has no place in it. Plain integers only: the host reads it too.

export const BIOS_BOOT_STATUS = 0x00 // u32, BOOT_STATUS_*
export const BIOS_BOOT_DRIVE = 0x04 // u32, BIOS drive number of the device being tried or started
export const BIOS_BOOT_NEXT = 0x08 // u32, place in the boot order that comes next
export const BIOS_BOOT_FAILURE = 0x0c // u32, BOOT_FAILURE_* of the last device that failed
export const BIOS_EXCEPTION = 0x10 // u32, vector + 1 of the CPU exception the firmware stopped at, 0 when none
export const BIOS_EXCEPTION_ADDRESS = 0x14 // u32, CS << 16 | IP
export const BIOS_VBE_MODE = 0x1c // u32, mode set by VBE function 02h with its bits 14 and 15, 0 when an ordinary one is
/** Where the boot sector lies: segment << 16 | offset */
export const BIOS_BOOT_ADDRESS = 0x18 // u32
// El Torito: what INT 13h plays a part of a CD as (cd-emulation.ts)
export const BIOS_EMULATION = 0x20 // u32, 1 while the image has its drive number
export const BIOS_EMULATION_MEDIA = 0x24 // u32, media type byte of the boot catalogue: 0 none, 1-3 floppy, 4 hard disk
export const BIOS_EMULATION_NUMBER = 0x28 // u32, BIOS drive number: 00h, 80h, or the CD's own
export const BIOS_EMULATION_DRIVE = 0x2c // u32, DRIVE_* index of the CD drive
export const BIOS_EMULATION_START = 0x30 // u32, first 2048-byte sector of the image
export const BIOS_EMULATION_SECTORS = 0x34 // u32, of 512 bytes
export const BIOS_EMULATION_CYLINDERS = 0x38 // u32
export const BIOS_EMULATION_HEADS = 0x3c // u32
export const BIOS_EMULATION_PER_TRACK = 0x40 // u32
export const BIOS_EMULATION_SEGMENT = 0x44 // u32, where the boot image was loaded
export const BIOS_EMULATION_COUNT = 0x48 // u32, how many 512-byte sectors of it
/** u32[8] by DRIVE_* index: id of the medium that INT 13h saw last */
export const BIOS_MEDIA_SEEN = 0x60

export const BOOT_STATUS_POWER_ON = 0
export const BOOT_STATUS_TRYING = 1
export const BOOT_STATUS_STARTED = 2 // the boot sector has the machine
export const BOOT_STATUS_NO_DEVICE = 3 // nothing bootable: the firmware waits for a key

export const BOOT_FAILURE_NONE = 0
export const BOOT_FAILURE_ABSENT = 1
export const BOOT_FAILURE_READ = 2 // sector 0 could not be read
export const BOOT_FAILURE_SIGNATURE = 3 // no 55h AAh at 1FEh
export const BOOT_FAILURE_CATALOGUE = 4 // a CD whose boot catalogue is not there, wrong, or names nothing to boot
