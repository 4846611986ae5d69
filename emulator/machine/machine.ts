// A machine in the making: replaced by the implementation of api.ts.
import type { Machine, MachineConfig } from './api'

/** Makes a paused machine at its reset vector. */
export async function createMachine(_config: MachineConfig): Promise<Machine> {
  throw new Error('not there yet')
}
