// The drive table of the layout from the media of a configuration.
import * as L from '../core/layout'
import { SECTOR_SIZE } from '../media/medium'
import type { BlockIoDrive } from '../threads/protocol'
import type { DriveConfig, DriveSlot } from './api'
import type { MachineMemory } from './memory'

const SLOTS: Record<DriveSlot, number> = {
  fda: L.DRIVE_FLOPPY_A,
  fdb: L.DRIVE_FLOPPY_B,
  hda: L.DRIVE_ATA0,
  hdb: L.DRIVE_ATA0 + 1,
  hdc: L.DRIVE_ATA0 + 2,
  hdd: L.DRIVE_ATA0 + 3,
}

/** @throws Error when two media want one drive */
export function writeDrives(memory: MachineMemory, drives: readonly DriveConfig[]): BlockIoDrive[] {
  const taken = new Set<DriveSlot>()
  return drives.map(({ slot, medium }) => {
    if (taken.has(slot)) throw new Error(`two images for drive ${slot}`)
    taken.add(slot)
    const index = SLOTS[slot]
    const at = L.DRIVES + index * L.DRIVE_SIZE
    const { view } = memory
    view.setUint32(at + L.DRIVE_SECTOR_SIZE, SECTOR_SIZE, true)
    view.setBigUint64(at + L.DRIVE_SECTORS, BigInt(medium.sectors), true)
    view.setUint32(at + L.DRIVE_CYLINDERS, medium.geometry.cylinders, true)
    view.setUint32(at + L.DRIVE_HEADS, medium.geometry.heads, true)
    view.setUint32(at + L.DRIVE_SECTORS_PER_TRACK, medium.geometry.sectorsPerTrack, true)
    view.setUint32(at + L.DRIVE_PRESENT, 1, true)
    return { index, descriptor: medium.descriptor, size: medium.size, sectors: medium.sectors }
  })
}

/** @param index DRIVE_ index of the layout */
export function slotOf(index: number): DriveSlot {
  const found = (Object.keys(SLOTS) as DriveSlot[]).find((slot) => SLOTS[slot] === index)
  if (!found) throw new RangeError(`there is no drive ${index}`)
  return found
}
