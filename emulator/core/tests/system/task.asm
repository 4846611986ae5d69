; Hardware task switching: JMP, CALL, IRET, task gates, exceptions through task gates, faults in the new task.
%include "harness.inc"
%include "protected.inc"
%include "fresh-task.inc"

TSS_B           equ $ - gdt
        descriptor LINEAR(tss_b), 103, 0x0089
TSS_16          equ $ - gdt
        descriptor LINEAR(tss_16), 43, 0x0081
TASK_GATE       equ $ - gdt
        gate    TSS_B, 0, 0x85
TSS_SHORT       equ $ - gdt
        descriptor LINEAR(tss_b), 102, 0x0089
TSS_ABSENT      equ $ - gdt
        descriptor LINEAR(tss_b), 103, 0x0009
LDT             equ $ - gdt
        descriptor LINEAR(ldt), 15, 0x0082
ABSENT_DATA     equ $ - gdt
        descriptor 0, 0xfffff, 0xc012
ABSENT_CODE     equ $ - gdt
        descriptor 0, 0xfffff, 0xc01a
CODE16          equ $ - gdt
        descriptor 0, 0xfffff, 0x809a
LDT_TSS         equ 4
LDT_GATE        equ 12
gdt_end:
        align   8
ldt:    descriptor LINEAR(tss_b), 103, 0x0089
        gate    TSS_B, 0, 0x85
        align   16
tss_b:  times   104 db 0
        align   16
tss_16: times   44 db 0
STACK_B         equ 0x50000

%macro check_fault 4                    ; vector, error, address of the instruction, text
        expect  dword [caught_vector], %1, {%4, ": vector"}
        expect  dword [caught_error], %2, {%4, ": error code"}
        expect  dword [caught_eip], %3, {%4, ": saved EIP"}
%endmacro
%macro faults 4                         ; vector, error, text, instruction
        catch   %%after
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

; tss_b: a fresh task at %1
%macro task_b 1
        mov     eax, %1
        call    make_b
%endmacro

bits 16
main:   enter_protected
        jmp     begin

bits 32
; EAX: entry. Everything else valid; the descriptors available.
make_b: pushad
        fresh_task
        mov     dword [tss_b + 0x24], 0x202 & ~0x200 | 0x80
        mov     dword [tss_b + 0x28], 0x11111111
        mov     dword [tss_b + 0x2c], 0x22222222
        mov     dword [tss_b + 0x44], 0x77777777
        popad
        ret

; back in the main task whatever happened
home:   mov     byte [gdt + TSS + 5], 0x89
        mov     ax, TSS
        ltr     ax
        pushfd
        and     dword [esp], ~0x4000
        popfd
        ret

begin:
; --- CALL and IRET (SDM 3A 8.3, table 8-2)
        task_b  .in_b
        mov     ebx, 0x33445566
        clts
        call    TSS_B:0x12345678
.back:  pushfd
        pop     dword [scratch]
        and     dword [scratch], 0x4000
        expect  dword [scratch], 0, "NT is clear in the task that called (SDM 3A table 8-2)"
        mov     eax, cr0
        and     eax, 8
        expect  eax, 8, "CR0.TS is set by a task switch (SDM 3A 8.3)"
        expect  dword [b_eax], 0x11111111, "EAX of the new task"
        expect  dword [b_edi], 0x77777777, "EDI of the new task"
        expect  dword [b_flags], 0x4082, "NT is set in a task entered by CALL"
        expect  dword [b_link], TSS, "back link of the new task"
        expect  dword [b_tr], TSS, "the TSS called from stays busy, STR tells the new"
        expect  dword [b_busy], 0x8b8b, "both TSSs are busy"
        expect  dword [tss + 0x20], .back, "EIP saved is behind the CALL"
        expect  dword [tss + 0x34], 0x33445566, "EBX saved"
        movzx   eax, byte [gdt + TSS_B + 5]
        expect  eax, 0x89, "IRET makes the task it leaves available (SDM 3A table 8-2)"
        mov     eax, [tss_b + 0x24]
        and     eax, 0x4000
        expect  eax, 0, "IRET clears NT in the image it leaves (SDM 3A 8.3)"
        expect  dword [tss_b + 0x20], .after_iret, "and it will go on behind the IRET"
        jmp     jumps
