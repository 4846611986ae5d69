; Debug exceptions in 64-bit mode: what a step does at STI, MOV SS, INT1, HLT and general detect, breakpoints that MOV SS
; defers to an interrupt, steps from branch to branch (SDM 3A 6.8.3, 3B 18.2, 18.3, 18.4.4).
; #DB does not lead to `resume` here: every one is noted, and the program goes on where it was.
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
gdt_end:

APIC            equ 0xc00000            ; through PD[6]
TF              equ 0x100
BS              equ 0x4000
BD              equ 0x2000
DEBUGCTL        equ 0x1d9

; the next note, %1 = 0..9: at RIP %2 with DR6 (bits 0-3, 13-15) %3
%macro noted 4
        expect  dword [notes + %1 * 16], %2, {%4, ": RIP"}
        expect  dword [notes + %1 * 16 + 8], %3, {%4, ": DR6"}
%endmacro
%macro count 2
        expect  dword [note_count], %1, {%2, ": number of #DB"}
%endmacro
%macro fresh 0
        mov     dword [note_count], 0
        xor     eax, eax
        mov     dr6, rax
%endmacro
%macro step 0                           ; the instruction behind this is the first one that traps
        pushfq
        or      dword [rsp], TF
        popfq
%endmacro
%macro unstep 0                         ; traps behind PUSHFQ, AND and POPFQ
        pushfq
        and     dword [rsp], ~TF
        popfq
%endmacro

; one #DB at %2, where {%3} leads: text, label, instruction
%macro branch 3
        fresh
        msr_write DEBUGCTL, 0, 2
        mov     eax, %2
        mov     ecx, 2
        push    CODE
        push    rax
        step
        %3
        nop
%2:     mov     edx, [rsp]              ; BTF is off: steps
        unstep
        noted   0, %2, BS, {%1, ": step"}
        mov     esp, STACK0
%endmacro

bits 16
main:   enter_long
bits 64
        mov     dword [PD + 6 * 8], 0xfee00000 | 0x93
        mov     rax, cr3
        mov     cr3, rax
        mov     eax, note
        mov     [idt + 16], ax
        shr     eax, 16
        mov     [idt + 16 + 6], ax

        ; --- one instruction after TF was set, and one more after it was cleared (SDM 3B 18.3.1.4)
        fresh
        step
.s0:    nop
.s1:    cpuid
.s2:    unstep
.s3:    nop
        count   5, "steps"
        noted   0, .s1, BS, "step over NOP"
        noted   1, .s2, BS, "step over CPUID"
        noted   4, .s3, BS, "step over the POPFQ that clears TF"

        ; --- STI does not defer a step (SDM 3A 6.8.1: it inhibits interrupts)
        fresh
        cli
        mov     al, 0xff
        out     0x21, al
        step
        sti
.sti:   unstep
        cli
        count   4, "steps with STI"
        noted   0, .sti, BS, "step over STI"

        ; --- MOV SS does
        fresh
        mov     ecx, ss
        step
        mov     ss, ecx
        nop
.mss:   unstep
        count   4, "steps with MOV SS"
        noted   0, .mss, BS, "step behind MOV SS and NOP"

        ; --- INT1 is a trap of its own without BS; the step behind MOV SS is lost in it
        fresh
        mov     ecx, ss
        step
        mov     ss, ecx
        db      0xf1
.ice1:  db      0xf1
.ice2:  unstep
        count   5, "steps with MOV SS and INT1"
        noted   0, .ice1, 0, "INT1 behind MOV SS"
        noted   1, .ice2, 0, "INT1"

        ; --- general detect is a fault: MOV SS does not defer it, TF does not join it
        fresh
        mov     ecx, ss
        xor     ebx, ebx
        mov     eax, 0x2400
        mov     dr7, rax
        step
        mov     ss, ecx
.gd:    mov     dr6, rbx
.gd1:   unstep
        count   5, "steps with general detect"
        noted   0, .gd, BD, "general detect behind MOV SS"
        noted   1, .gd1, BS, "the MOV DR6 again"

        ; --- HLT behind STI: the step ends the halt
        fresh
        cli
        step
        sti
.hlt:   hlt
.hlt1:  unstep
        cli
        count   5, "steps with STI and HLT"
        noted   0, .hlt, BS, "step over STI before HLT"
        noted   1, .hlt1, BS, "step over HLT"

        ; --- DR6.BS is not cleared by the processor, and not set by a breakpoint (SDM 3B 18.2.3)
        fresh
        mov     eax, BS | 2
        mov     dr6, rax
        mov     eax, .bp
        mov     dr2, rax
        mov     eax, 0x420
        mov     dr7, rax
        mov     dword [note_resume], 1
.bp:    nop
        xor     eax, eax
        mov     dr7, rax
        mov     dword [note_resume], 0
        count   1, "execution breakpoint"
        noted   0, .bp, BS | 4, "DR6.BS stays, B1 does not"

        ; --- a data breakpoint that MOV SS defers
        mov     word [watched], DATA
        mov     eax, watched
        mov     dr1, rax
        fresh
        mov     eax, 0x00f0040a
        mov     dr7, rax
        mov     ss, [watched]
        db      0x2e, 0x2e, 0xf1
