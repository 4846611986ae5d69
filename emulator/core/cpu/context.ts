// Which vCPU this instance of the module is. Instances share one memory; these globals are the only thing that
// tells them apart. They are addresses, fixed once by bindContext, and hold no machine state.

import {
  CPU_BOUNCE,
  CPU_FAST,
  HDR_FRAME_COUNT,
  HDR_FRAMES,
  HDR_RAM,
  HDR_RAM_SIZE,
  HDR_TRACE_HEADS,
  HEADER,
  VCPU_STRIDE,
  VCPUS,
} from '../layout'

/** WebAssembly address of this instance's vCPU block. */
export let cpu: usize = 0
export let cpuIndex: u32 = 0
/** WebAssembly address of guest-physical 0. */
export let ram: usize = 0
/** Bytes of guest RAM. */
export let ramSize: u32 = 0
/** Frame metadata, FRAME_SIZE bytes a frame. */
export let frames: usize = 0
export let frameCount: u32 = 0
/** First trace of each frame, u32 each, of this vCPU. */
export let traceHeads: usize = 0
/** First entry of the fast TLB of this vCPU. */
export let fastTlb: usize = 0
/** Where the data of an access lies that cannot be made in place. */
export let bounce: usize = 0

/** Binds this instance to vCPU `index`. The machine header must be complete. */
export function bindContext(index: u32): void {
  cpuIndex = index
  cpu = VCPUS + index * VCPU_STRIDE
  ram = load<u32>(HEADER, HDR_RAM)
  ramSize = load<u32>(HEADER, HDR_RAM_SIZE)
  frames = load<u32>(HEADER, HDR_FRAMES)
  frameCount = load<u32>(HEADER, HDR_FRAME_COUNT)
  traceHeads = load<u32>(HEADER, HDR_TRACE_HEADS) + index * frameCount * 4
  fastTlb = cpu + CPU_FAST
  bounce = cpu + CPU_BOUNCE
}
