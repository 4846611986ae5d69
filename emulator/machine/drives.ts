// The drives of a machine as the host sees them: the drive table of the layout, what lies in the drives, and how media go
// in and out while the guest runs. A change is an entry of the input queue, so that it has its moment like a key.
import * as L from '../core/layout'
import { type Medium, type MediumKind, SECTOR_SIZE } from '../media/medium'
import type { BlockIoMedium } from '../threads/protocol'
import type { DriveConfig, DriveSlot, DriveState } from './api'
import type { MachineMemory } from './memory'

const SLOTS: Record<DriveSlot, number> = {
  fda: L.DRIVE_FLOPPY_A,
  fdb: L.DRIVE_FLOPPY_B,
  hda: L.DRIVE_ATA0,
  hdb: L.DRIVE_ATA0 + 1,
  hdc: L.DRIVE_ATA0 + 2,
  hdd: L.DRIVE_ATA0 + 3,
}
const KINDS: Record<MediumKind, number> = {
  disk: L.DRIVE_KIND_DISK,
  cdrom: L.DRIVE_KIND_CDROM,
  floppy: L.DRIVE_KIND_FLOPPY,
}
/** What a floppy drive takes: all formats, so it counts as one of 2.88 MB when it is empty at power-on. */
const EMPTY_FLOPPY = { cylinders: 80, heads: 2, sectorsPerTrack: 18 }

export function isFloppySlot(slot: DriveSlot): boolean {
  return slot === 'fda' || slot === 'fdb'
}

/** What kind of drive a configuration asks for. */
export function driveKind({ slot, kind, medium }: DriveConfig): MediumKind {
  return isFloppySlot(slot) ? 'floppy' : (kind ?? (medium?.kind === 'cdrom' ? 'cdrom' : 'disk'))
}

/** @param index DRIVE_ index of the layout */
export function slotOf(index: number): DriveSlot {
  const found = (Object.keys(SLOTS) as DriveSlot[]).find((slot) => SLOTS[slot] === index)
  if (!found) throw new RangeError(`there is no drive ${index}`)
  return found
}

export class DriveBay {
  readonly #memory: MachineMemory
  readonly #kinds = new Map<DriveSlot, MediumKind>()
  /** By the id that the machine's memory knows a medium by. */
  readonly #media = new Map<number, Medium>()

