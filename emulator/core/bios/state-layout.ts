// State of the firmware outside the guest's memory: offsets from DEV_BIOS. What real firmware keeps in the BIOS data
// area is kept there (bda.ts); here is only what has no place in it. Plain integers only: the host reads it too.

export const BIOS_BOOT_STATUS = 0x00 // u32, BOOT_STATUS_*
export const BIOS_BOOT_DRIVE = 0x04 // u32, BIOS drive number of the device being tried or started
export const BIOS_BOOT_NEXT = 0x08 // u32, place in the boot order that comes next
export const BIOS_BOOT_FAILURE = 0x0c // u32, BOOT_FAILURE_* of the last device that failed
export const BIOS_EXCEPTION = 0x10 // u32, vector + 1 of the CPU exception the firmware stopped at, 0 when none
export const BIOS_EXCEPTION_ADDRESS = 0x14 // u32, CS << 16 | IP
export const BIOS_VBE_MODE = 0x1c // u32, mode set by VBE function 02h with its bits 14 and 15, 0 when an ordinary one is
export const BIOS_TYPEMATIC = 0x18 // u32, last value given to INT 16h/03h

export const BOOT_STATUS_POWER_ON = 0
export const BOOT_STATUS_TRYING = 1
export const BOOT_STATUS_STARTED = 2 // the boot sector has the machine
export const BOOT_STATUS_NO_DEVICE = 3 // nothing bootable: the firmware waits for a key

export const BOOT_FAILURE_NONE = 0
export const BOOT_FAILURE_ABSENT = 1
export const BOOT_FAILURE_READ = 2 // sector 0 could not be read
export const BOOT_FAILURE_SIGNATURE = 3 // no 55h AAh at 1FEh