.mi:    count   1, "breakpoint of MOV SS and INT1"
        noted   0, .mi, 2, "one #DB for both"
        fresh
        mov     ss, [watched]
        int     1
.mn:    count   2, "breakpoint of MOV SS and INT 1"
        noted   0, note, 2, "the breakpoint at the first instruction of its handler"
        noted   1, .mn, 0, "INT 1 itself"
        fresh
        catch   .mb_after
        mov     ss, [watched]
        db      0x2e, 0xcc
.mb_after:
        expect  dword [caught_vector], 3, "INT3 behind MOV SS"
        count   1, "breakpoint of MOV SS and INT3"
        expect  dword [notes + 8], 2, "at the first instruction of its handler: DR6"

        ; --- an execution breakpoint behind MOV SS is suppressed as if RF were set (SDM 3B 18.3.1.1)
        mov     eax, .me
        mov     dr2, rax
        mov     eax, 0x00f0042a
        mov     dr7, rax
        fresh
        mov     ss, [watched]
.me:    nop
.me1:   count   1, "breakpoints of MOV SS and of the NOP behind it"
        noted   0, .me1, 2, "MOV SS's alone, behind the NOP"
        mov     eax, .mf
        mov     dr2, rax
        fresh
        mov     ecx, DATA
        mov     ss, cx
.mf:    nop
        count   0, "breakpoint behind MOV SS: number of #DB"
        xor     eax, eax
        mov     dr7, rax

        ; --- SYSCALL and SYSRET step by the TF they leave behind: an IA32_FMASK that clears it hides the kernel from who steps
        ; the program, and one that SYSRET loads traps before the first instruction there
        fresh
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 1
        wrmsr
        msr_write 0xc0000081, (USER_CODE32 << 16) | CODE, 0
        msr_write 0xc0000082, 0, .sys
        msr_write 0xc0000084, 0, TF
        user_gate 0x30
        catch   .sysdone
        to_user .u0, USER_CODE, 0x202 | TF
.u0:    nop
.u1:    syscall
.u2:    nop
.u3:    int     0x30
.sys:   o64 sysret
.sysdone:
        count   3, "steps with SYSCALL and SYSRET"
        noted   0, .u1, BS, "step behind the IRET that loads TF"
        noted   1, .u2, BS, "SYSRET that loads TF, not SYSCALL"
        noted   2, .u3, BS, "step over the instruction SYSRET led to"

        ; --- branches (SDM 3B 18.4.4): DEBUGCTL.BTF, cleared by every #DB
        fresh
        msr_write DEBUGCTL, 0, 2
        xor     ebx, ebx
        step
        nop
        test    ebx, ebx
        jnz     .never
        inc     ebx
        jmp     .b1
.never: nop
.b1:    mov     edx, 7
        unstep
        count   5, "steps on branches"
        noted   0, .b1, BS, "the first step is the jump"
        mov     ecx, DEBUGCTL
        rdmsr
        expect  eax, 0, "BTF is cleared by #DB"
        branch  "CALL", .t1, {call .t1}
        branch  "RET", .t2, {ret}
        branch  "JMP", .t3, {jmp short .t3}
        branch  "indirect JMP", .t4, {jmp rax}
        branch  "indirect CALL", .t5, {call [rsp]}
        branch  "taken LOOP", .t6, {loop .t6}
        branch  "taken Jcc", .t7, {jz .t7}
        branch  "taken Jcc, near", .t8, {jz near .t8}
        branch  "far RET", .t9, {retfq}
        fresh
        msr_write DEBUGCTL, 0, 2
        step
        jmp     short .next
.next:  nop
        unstep
        msr_write DEBUGCTL, 0, 0
        noted   0, .next, BS, "JMP to the next instruction"
        fresh
        msr_write DEBUGCTL, 0, 2
        mov     ecx, 1
        xor     eax, eax
        step
        loop    .never2
        jnz     .never2
        jc      near .never2
        nop
.never2:
        unstep
        msr_write DEBUGCTL, 0, 0
        count   0, "no step on branches that are not taken"
        finish

; notes RIP and DR6; with [note_resume], sets RF. BTF and TF as they are left.
note:   push    rax
        push    rcx
        mov     ecx, [note_count]
        cmp     ecx, 10
        jae     .full
        shl     ecx, 4
        mov     rax, [rsp + 16]
        mov     [notes + rcx], rax
        mov     rax, dr6
        and     eax, 0xe00f
        mov     [notes + rcx + 8], rax
        inc     dword [note_count]
.full:  xor     eax, eax
        mov     dr6, rax
        cmp     dword [note_resume], 0
        je      .out
        or      dword [rsp + 32], 0x10000
.out:   pop     rcx
        pop     rax
        iretq
        align   16
notes:  times   10 dq 0, 0
note_count: dd  0
note_resume: dd 0
watched: dw     0
