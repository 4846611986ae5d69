// Copy-on-write: what a guest writes to an image is kept here and never reaches the file. The first MEMORY_LIMIT bytes
// stay in memory; more goes to a temporary file that has no name any more, so that it vanishes with the process
// whatever happens.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SECTOR = 512
/** Unit of copying: eight sectors, the cluster of most file systems. */
const CLUSTER = 4096
const SECTORS_PER_CLUSTER = CLUSTER / SECTOR
/** Clusters are held in blocks of 1 MiB, so that a small overlay costs little. */
const CLUSTERS_PER_BLOCK = 256

export const MEMORY_LIMIT = 64 * 1024 * 1024
/** Behind this much the guest's disk answers with an error, like a disk that is worn out. */
export const OVERLAY_LIMIT = 16 * 1024 * 1024 * 1024

/** Random access to the image: fills `into` completely or throws. */
export type ReadImage = (position: number, into: Uint8Array) => void

export interface OverlayLimits {
  memory?: number
  total?: number
}

export class Overlay {
  /** Cluster number -> slot. Slots are numbered in order of first writing. */
  readonly #slots = new Map<number, number>()
  readonly #blocks: Uint8Array[] = []
  readonly #memorySlots: number
  readonly #totalSlots: number
  readonly #readImage: ReadImage
  #file: number | undefined

  constructor(readImage: ReadImage, { memory = MEMORY_LIMIT, total = OVERLAY_LIMIT }: OverlayLimits = {}) {
    this.#readImage = readImage
    this.#memorySlots = Math.floor(memory / CLUSTER)
    this.#totalSlots = Math.floor(total / CLUSTER)
  }

  /** Bytes written to so far, in whole clusters. */
  get size(): number {
    return this.#slots.size * CLUSTER
  }

  /**
   * @param sector first one
   * @param into a whole number of sectors
   * @throws what reading the image or the temporary file throws
   */
  read(sector: number, into: Uint8Array) {
    // What nobody has written to comes in one piece.
    if (this.#slots.size === 0) {
      this.#readImage(sector * SECTOR, into)
      return
    }
    this.#eachCluster(sector, into, (cluster, offset, part) => {
      const slot = this.#slots.get(cluster)
      if (slot === undefined) this.#readImage(cluster * CLUSTER + offset, part)
      else this.#readSlot(slot, offset, part)
    })
  }

  /**
   * @param sector first one
   * @param from a whole number of sectors
   * @throws Error when the limit or the disk with the temporary file is full, or the rest of a cluster cannot be read
   */
  write(sector: number, from: Uint8Array) {
    this.#eachCluster(sector, from, (cluster, offset, part) => {
      const slot = this.#slots.get(cluster) ?? this.#copyUp(cluster, part.length === CLUSTER)
      this.#writeSlot(slot, offset, part)
      // Only now: a write that failed half way leaves the image's own bytes in place.
      this.#slots.set(cluster, slot)
    })
  }

  /** Drops everything that was written. */
  close() {
    this.#slots.clear()
    this.#blocks.length = 0
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #eachCluster(
    sector: number,
    bytes: Uint8Array,
    visit: (cluster: number, offset: number, part: Uint8Array) => void,
  ) {
    for (let done = 0; done < bytes.length; ) {
      const at = sector + done / SECTOR
      const cluster = Math.floor(at / SECTORS_PER_CLUSTER)
      const offset = (at % SECTORS_PER_CLUSTER) * SECTOR
      const length = Math.min(CLUSTER - offset, bytes.length - done)
      visit(cluster, offset, bytes.subarray(done, done + length))
      done += length
    }
  }

  #copyUp(cluster: number, whole: boolean): number {
    const slot = this.#slots.size
    if (slot >= this.#totalSlots) {
      throw new Error(`the guest has changed more than ${this.#totalSlots * CLUSTER} bytes of this image`)
    }
    const bytes = new Uint8Array(CLUSTER)
    if (!whole) this.#readImage(cluster * CLUSTER, bytes)
    this.#writeSlot(slot, 0, bytes)
    return slot
  }

  #readSlot(slot: number, offset: number, into: Uint8Array) {
    if (slot < this.#memorySlots) into.set(this.#inMemory(slot).subarray(offset, offset + into.length))
    else {
      const count = readSync(this.#spill(), into, 0, into.length, this.#spillPosition(slot) + offset)
      if (count !== into.length) throw new Error('the temporary file with the guest’s changes was cut off')
    }
  }

  #writeSlot(slot: number, offset: number, from: Uint8Array) {
    if (slot < this.#memorySlots) this.#inMemory(slot).set(from, offset)
    else {
      const count = writeSync(this.#spill(), from, 0, from.length, this.#spillPosition(slot) + offset)
      if (count !== from.length) throw new Error('no space is left for the guest’s changes')
    }
  }

  #inMemory(slot: number): Uint8Array {
    const block = Math.floor(slot / CLUSTERS_PER_BLOCK)
    const bytes = (this.#blocks[block] ??= new Uint8Array(CLUSTERS_PER_BLOCK * CLUSTER))
    const at = (slot % CLUSTERS_PER_BLOCK) * CLUSTER
    return bytes.subarray(at, at + CLUSTER)
  }

  #spillPosition(slot: number): number {
    return (slot - this.#memorySlots) * CLUSTER
  }

  #spill(): number {
    if (this.#file === undefined) {
      const folder = mkdtempSync(join(tmpdir(), 'ringside-'))
      try {
        this.#file = openSync(join(folder, 'overlay'), 'wx+', 0o600)
      } finally {
        // The open file lives on without a name. Windows refuses; there the system's own clean-up has to do.
        try {
          rmSync(folder, { recursive: true, force: true })
        } catch {
          // stays until the temporary folder is emptied
        }
      }
    }
    return this.#file
  }
}
