// What the stages of the climb mean: short names for the strip, a sentence for whoever asks.
export interface StageWords {
  name: string
  meaning: string
}

/** CLIMB_AP: the first start-up IPI. */
export const STAGE_APS = 18

/** By CLIMB_ number of the machine's layout: the stages that the strip shows. */
export const STAGES: Record<number, StageWords> = {
  0: { name: 'Reset', meaning: 'The CPU fetched its first instruction at F000:FFF0, 16 bytes below 4 GiB.' },
  1: { name: 'BIOS', meaning: 'The firmware has set up its services and looks for a disk to boot.' },
  2: { name: 'Boot sector', meaning: 'The first sector was loaded and runs at 0000:7C00, in real mode.' },
  3: {
    name: 'A20',
    meaning: 'Address line 20 passes: memory above 1 MiB is no longer an alias of the first.',
  },
  4: { name: 'GDT', meaning: 'The guest loaded a descriptor table of its own with LGDT.' },
  5: { name: 'Protected', meaning: 'CR0.PE is set: segments come from descriptors, with limits and rights.' },
  6: { name: 'PAE', meaning: 'CR4.PAE is set: page-table entries are 8 bytes wide.' },
  7: { name: 'Paging', meaning: 'CR0.PG is set: every linear address goes through the page tables.' },
  8: { name: 'Long mode', meaning: 'EFER.LMA is set: the CPU is in long mode, still in 32-bit code.' },
  9: { name: '64-bit code', meaning: 'The first instruction of a code segment with the L bit ran.' },
  10: { name: 'Ring 3', meaning: 'The first instruction at privilege level 3 ran: there is a user mode.' },
  [STAGE_APS]: {
    name: 'APs',
    meaning: 'The first start-up IPI was sent: the other CPUs, the application processors, begin.',
  },
}
