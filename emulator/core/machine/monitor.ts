// MONITOR and MWAIT (SDM 3A 8.10.3): the line that was armed is remembered with its content. A store that changes it
// ends the wait; a store of what is there already changes nothing anybody could wait for, and does not.

import { CPU_MONITOR, CPU_MONITOR_LINE } from '../layout'
import { ramPointer } from '../memory/physical'

const LINE: usize = 64
const ARMED: u64 = 1

/** MONITOR of the line at `phys` bytes of RAM, by the CPU at `block`. Outside of RAM nothing is armed. */
export function monitorArm(block: usize, phys: u64): void {
  const line = phys & ~(<u64>(LINE - 1))
  const pointer = ramPointer(line)
  store<u64>(block, pointer ? line | ARMED : 0, CPU_MONITOR)
  if (pointer) memory.copy(block + CPU_MONITOR_LINE, pointer, LINE)
}

export function monitorArmed(block: usize): bool {
  return (load<u64>(block, CPU_MONITOR) & ARMED) != 0
}

/** Whether the armed line is no longer what it was. */
export function monitorBroken(block: usize): bool {
  const armed = load<u64>(block, CPU_MONITOR)
  if (!(armed & ARMED)) return false
  const pointer = ramPointer(armed & ~ARMED)
  return memory.compare(block + CPU_MONITOR_LINE, pointer, LINE) != 0
}
