// Serves the block requests of one machine (layout: DRIVES, BLOCK_*) from images and their overlays. Pure of threads:
// the worker beside it calls `serve` whenever the doorbell has rung.
import { fstatSync, readSync } from 'node:fs'
import * as L from '../core/layout'
import { reasonOf } from '../media/medium'
import { Overlay, type OverlayLimits } from '../media/overlay'
import type { BlockIoDrive } from './protocol'

const SECTOR = 512

interface Drive extends BlockIoDrive {
  overlay: Overlay
}

export class BlockServer {
  readonly #i32: Int32Array
  readonly #u8: Uint8Array
  readonly #view: DataView
  readonly #drives = new Map<number, Drive>()
  readonly #report: (index: number, message: string) => void

  /**
   * @param memory of the machine
   * @param report told when the host could not do what the guest asked: drive index and a sentence
   */
  constructor(
    memory: WebAssembly.Memory,
    drives: readonly BlockIoDrive[],
    report: (index: number, message: string) => void,
    limits?: OverlayLimits,
  ) {
    this.#i32 = new Int32Array(memory.buffer)
    this.#u8 = new Uint8Array(memory.buffer)
    this.#view = new DataView(memory.buffer)
    this.#report = report
    for (const drive of drives) {
      this.#drives.set(drive.index, { ...drive, overlay: new Overlay(imageReader(drive), limits) })
    }
  }

  /** Serves every request that has been submitted. @returns how many there were */
  serve(): number {
    let served = 0
    for (let slot = 0; slot < L.BLOCK_SLOTS; slot++) {
      const at = L.BLOCK_REQUESTS + slot * L.BLOCK_SLOT_SIZE
      if (Atomics.load(this.#i32, (at + L.BLOCK_STATE) >> 2) !== L.BLOCK_SUBMITTED) continue
      this.#view.setUint32(at + L.BLOCK_ERROR, this.#perform(at), true)
      Atomics.store(this.#i32, (at + L.BLOCK_STATE) >> 2, L.BLOCK_DONE)
      Atomics.notify(this.#i32, (at + L.BLOCK_STATE) >> 2)
      served++
    }
    return served
  }

  close() {
    for (const { overlay } of this.#drives.values()) overlay.close()
  }

  /** @param at address of the request @returns BLOCK_ERROR_* */
  #perform(at: number): number {
    const index = this.#view.getUint32(at + L.BLOCK_DRIVE, true)
    const drive = this.#drives.get(index)
    if (!drive) return L.BLOCK_ERROR_ABSENT
    const op = this.#view.getUint32(at + L.BLOCK_OP, true)
    if (op === L.BLOCK_FLUSH) return L.BLOCK_ERROR_NONE
    const lba = this.#view.getBigUint64(at + L.BLOCK_LBA, true)
    const count = this.#view.getUint32(at + L.BLOCK_COUNT, true)
    if (lba + BigInt(count) > BigInt(drive.sectors)) return L.BLOCK_ERROR_RANGE
    const address = this.#view.getUint32(at + L.BLOCK_ADDRESS, true)
    if (address + count * SECTOR > this.#u8.length) return L.BLOCK_ERROR_RANGE
    const bytes = this.#u8.subarray(address, address + count * SECTOR)
    try {
      if (op === L.BLOCK_READ) drive.overlay.read(Number(lba), bytes)
      else if (op === L.BLOCK_WRITE) drive.overlay.write(Number(lba), bytes)
      else return L.BLOCK_ERROR_RANGE
      return L.BLOCK_ERROR_NONE
    } catch (error) {
      const what = op === L.BLOCK_READ ? 'reading' : 'writing'
      this.#report(index, `${what} ${count} sectors at ${lba} failed: ${reasonOf(error)}`)
      return L.BLOCK_ERROR_MEDIUM
    }
  }
}

/** Reads from an image file straight into where it is wanted: zeros behind its end, an error where it has shrunk. */
function imageReader({ descriptor, size }: BlockIoDrive) {
  return (position: number, into: Uint8Array) => {
    const wanted = Math.max(0, Math.min(into.length, size - position))
    let done = 0
    while (done < wanted) {
      const count = readSync(descriptor, into, done, wanted - done, position + done)
      if (count === 0) {
        throw new Error(
          `the file now ends at byte ${fstatSync(descriptor).size}; it had ${size} when it was opened`,
        )
      }
      done += count
    }
    into.fill(0, wanted)
  }
}
