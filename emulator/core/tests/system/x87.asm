; The x87 as a system sees it: power-up, #NM, both ways of reporting errors, environments in real mode, FXSAVE.
%include "harness.inc"

%macro vector 2                         ; IVT entry
        mov     word [(%1) * 4], %2
        mov     word [(%1) * 4 + 2], 0
%endmacro

%macro fault_at 2                       ; LABEL of the faulting instruction's end; vector that must have come
        expect  dword [caught_vector], %2, "vector of the exception"
        movzx   eax, word [caught_ip]
        expect  eax, %1, "address of the instruction"
        mov     dword [caught_vector], 0xff
%endmacro

%macro cr0_bits 2                       ; clear, set
        mov     eax, cr0
        and     eax, ~(%1)
        or      eax, %2
        mov     cr0, eax
%endmacro

EM      equ     4
TS      equ     8
MP      equ     2
NE      equ     0x20
BUFFER  equ     0x6000

main:   vector  7, not_available
        vector  16, numeric_error
        vector  13, protection
        vector  0x75, irq13
        mov     sp, 0x7000
        mov     dword [caught_vector], 0xff

        ; SDM 3A table 9-1
        fnstcw  [word_]
        movzx   eax, word [word_]
        expect  eax, 0x40, "SDM 3A table 9-1: FCW after power-up"
        fnstsw  ax
        movzx   eax, ax
        expect  eax, 0, "SDM 3A table 9-1: FSW after power-up"
        fninit
        fnstcw  [word_]
        movzx   eax, word [word_]
        expect  eax, 0x37f, "SDM 2A FNINIT"

        ; SDM 3A table 2-2
        cr0_bits TS | MP, EM
        mov     word [resume], .after_em
.em:    fnop
.after_em:
        fault_at .em, 7
        mov     word [resume], .after_em_init
        fwait                           ; neither MP nor TS: goes on
.em_init:
        fninit
.after_em_init:
        fault_at .em_init, 7
        cr0_bits EM | MP, TS
        fwait
        mov     word [resume], .after_ts
.ts:    fld1
.after_ts:
        fault_at .ts, 7
        cr0_bits EM, TS | MP
        mov     word [resume], .after_wait
.wait:  fwait
.after_wait:
        fault_at .wait, 7
        cr0_bits EM | TS | MP, 0

        ; SDM 1 8.7.1: with CR0.NE the next waiting instruction raises #MF
        cr0_bits 0, NE
        fninit
        fldcw   [unmasked_zero]
        fld1
        fldz
        fdivp   st1, st0
        fnstsw  ax
        movzx   eax, ax
        expect  eax, 0xb084, "SDM 1 8.7: ZE, ES and B; the operands stay"
        mov     word [resume], .after_mf
.mf:    fwait
.after_mf:
        fault_at .mf, 16
        mov     word [resume], .after_mf2
.mf2:   fld1
.after_mf2:
        fault_at .mf2, 16
        fnclex
        fwait
        expect  dword [caught_vector], 0xff, "SDM 1 8.7: nothing is pending after FNCLEX"

        ; SDM 1 8.7.2, appendix D.2: with NE clear FERR# raises IRQ 13 and the instruction waits for the handler
        call    program_pic
        cr0_bits NE, 0
        fninit
        fldcw   [unmasked_zero]
        fld1
        fldz
        sti
        fdivp   st1, st0
.frozen:
        fld1
.thawed:
        cli
        expect  dword [irq13_count], 1, "SDM 1 8.7.2: IRQ 13 once"
        movzx   eax, word [irq13_ip]
        expect  eax, .frozen, "SDM 1 8.7.2: before the instruction that waits"
        movzx   eax, word [irq13_status]
        expect  eax, 0xb084, "SDM 1 8.7.2: the handler sees the error"
        expect  dword [irq13_ignored], 1, "SDM 1 D.2.1.3: with IGNNE# the handler may use waiting instructions"
        fnstsw  ax
        movzx   eax, ax
        expect  eax, 0x2800, "the instruction went on after the handler"
        cr0_bits 0, NE

        ; The instruction pointer is that of the last instruction that is no control instruction (SDM 1 8.1.8)
        fninit
