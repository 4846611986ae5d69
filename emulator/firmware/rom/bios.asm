; The system ROM of Ringside: 128 KiB at E0000h-FFFFFh and again below 4 GiB.
;
; Segment E000h holds the fonts and the VBE's tables, segment F000h the code: power-on, interrupt handlers, entry points. What the
; interfaces do is written in the core (emulator/core/bios); the code here is what has to be real x86 code: what
; programs the chips, takes hardware interrupts, waits with STI and HLT, and starts the boot sector.
;
; Entry points and tables lie where IBM put them (PC AT Technical Reference, BIOS listing), because software
; jumps to some of them. -D gives the offsets shared with the core: ROM_* of emulator/core/bios/rom-layout.ts.

        bits    16
        cpu     x64

%include "macros.inc"
%include "pci-bios.asm"

section fonts start=0 vstart=0
        AT ROM_FONT_8X16
        incbin  "font-8x16.bin"
        AT ROM_FONT_8X14
        incbin  "font-8x14.bin"
        AT ROM_FONT_8X8
        incbin  "font-8x8.bin"
%include "vbe.asm"
%include "bios32.asm"
        AT 10000h

section code start=10000h vstart=0
%include "post.asm"
%include "boot.asm"
%include "interrupts.asm"
%include "services.asm"
        AT ROM_DSDT
%include "dsdt.asm"
%include "entries.asm"