.in_b:  mov     [b_eax], eax
        mov     [b_edi], edi
        pushfd
        pop     dword [b_flags]
        movzx   eax, word [tss_b]
        mov     [b_link], eax
        str     ax
        sub     eax, TSS_B - TSS
        mov     [b_tr], eax
        xor     eax, eax
        mov     al, [gdt + TSS + 5]
        mov     ah, [gdt + TSS_B + 5]
        mov     [b_busy], eax
        iretd
.after_iret:
        hlt

; --- JMP: no nesting
jumps:  task_b  .in_b
        jmp     TSS_B:0
.back:  expect  dword [b_flags], 0x82, "JMP does not set NT"
        expect  dword [b_link], 0, "JMP leaves the link alone"
        expect  dword [b_busy], 0x8b89, "JMP: the old task is available, the new busy"
        jmp     gates
.in_b:  pushfd
        pop     dword [b_flags]
        movzx   eax, word [tss_b]
        mov     [b_link], eax
        xor     eax, eax
        mov     al, [gdt + TSS + 5]
        mov     ah, [gdt + TSS_B + 5]
        mov     [b_busy], eax
        jmp     TSS:0

; --- through task gates: GDT, LDT, IDT (SDM 3A 8.2.5)
gates:  mov     ax, LDT
        lldt    ax
        mov     [tss + 0x60], ax        ; a task switch does not save LDTR
        mov     dword [count], 0
        task_b  .in_b
        call    TASK_GATE:0
        task_b  .in_b
        call    LDT_GATE:0
        mov     dword [idt + 0x40 * 8], TSS_B << 16
        mov     dword [idt + 0x40 * 8 + 4], 0x8500
        task_b  .in_b
        int     0x40
        expect  dword [count], 3, "task gates in the GDT, LDT and IDT"
        sldt    ax
        movzx   eax, ax
        expect  eax, LDT, "LDTR is reloaded from the TSS"
        jmp     sixteen
.in_b:  inc     dword [count]
        iretd

; --- a 16-bit TSS (SDM 3A 8.6)
sixteen:
        mov     word [tss_16 + 0x0e], .in_16
        mov     word [tss_16 + 0x10], 2
        mov     word [tss_16 + 0x12], 0xabcd
        mov     word [tss_16 + 0x1a], 0x7000
        mov     word [tss_16 + 0x22], DATA
        mov     word [tss_16 + 0x24], CODE
        mov     word [tss_16 + 0x26], DATA
        mov     word [tss_16 + 0x28], DATA
        call    TSS_16:0
        expect  dword [b_eax], 0xabcd, "AX from a 16-bit TSS"
        expect  dword [b_link], TSS, "link of a 16-bit TSS"
        movzx   eax, word [tss_16 + 0x0e]
        expect  eax, .after, "IP saved in a 16-bit TSS"
        jmp     bad
.in_16: movzx   eax, ax
        mov     [b_eax], eax
        movzx   eax, word [tss_16]
        mov     [b_link], eax
        iretd
.after: hlt

; --- checks before the switch: the old task faults (SDM 3A 8.3, 6.15)
bad:    faults  13, TSS, {"JMP to a busy TSS"}, {jmp TSS:0}
        faults  13, LDT_TSS, {"CALL to a TSS in the LDT"}, {call LDT_TSS:0}
        faults  10, TSS_SHORT, {"TSS limit below 67h"}, {call TSS_SHORT:0}
        faults  11, TSS_ABSENT, {"TSS not present"}, {call TSS_ABSENT:0}
        task_b  0
        mov     word [gdt + TASK_GATE + 2], TSS
        faults  13, TSS, {"task gate to a busy TSS"}, {call TASK_GATE:0}
        mov     word [gdt + TASK_GATE + 2], TSS_B
        mov     byte [gdt + TASK_GATE + 5], 5
        faults  11, TASK_GATE, {"task gate not present"}, {call TASK_GATE:0}
        mov     byte [gdt + TASK_GATE + 5], 0x85
        mov     word [idt + 0x40 * 8 + 2], TSS
        faults  13, TSS, {"INT n through a task gate to a busy TSS"}, {int 0x40}
        mov     word [idt + 0x40 * 8 + 2], TSS_B
        mov     word [tss], DATA
        pushfd
        or      dword [esp], 0x4000
        popfd
        faults  10, DATA, {"IRET with NT, the link names no TSS"}, {iretd}

