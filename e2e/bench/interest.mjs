// A page that looks at nothing: what scripts that measure begin with (Interest of preload/bridge.ts, checked at run time).
export const NOTHING = {
  ...{ screen: false, serial: false, shell: false, cpu: false, details: false, chosen: 0, memory: false },
  ...{
    code: false,
    tlb: false,
    shootdowns: false,
    interrupts: false,
    cpus: false,
    allocator: false,
    events: false,
    pages: false,
    hex: false,
  },
}
