// core.wasm: what the threads, and tests that speak to the devices alone, may call.

export {
  chipsetDeadline,
  chipsetReset,
  chipsetRun,
  inputDeliver,
  interruptAcknowledge,
  mmioRead,
  mmioWrite,
  portRead,
  portWrite,
} from './chipset/bus'
export {
  cpuBind,
  cpuStart,
  haltedUntil,
  haltSkipTo,
  layoutVersion,
  machinePowerOn,
  run,
  runUntil,
} from './machine/run'