; --- checks behind it: the new task faults, at its first instruction (SDM 3A table 8-1)
%macro new_task_faults 5                ; vector, error, text, field, value
        task_b  0x66668
        mov     word [tss_b + %4], %5
        catch   %%after
        call    TSS_B:0
%%after:
        call    home
        check_fault %1, %2, 0x66668, %3
%endmacro
        new_task_faults 10, DATA, {"new task: LDTR names no LDT"}, 0x60, DATA
        new_task_faults 10, DATA, {"new task: CS is data"}, 0x4c, DATA
        new_task_faults 11, ABSENT_CODE, {"new task: CS not present"}, 0x4c, ABSENT_CODE
        new_task_faults 10, 0, {"new task: null SS"}, 0x50, 0
        new_task_faults 12, ABSENT_DATA, {"new task: SS not present"}, 0x50, ABSENT_DATA
        new_task_faults 10, CODE, {"new task: SS is code"}, 0x50, CODE
        new_task_faults 11, ABSENT_DATA, {"new task: DS not present"}, 0x54, ABSENT_DATA
        new_task_faults 10, TSS, {"new task: FS names a TSS"}, 0x58, TSS

; --- the T flag: #DB before the first instruction (SDM 3B 18.3.1.5)
        task_b  .traced
        mov     byte [tss_b + 0x64], 1
        xor     eax, eax
        mov     dr6, eax
        catch   .trapped
        call    TSS_B:0
.traced:
        hlt
.trapped:
        call    home
        expect  dword [caught_vector], 1, "T flag: vector"
        expect  dword [caught_eip], .traced, "T flag: before the first instruction"
        mov     eax, dr6
        and     eax, 0xe00f
        expect  eax, 0x8000, "T flag: DR6.BT"

; --- exceptions through a task gate: error code on the new task's stack; #DF (SDM 3A 6.15)
        mov     dword [idt + 13 * 8], TSS_B << 16
        mov     dword [idt + 13 * 8 + 4], 0x8500
        task_b  .gp
        mov     ax, DATA | 4
.at:    mov     fs, ax
.resume:
        expect  dword [b_eax], (DATA | 4) & 0xfffc, "error code on the new task's stack"
        expect  dword [b_edi], .at, "a fault's EIP in the TSS of the task that faulted"
        mov     eax, [b_flags]
        and     eax, 0x10000
        expect  eax, 0x10000, "its image has RF (SDM 3B 18.3.1.1)"
        jmp     .double
.gp:    pop     dword [b_eax]
        mov     eax, [tss + 0x20]
        mov     [b_edi], eax
        mov     eax, [tss + 0x24]
        mov     [b_flags], eax
        mov     dword [tss + 0x20], .resume
        iretd
.double:
        mov     dword [idt + 13 * 8 + 4], 0     ; no gate: #GP cannot be delivered
        mov     dword [idt + 8 * 8], TSS_B << 16
        mov     dword [idt + 8 * 8 + 4], 0x8500
        mov     dword [b_eax], 0x55
        task_b  .df
        mov     ax, DATA | 4
        mov     fs, ax
.over:  expect  dword [b_eax], 0, "#DF through a task gate: error code 0"
        finish
.df:    pop     dword [b_eax]
        mov     dword [tss + 0x20], .over
        iretd

        align   4
scratch: dd     0
count:  dd      0
b_eax:  dd      0
b_edi:  dd      0
b_flags: dd     0
b_link: dd      0
b_tr:   dd      0
b_busy: dd      0
