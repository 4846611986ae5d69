// Serves the block requests of one machine (layout: DRIVES, BLOCK_*) from images and their overlays. Pure of threads:
// the worker beside it calls `serve` whenever the doorbell has rung.
import { fstatSync, readSync } from 'node:fs'
import * as L from '../core/layout'
import { reasonOf } from '../media/medium'
import { Overlay, type OverlayLimits } from '../media/overlay'
import type { BlockIoMedium } from './protocol'

const SECTOR = 512

interface Served extends BlockIoMedium {
  overlay: Overlay
}

export class BlockServer {
  readonly #i32: Int32Array
  readonly #u8: Uint8Array
  readonly #view: DataView
  readonly #media = new Map<number, Served>()
  readonly #limits: OverlayLimits | undefined
  readonly #news: (() => void) | undefined
  readonly #report: (index: number, message: string) => void

  /**
   * @param memory of the machine
   * @param report told when the host could not do what the guest asked: drive index and a sentence
   * @param options news: called when a request names an unknown medium; it may add it
   */
  constructor(
    memory: WebAssembly.Memory,
    media: readonly BlockIoMedium[],
    report: (index: number, message: string) => void,
    { limits, news }: { limits?: OverlayLimits; news?: () => void } = {},
  ) {
    this.#i32 = new Int32Array(memory.buffer)
    this.#u8 = new Uint8Array(memory.buffer)
    this.#view = new DataView(memory.buffer)
    this.#report = report
    this.#limits = limits
    this.#news = news
    for (const medium of media) this.add(medium)
  }

  /** A medium that requests may name from now on. */
  add(medium: BlockIoMedium) {
    this.#media.set(medium.id, { ...medium, overlay: new Overlay(imageReader(medium), this.#limits) })
  }

  /** One that none names any more; what the guest wrote to it is gone. */
  remove(id: number) {
    this.#media.get(id)?.overlay.close()
    this.#media.delete(id)
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
    for (const { overlay } of this.#media.values()) overlay.close()
  }

  /** @param at address of the request @returns BLOCK_ERROR_* */
  #perform(at: number): number {
    const index = this.#view.getUint32(at + L.BLOCK_DRIVE, true)
    const id = this.#view.getUint32(at + L.BLOCK_MEDIUM, true)
    if (!this.#media.has(id)) this.#news?.()
    const medium = this.#media.get(id)
    if (!medium) return L.BLOCK_ERROR_ABSENT
    const op = this.#view.getUint32(at + L.BLOCK_OP, true)
    if (op === L.BLOCK_FLUSH) return L.BLOCK_ERROR_NONE
    const lba = this.#view.getBigUint64(at + L.BLOCK_LBA, true)
    const count = this.#view.getUint32(at + L.BLOCK_COUNT, true)
    if (lba + BigInt(count) > BigInt(medium.sectors)) return L.BLOCK_ERROR_RANGE
    const address = this.#view.getUint32(at + L.BLOCK_ADDRESS, true)
    if (address + count * SECTOR > this.#u8.length) return L.BLOCK_ERROR_RANGE
    const bytes = this.#u8.subarray(address, address + count * SECTOR)
    try {
      if (op === L.BLOCK_READ) medium.overlay.read(Number(lba), bytes)
      else if (op === L.BLOCK_WRITE) medium.overlay.write(Number(lba), bytes)
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
function imageReader({ descriptor, size }: BlockIoMedium) {
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
