// Which image goes into which drive: the same for the command line and for the windows.
import type { Medium } from '../media/medium'
import type { DriveConfig, DriveSlot } from './api'

export interface DrivePlan {
  disks?: readonly Medium[]
  cdroms?: readonly Medium[]
  floppies?: readonly Medium[]
}

const IDE: readonly DriveSlot[] = ['hda', 'hdb', 'hdc', 'hdd']
/** As on QEMU's PC: the CD drive is the secondary master, disks fill what is left in order. */
const CD_ORDER: readonly DriveSlot[] = ['hdc', 'hdd', 'hdb', 'hda']
const FLOPPIES: readonly DriveSlot[] = ['fda', 'fdb']

/**
 * CDs from hdc on, disks from hda on, floppies from fda on. There is always a CD drive, empty if need be, unless four
 * disks leave no room for one; and a floppy drive when there is a floppy.
 * @throws Error when there are more images than drives
 */
export function placeDrives({ disks = [], cdroms = [], floppies = [] }: DrivePlan): DriveConfig[] {
  if (floppies.length > FLOPPIES.length)
    throw new Error(`a machine has two floppy drives, not ${floppies.length}`)
  if (disks.length + cdroms.length > IDE.length)
    throw new Error(
      `a machine has four IDE drives; ${disks.length + cdroms.length} disks and CDs are too many`,
    )
  const placed: DriveConfig[] = floppies.map((medium, i) => ({ slot: FLOPPIES[i]!, kind: 'floppy', medium }))
  const wanted = Math.max(cdroms.length, disks.length < IDE.length ? 1 : 0)
  const cdSlots = CD_ORDER.slice(0, wanted)
  placed.push(...cdSlots.map((slot, i): DriveConfig => ({ slot, kind: 'cdrom', medium: cdroms[i] })))
  const free = IDE.filter((slot) => !cdSlots.includes(slot))
  placed.push(...disks.map((medium, i): DriveConfig => ({ slot: free[i]!, kind: 'disk', medium })))
  return placed
}
