// What each stage of the climb is: two sentences for whoever sees it the first time, what has to come before it, and what the
// documents call it. Sections are those of Intel's manual (SDM, order 325462 before its chapters were renumbered) and AMD's (APM 2).
import * as L from '../../core/layout'

export interface StageWords {
  id: number
  name: string
  /** Two sentences: what it is, and why it is done. */
  text: string
  /** CLIMB_* that have to be reached before this makes sense. */
  after: readonly number[]
  documents: readonly { source: string; term: string }[]
}

const sdm = (section: string, term: string) => ({ source: `SDM ${section}`, term })
const apm = (section: string, term: string) => ({ source: `APM 2 ${section}`, term })
const usual = (term: string) => ({ source: 'tutorials', term })

export const STAGES: readonly StageWords[] = [
  {
    id: L.CLIMB_RESET,
    name: 'Reset vector',
    text: 'Power is on, and the CPU fetches its first instruction at FFFFFFF0h, 16 bytes below 4 GiB, where the ROM answers. It is in real mode, but CS still has the base FFFF0000h that no selector can express; the first far jump ends that.',
    after: [],
    documents: [
      sdm('3A 9.1.4', 'First Instruction Executed'),
      apm('14.1.5', 'Fetching the First Instruction'),
      usual('reset vector'),
    ],
  },
  {
    id: L.CLIMB_BIOS,
    name: 'BIOS, POST done',
    text: 'The firmware has tested and set up the board: interrupt vectors at 0, its data area at 400h, the interrupt controllers, the timer, the screen. From here it looks for something to boot.',
    after: [L.CLIMB_RESET],
    documents: [usual('power-on self-test (POST)'), usual('IVT and BDA')],
  },
  {
    id: L.CLIMB_BOOT_SECTOR,
    name: 'Boot sector',
    text: 'The first sector of the drive, which ends in 55 AA, was read to 0000:7C00 and is jumped to, with the drive’s number in DL. It is 16-bit code with 510 bytes to do something clever in: usually it reads a second stage.',
    after: [L.CLIMB_BIOS],
    documents: [
      sdm('3A 9.7', 'Software Initialization for Real-Address Mode Operation'),
      usual('stage 1, MBR, 0x7C00'),
    ],
  },
  {
    id: L.CLIMB_A20,
    name: 'A20 gate open',
    text: 'Address line 20 passes. While it is held at 0, as for programs of the 8086, every odd megabyte is the even one below it, and a kernel at 1 MiB would overwrite the interrupt vectors at 0.',
    after: [L.CLIMB_BOOT_SECTOR],
    documents: [
      usual('enabling A20, fast A20 gate (port 92h)'),
      sdm('3B 20.1.1', 'Address Translation in Real-Address Mode'),
    ],
  },
  {
    id: L.CLIMB_GDT,
    name: 'GDT loaded',
    text: 'LGDT told the CPU where the guest’s own table of segment descriptors lies, and how long it is. Nothing changes yet: the table is read when a selector is loaded into a segment register in protected mode.',
    after: [L.CLIMB_BOOT_SECTOR],
    documents: [
      sdm('3A 3.5.1', 'Segment Descriptor Tables'),
      sdm('3A 9.8.1', 'Protected-Mode System Data Structures'),
      usual('flat memory model'),
    ],
  },
  {
    id: L.CLIMB_PROTECTED,
    name: 'Protected mode',
    text: 'CR0.PE is set: from now on selectors name descriptors, with limits and rights. CS keeps what it had from real mode, so the code that follows is still 16-bit until a far jump loads CS.',
    after: [L.CLIMB_A20, L.CLIMB_GDT],
    documents: [
      sdm('3A 9.9.1', 'Switching to Protected Mode'),
      apm('14.4', 'Initializing Protected Mode'),
      usual('set the PE bit in CR0'),
    ],
  },
  {
    id: L.CLIMB_CODE32,
    name: '32-bit code',
    text: 'A far transfer loaded CS with a descriptor whose D bit is set: instructions now have 32-bit operands and addresses. The data segments still hold what they held in real mode until each is loaded with a selector of the new table.',
    after: [L.CLIMB_PROTECTED],
    documents: [
      sdm('3A 9.9.1', 'far JMP or far CALL … immediately following MOV CR0'),
      sdm('3A 3.4.5', 'D/B (default operation size)'),
      usual('far jump into 32-bit land, [BITS 32]'),
    ],
  },
  {
    id: L.CLIMB_TABLES,
    name: 'Page tables',
    text: 'MOV to CR3 told the CPU where the topmost page table lies; it is a physical address. The tables must map the code that runs right now at the address it runs at (an identity map), else the instruction after paging goes on is gone.',
    after: [L.CLIMB_PROTECTED],
    documents: [
      sdm('3A 9.8.3', 'Initializing Paging'),
      sdm('3A 4.5', '4-level paging'),
      usual('the 4-level tree: PML4, PDPT, PD, PT'),
    ],
  },
  {
    id: L.CLIMB_PAE,
    name: 'PAE',
    text: 'CR4.PAE is set: page-table entries are 8 bytes wide, with room for addresses above 4 GiB. Long mode will not go on without it.',
    after: [L.CLIMB_PROTECTED],
    documents: [
      sdm('3A 4.4', 'PAE paging'),
      sdm('3A 9.8.5', 'Initializing IA-32e Mode, step 2'),
      usual('physical address extension'),
    ],
  },
  {
    id: L.CLIMB_LME,
    name: 'EFER.LME',
    text: 'WRMSR set bit 8 of the MSR C0000080h: long mode is enabled, not yet active. It becomes active when paging goes on; while paging is on the bit cannot be changed.',
    after: [L.CLIMB_PROTECTED],
    documents: [
      sdm('3A 9.8.5', 'Initializing IA-32e Mode, step 4'),
      apm('14.6.1', 'Activating Long Mode'),
      usual('long mode enable'),
    ],
  },
  {
    id: L.CLIMB_PAGING,
    name: 'Paging',
    text: 'CR0.PG is set: every linear address goes through the page tables, that of the very next instruction too. What the tables do not map raises #PF from here on.',
    after: [L.CLIMB_TABLES],
    documents: [
      sdm('3A 4.1.2', 'Paging-Mode Enabling'),
      sdm('3A 9.8.5', 'Initializing IA-32e Mode, step 5'),
      usual('turn on paging'),
    ],
  },
  {
    id: L.CLIMB_LONG,
    name: 'Long mode active',
    text: 'EFER.LME was set when paging went on, so the CPU set EFER.LMA: it is in long mode. CS is a 32-bit segment still, so the code runs in compatibility mode until a far jump loads a segment with the L bit.',
    after: [L.CLIMB_PAE, L.CLIMB_LME, L.CLIMB_PAGING],
    documents: [
      sdm('3A 2.2', 'IA-32e mode, compatibility mode'),
      sdm('3A 9.8.5', 'the processor sets IA32_EFER.LMA'),
      apm('14.6.1', 'Activating Long Mode'),
    ],
  },
  {
    id: L.CLIMB_CODE64,
    name: '64-bit code',
    text: 'A far transfer loaded CS with a descriptor whose L bit is set and D bit clear: registers and addresses are 64 bits wide. Bases and limits of CS, DS, ES and SS count no more.',
    after: [L.CLIMB_LONG],
    documents: [
      sdm('3A 9.8.5.3', '64-bit Mode and Compatibility Mode Operation'),
      sdm('3A 5.2.1', 'Code-Segment Descriptor in 64-bit Mode'),
      usual('jump to long mode, [BITS 64]'),
    ],
  },
  {
    id: L.CLIMB_HIGHER_HALF,
    name: 'Higher half',
    text: 'The kernel runs at the upper end of the address space, where every process can have it mapped in the same place, and the lower half is free for programs. The identity map may go once nothing runs in it any more.',
    after: [L.CLIMB_PAGING],
    documents: [sdm('1 3.3.7.1', 'Canonical Addressing'), usual('higher-half kernel')],
  },
  {
    id: L.CLIMB_IDT,
    name: 'IDT loaded',
    text: 'LIDT told the CPU where the table with a gate for each of 256 vectors lies. Until then any exception is the end: there is no handler to go to, so it becomes a double and then a triple fault.',
    after: [L.CLIMB_PROTECTED],
    documents: [
      sdm('3A 6.10', 'Interrupt Descriptor Table (IDT)'),
      sdm('3A 9.8.5.2', 'IA-32e Mode Interrupts and Exceptions'),
      usual('IDT'),
    ],
  },
  {
    id: L.CLIMB_TSS,
    name: 'TSS loaded',
    text: 'LTR put a task-state segment into TR. The CPU takes from it the stack on which an interrupt of ring 3 arrives (RSP0), and those of gates that ask for a stack of their own (IST).',
    after: [L.CLIMB_GDT],
    documents: [
      sdm('3A 7.7', 'Task Management in 64-bit Mode'),
      sdm('3A 9.8.4', 'Initializing Multitasking'),
      usual('TSS, RSP0, IST'),
    ],
  },
  {
    id: L.CLIMB_INTERRUPT,
    name: 'First interrupt',
    text: 'An interrupt from outside found a gate in the guest’s table and its handler runs. The instruction shown is the one it came before: nothing in the program asked for it.',
    after: [L.CLIMB_IDT],
    documents: [
      sdm('3A 6.3.1', 'External Interrupts'),
      sdm('3A 6.12.1', 'Exception- or Interrupt-Handler Procedures'),
      usual('IRQ, after remapping the PIC'),
    ],
  },
  {
    id: L.CLIMB_AP,
    name: 'Other CPUs started',
    text: 'The boot processor wrote a start-up IPI into its local APIC’s command register. The CPU that it names begins in real mode at the page whose number is in the vector, and climbs the same ladder by itself.',
    after: [L.CLIMB_IDT],
    documents: [sdm('3A 8.4.3', 'MP Initialization Protocol Algorithm'), usual('INIT-SIPI-SIPI, trampoline')],
  },
  {
    id: L.CLIMB_SYSCALL,
    name: 'System calls set up',
    text: 'The MSRs say where a program enters the kernel: LSTAR for SYSCALL (with EFER.SCE set), or SYSENTER’s three. A kernel that takes its system calls by an interrupt gate (INT 80h) does without.',
    after: [L.CLIMB_PROTECTED],
    documents: [
      sdm('3A 5.8.8', 'Fast System Calls in 64-Bit Mode'),
      apm('6.1.1', 'SYSCALL and SYSRET'),
      usual('STAR, LSTAR, SFMASK'),
    ],
  },
  {
    id: L.CLIMB_RING3,
    name: 'User mode',
    text: 'The first instruction at privilege level 3 runs: a program that can do nothing to the machine but ask. Kernels go there by an IRET with a frame they made up, or by SYSRET.',
    after: [L.CLIMB_IDT, L.CLIMB_TSS],
    documents: [
      sdm('3A 5.5', 'Privilege Levels'),
      sdm('2A', 'IRET, return to outer privilege level'),
      usual('entering ring 3, user mode'),
    ],
  },
]
