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
export { lapicPending, lapicTake } from './chipset/lapic'
export { pciFunction, pciInterrupt, pciInterruptPin, pciWritable16 } from './chipset/pci'
export { msiOffer, msiSend, msixOffer, msixSend, msixTableReset } from './chipset/pci-msi'
export { msrRead, msrWrite } from './cpu/msr'
export { attend, othersSleep } from './machine/smp'
export { cpuDeviceRead, cpuDeviceWrite } from './memory/device'
export { hostWrite } from './memory/host-write'
export { physicalRead8, physicalWrite8 } from './memory/physical'
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
