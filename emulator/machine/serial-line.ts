// The host's end of a serial cable: when it may send another byte.
//
// - Only as fast as the receiver takes them: a byte that the guest does not read would hold up the keyboard behind it in
//   the input queue.
// - Only to somebody who listens: software that sets up a UART clears its FIFO, and what came before would be lost. RTS
//   says that it is ready (hardware handshake). Guests that never touch RTS are taken to be ready when they have
//   started and have left the port alone for a while.
import * as L from '../core/layout'
import type { MachineMemory } from './memory'

// Fields of emulator/core/chipset/uart-16550.ts
const UART_SIZE = 256
const UART_FCR = 1
const UART_MCR = 3
const UART_DLL = 7
const UART_DLM = 8
const UART_RECEIVED = 11
const UART_LCR_WRITTEN = 13
/** IER, FCR, LCR, MCR and what else somebody writes who sets a port up. */
const SETTINGS = [0, UART_FCR, 2, UART_MCR, UART_DLL, UART_DLM, UART_LCR_WRITTEN]
const FCR_ENABLE = 1
const MCR_RTS = 2
const FIFO_SIZE = 16
/** Host ms without a change of the settings. */
const SETTLED_MS = 300

export class SerialLine {
  readonly #memory: MachineMemory
  readonly #port: number
  readonly #uart: number
  /** The guest uses RTS: then its word counts. */
  #handshake = false
  #settings = ''
  #settledAt = 0

  /** @param port 0 = COM1 */
  constructor(memory: MachineMemory, port: number) {
    this.#memory = memory
    this.#port = port
    this.#uart = L.DEV_UART + port * UART_SIZE
  }

  /** Whether a byte may go into the input queue now. */
  maySend(): boolean {
    return this.#isListening() && this.#hasRoom()
  }

  #isListening(): boolean {
    const requestToSend = (this.#register(UART_MCR) & MCR_RTS) !== 0
    this.#handshake ||= requestToSend
    if (this.#handshake) return requestToSend
    const settings = SETTINGS.map((offset) => this.#register(offset)).join()
    const started = this.#memory.u8[BOOT_SECTOR_REACHED]! !== 0
    const now = performance.now()
    if (!started || settings !== this.#settings) {
      this.#settings = settings
      this.#settledAt = now + SETTLED_MS
    }
    return now >= this.#settledAt
  }

  #hasRoom(): boolean {
    const capacity = (this.#register(UART_FCR) & FCR_ENABLE) !== 0 ? FIFO_SIZE : 1
    return this.#register(UART_RECEIVED) + this.#underWay() < capacity
  }

  /** Bytes for this port that are in the queue. */
  #underWay(): number {
    const { u32, view } = this.#memory
    const write = Atomics.load(u32, (L.INPUT_QUEUE + L.INPUT_WRITE) >>> 2)
    const read = Atomics.load(u32, (L.INPUT_QUEUE + L.INPUT_READ) >>> 2)
    let count = 0
    for (let i = read; i !== write; i = (i + 1) >>> 0) {
      const at = L.INPUT_QUEUE + L.INPUT_ENTRIES + (i % L.INPUT_CAPACITY) * L.INPUT_ENTRY_SIZE
      if (view.getUint32(at + L.INPUT_KIND, true) !== L.INPUT_KIND_SERIAL) continue
      if (view.getUint32(at + L.INPUT_DATA, true) >>> 8 === this.#port) count++
    }
    return count
  }

  #register(offset: number): number {
    return this.#memory.u8[this.#uart + offset]!
  }
}

const BOOT_SECTOR_REACHED = L.MILESTONES + L.CLIMB_BOOT_SECTOR * L.MILESTONE_SIZE + L.MILESTONE_REACHED
