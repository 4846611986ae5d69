// What the threads of a machine say to each other besides what lies in its memory.

/** workerData of a vCPU thread. */
export interface VcpuStart {
  memory: WebAssembly.Memory
  index: number
  /** Commands come in here; `receiveMessageOnPort` hears them without an event loop. */
  commands: import('node:worker_threads').MessagePort
  /** VCPU_CLOCK_* counters of host time. */
  clocks: SharedArrayBuffer
}

/** Indices into BigInt64Array(clocks): host ns spent executing; host ns since the command began, halts included. */
export const CLOCK_BUSY = 0
export const CLOCK_RUNNING = 1
export const CLOCKS_SIZE = 16

/**
 * Main thread -> vCPU. Every one but `module` is followed by HDR_CONTROL = CONTROL_RUN and answered by `rest`. In the
 * deterministic schedule the thread of CPU 0 runs all of them; in the parallel one each CPU's own.
 */
export type VcpuCommand =
  | { type: 'module'; module: WebAssembly.Module }
  | { type: 'run' }
  /** `cpu`: whose instructions are counted; 'all': deterministic those of all together, parallel its own. */
  | { type: 'step'; count: number; cpu: number | 'all' }
  /** CPU `cpu` on to the instruction at `target`; `over`: after one instruction, with the stack no deeper than now. */
  | { type: 'run-until'; target: bigint; cpu: number; over: boolean }
  | { type: 'power-on' }
  /** Bytes at a guest-physical address; `rest` answers how many were taken. By one thread, whatever the schedule. */
  | { type: 'write'; address: number; bytes: Uint8Array }

/** vCPU -> main thread. */
export type VcpuMessage =
  | { type: 'ready' }
  /** An output ring has something (coalesced by HDR_HOST_WAKE). */
  | { type: 'wake' }
  /** The command has ended; `reason`: STOP_*, where HDR_STATE does not say stopped. */
  | { type: 'rest'; reason: number }
  /** The engine broke. */
  | { type: 'broken'; error: string }

/** workerData of the block I/O thread. */
export interface BlockIoStart {
  memory: WebAssembly.Memory
  media: BlockIoMedium[]
  /** BlockIoNews come in here, each before a request can name the medium. */
  news: import('node:worker_threads').MessagePort
}

export interface BlockIoMedium {
  /** BLOCK_MEDIUM of the requests for it. */
  id: number
  /** Open for reading, by the main thread, which also closes it. */
  descriptor: number
  /** Bytes of the file; behind them sectors read as zeros. */
  size: number
  sectors: number
}

/** Main thread -> block I/O thread: a medium that may come into a drive, and one that never will again. */
export interface BlockIoNews {
  medium: BlockIoMedium
  forgotten: number | undefined
}

/** Block I/O thread -> main thread. */
export type BlockIoMessage = { type: 'medium'; index: number; message: string }