  /** @throws Error when two media want one drive, or a drive cannot be */
  constructor(memory: MachineMemory, drives: readonly DriveConfig[]) {
    this.#memory = memory
    for (const drive of drives) {
      const { slot, medium } = drive
      if (this.#kinds.has(slot)) throw new Error(`two images for drive ${slot}`)
      const kind = driveKind(drive)
      if (kind === 'disk' && !medium) throw new Error(`drive ${slot} is a hard disk and needs an image`)
      if (kind === 'floppy' && drive.kind !== undefined && drive.kind !== 'floppy')
        throw new Error(`drive ${slot} is a floppy drive, it cannot be a ${drive.kind} drive`)
      if (kind !== 'floppy' && medium?.kind === 'floppy' && drive.kind === undefined && kind !== 'disk')
        throw new Error(`${medium.name} is a floppy image and drive ${slot} is none`)
      this.#kinds.set(slot, kind)
      const at = L.DRIVES + SLOTS[slot] * L.DRIVE_SIZE
      const { view } = memory
      view.setUint32(at + L.DRIVE_SECTOR_SIZE, SECTOR_SIZE, true)
      view.setUint32(at + L.DRIVE_KIND, KINDS[kind], true)
      view.setUint32(at + L.DRIVE_READ_ONLY, kind === 'cdrom' ? 1 : 0, true)
      const { cylinders, heads, sectorsPerTrack } = medium?.geometry ?? EMPTY_FLOPPY
      view.setUint32(at + L.DRIVE_CYLINDERS, cylinders, true)
      view.setUint32(at + L.DRIVE_HEADS, heads, true)
      view.setUint32(at + L.DRIVE_SECTORS_PER_TRACK, sectorsPerTrack, true)
      if (medium) {
        view.setUint32(at + L.DRIVE_MEDIUM, this.#register(medium), true)
        view.setBigUint64(at + L.DRIVE_SECTORS, BigInt(medium.sectors), true)
      }
      view.setUint32(at + L.DRIVE_PRESENT, 1, true)
    }
  }

  /** What the block I/O thread has to know of a medium. */
  blockIo(id: number): BlockIoMedium {
    const { descriptor, size, sectors } = this.#media.get(id)!
    return { id, descriptor, size, sectors }
  }

  get ids(): number[] {
    return [...this.#media.keys()]
  }

  /**
   * Makes a medium known to the machine; it goes in when the guest takes the input.
   * @returns its id, and the id of one that is forgotten for it
   * @throws Error when the drive does not exist or takes no such medium
   */
  admit(slot: DriveSlot, medium: Medium, queued: boolean): { id: number; forgotten: number | undefined } {
    const kind = this.#removable(slot)
    if (kind === 'floppy' && medium.kind !== 'floppy')
      throw new Error(`${medium.name} is no floppy image, and drive ${slot} takes nothing else`)
    // Ids are few. One that lies in no drive and is not on its way into one can be used again.
    const forgotten = this.#media.size < L.MEDIUM_COUNT - 1 || queued ? undefined : this.#unused()
    if (forgotten !== undefined) {
      this.#media.get(forgotten)!.close()
      this.#media.delete(forgotten)
    }
    return { id: this.#register(medium), forgotten }
  }

  /** The number of a drive whose medium can be taken out. @throws Error when there is none */
  removable(slot: DriveSlot): number {
    this.#removable(slot)
    return SLOTS[slot]
  }

  /** @returns the medium that lies in a drive now */
  mediumIn(slot: DriveSlot): Medium | undefined {
    return this.#media.get(this.#field(slot, L.DRIVE_MEDIUM))
  }

  states(): DriveState[] {
    return [...this.#kinds].map(([slot, kind]) => ({
      slot,
      kind,
      medium: this.mediumIn(slot),
      trayOpen: this.#field(slot, L.DRIVE_TRAY) !== 0,
      locked: this.#field(slot, L.DRIVE_LOCKED) !== 0,
    }))
  }

  /** Power-on: trays close, nothing is locked. */
  powerOn() {
    for (const slot of this.#kinds.keys()) {
      const at = L.DRIVES + SLOTS[slot] * L.DRIVE_SIZE
      this.#memory.view.setUint32(at + L.DRIVE_TRAY, 0, true)
      this.#memory.view.setUint32(at + L.DRIVE_LOCKED, 0, true)
    }
  }

  close() {
    for (const medium of this.#media.values()) medium.close()
  }

  #field(slot: DriveSlot, offset: number): number {
    return this.#memory.view.getUint32(L.DRIVES + SLOTS[slot] * L.DRIVE_SIZE + offset, true)
  }

  #removable(slot: DriveSlot): MediumKind {
    const kind = this.#kinds.get(slot)
    if (!kind) throw new Error(`this machine has no drive ${slot}`)
    if (kind === 'disk')
      throw new Error(`drive ${slot} is a hard disk: it cannot be changed while the machine is on`)
    return kind
  }

  #unused(): number {
    const used = [...this.#kinds.keys()].map((slot) => this.#field(slot, L.DRIVE_MEDIUM))
    return this.ids.find((id) => !used.includes(id))!
  }

  #register(medium: Medium): number {
    let id = 1
    while (this.#media.has(id)) id++
    if (id >= L.MEDIUM_COUNT) throw new Error('too many media are waiting for the guest to take them')
    this.#media.set(id, medium)
    const at = L.MEDIA + id * L.MEDIUM_SIZE
    const { view } = this.#memory
    view.setBigUint64(at + L.MEDIUM_SECTORS, BigInt(medium.sectors), true)
    view.setUint32(at + L.MEDIUM_CYLINDERS, medium.geometry.cylinders, true)
    view.setUint32(at + L.MEDIUM_HEADS, medium.geometry.heads, true)
    view.setUint32(at + L.MEDIUM_SECTORS_PER_TRACK, medium.geometry.sectorsPerTrack, true)
    view.setUint32(at + L.MEDIUM_READ_ONLY, medium.kind === 'cdrom' ? 1 : 0, true)
    return id
  }
}