.fldpi: fldpi
        fnstcw  [word_]
        fnstenv [BUFFER]
        movzx   eax, word [BUFFER + 6]
        expect  eax, .fldpi, "SDM 1 figure 8-12: FIP in the 16-bit real-mode environment"
        movzx   eax, word [BUFFER]
        expect  eax, 0x37f, "FNSTENV: control word"
        movzx   eax, word [BUFFER + 2]
        expect  eax, 0x3800, "FNSTENV: status word"
        movzx   eax, word [BUFFER + 4]
        expect  eax, 0x3fff, "FNSTENV: R7 in use and valid, the others empty"
        o32 fnstenv [BUFFER]
        expect  dword [BUFFER + 8], 0xffff3fff, "SDM 1 figure 8-10: reserved half is ones"
        movzx   eax, word [BUFFER + 12]
        expect  eax, .fldpi, "SDM 1 figure 8-10: FIP in the 32-bit real-mode environment"

        ; FXSAVE (SDM 1 10.5.1)
        mov     eax, cr4
        or      eax, 0x200
        mov     cr4, eax
        fninit
        fldpi
        fld1
        fxsave  [BUFFER]
        movzx   eax, word [BUFFER]
        expect  eax, 0x37f, "FXSAVE: FCW"
        movzx   eax, word [BUFFER + 2]
        expect  eax, 0x3000, "FXSAVE: FSW"
        movzx   eax, word [BUFFER + 4]
        expect  eax, 0xc0, "FXSAVE: a tag bit per physical register"
        expect  dword [BUFFER + 36], 0x80000000, "FXSAVE: ST(0) first"
        movzx   eax, word [BUFFER + 40]
        expect  eax, 0x3fff, "FXSAVE: its exponent"
        expect  dword [BUFFER + 48], 0x2168c235, "FXSAVE: then ST(1)"
        expect  dword [BUFFER + 24], 0x1f80, "FXSAVE: MXCSR"
        fninit
        fxrstor [BUFFER]
        fxch    st1
        fstp    qword [word_]
        expect  dword [word_ + 4], 0x400921fb, "FXRSTOR: ST(1) is pi again"
        fnstsw  ax
        movzx   eax, ax
        expect  eax, 0x3820, "FXRSTOR: TOP; the double was inexact"
        mov     word [resume], .after_misaligned
.misaligned:
        fxsave  [BUFFER + 8]
.after_misaligned:
        fault_at .misaligned, 13
        mov     word [resume], .after_mxcsr
        mov     dword [BUFFER + 24], 0x80000000
.mxcsr: fxrstor [BUFFER]
.after_mxcsr:
        fault_at .mxcsr, 13
        finish

program_pic:
        ; There is no firmware to put the local APIC into virtual wire mode. Off, it lets INTR through (SDM 3A 10.4.3).
        mov     ecx, 0x1b
        rdmsr
        and     ah, 0xf7
        wrmsr
        mov     al, 0x11
        out     0x20, al
        out     0xa0, al
        mov     al, 8
        out     0x21, al
        mov     al, 0x70
        out     0xa1, al
        mov     al, 4
        out     0x21, al
        mov     al, 2
        out     0xa1, al
        mov     al, 1
        out     0x21, al
        out     0xa1, al
        mov     al, 0xfb                ; the cascade only
        out     0x21, al
        mov     al, 0xdf                ; IRQ 13 only
        out     0xa1, al
        ret

not_available:
        mov     dword [caught_vector], 7
        jmp     caught
numeric_error:
        mov     dword [caught_vector], 16
        jmp     caught
protection:
        mov     dword [caught_vector], 13
caught: push    bp
        mov     bp, sp
        push    eax
        mov     ax, [bp + 2]
        mov     [caught_ip], ax
        mov     ax, [resume]
        mov     [bp + 2], ax
        pop     eax
        pop     bp
        iret

irq13:  push    eax
        push    bp
        mov     bp, sp
        inc     dword [irq13_count]
        mov     ax, [bp + 6]
        mov     [irq13_ip], ax
        out     0xf0, al
        fnstsw  [irq13_status]
        fnop                            ; waits, but IGNNE# is active now
        mov     dword [irq13_ignored], 1
        fnclex
        mov     al, 0x20
        out     0xa0, al
        out     0x20, al
        pop     bp
        pop     eax
        iret

align 4
caught_vector:  dd 0xff
irq13_count:    dd 0
irq13_ignored:  dd 0
word_:          dq 0
unmasked_zero:  dw 0x37b
caught_ip:      dw 0
resume:         dw 0
irq13_ip:       dw 0
irq13_status:   dw 0

