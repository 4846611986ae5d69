; Interrupts and exceptions that are tasks of their own (SDM 3A 6.12.2, 8.3): faults that the task mends and that are tried again,
; traps, INT n, external interrupts and NMIs; a virtual-8086 task entered by IRET and left by a task gate; a task whose
; conforming code segment has another RPL. As CS and EIP, which task it is, is told by the task itself.
%include "harness.inc"
%include "protected.inc"
%include "fresh-task.inc"

TSS_B           equ $ - gdt
        descriptor LINEAR(tss_b), 103, 0x0089
TSS_V86         equ $ - gdt
        descriptor LINEAR(tss_v86), 103, 0x008b
CONFORMING      equ $ - gdt
        descriptor 0, 0xfffff, 0xc09e
RETURN_GATE     equ $ - gdt
        gate    TSS, 0, 0x85
gdt_end:
        align   16
tss_b:  times   104 db 0
        align   16
tss_v86: times  104 db 0
STACK_B         equ 0x50000
PAGE_DIRECTORY  equ 0x20000
PAGE_TABLE      equ 0x21000
UNMAPPED        equ 0x90000
V86_CODE        equ 0x42000

; vector %1 leads to task B, which begins at %2
%macro task_gate 2
        mov     dword [idt + %1 * 8], TSS_B << 16
        mov     dword [idt + %1 * 8 + 4], 0x8500
        mov     eax, %2
        call    make_b
%endmacro

bits 16
main:   enter_protected
        jmp     begin

bits 32
; EAX: entry. Everything else valid; the descriptor available.
make_b: pushad
        fresh_task
        mov     dword [count], 0
        popad
        ret

; Task B: counts, notes where the interrupted task stands and what is on the stack, and returns; its next turn goes on there.
b:      inc     dword [count]
        mov     eax, [tss + 0x20]
        mov     [b_eip], eax
        mov     [b_esp], esp
        mov     eax, [esp]
        mov     [b_top], eax
        str     ax
        movzx   eax, ax
        mov     [b_tr], eax
        movzx   eax, word [tss_b]
        mov     [b_link], eax
        iretd
        add     dword [count], 0x100    ; started again where it had stopped
        jmp     b
; with an error code: takes it away, mends what was wrong
b_error:
        pop     dword [b_top]
        inc     dword [count]
        mov     eax, [tss + 0x20]
        mov     [b_eip], eax
        mov     eax, cr2
        mov     [b_cr2], eax
        or      dword [PAGE_TABLE + (UNMAPPED >> 12) * 4], 1
        iretd
b_divide:
        inc     dword [count]
        mov     dword [divisor], 10
        iretd

begin:  ; identity map of the first 4 MiB, one page missing
        mov     edi, PAGE_TABLE
        mov     eax, 7
        mov     ecx, 1024
.map:   stosd
        add     eax, 0x1000
        loop    .map
        mov     dword [PAGE_DIRECTORY], PAGE_TABLE | 7
        and     dword [PAGE_TABLE + (UNMAPPED >> 12) * 4], ~1
        mov     eax, PAGE_DIRECTORY
        mov     cr3, eax
        mov     [tss + 0x1c], eax
        mov     eax, cr0
        or      eax, 0x80010000
        mov     cr0, eax

; --- software interrupts and traps: the task goes on behind the instruction
        task_gate 0x40, b
        int     0x40
.int:   expect  dword [count], 1, "INT n through a task gate"
        expect  dword [b_eip], .int, "INT n: EIP in the TSS is behind it"
        expect  dword [b_esp], STACK_B, "INT n: no error code"
        expect  dword [b_tr], TSS_B, "the task's own TR"
        expect  dword [b_link], TSS, "and its link"
        int     0x40
        expect  dword [count], 0x102, "a second INT n: the task goes on behind its IRET"
        task_gate 3, b
        int3
.int3:  expect  dword [count], 1, "INT3 through a task gate"
        expect  dword [b_eip], .int3, "INT3: EIP in the TSS is behind it"
        task_gate 4, b
        mov     al, 127
        add     al, 127
        into
.into:  expect  dword [count], 1, "INTO through a task gate"
        expect  dword [b_eip], .into, "INTO: EIP in the TSS is behind it"
        task_gate 2, b
        int     2
        expect  dword [count], 1, "INT 2 through a task gate"

; --- faults: tried again
        task_gate 0, b_divide
        mov     dword [divisor], 0
        xor     edx, edx
        mov     eax, 1500
        div     dword [divisor]
        expect  eax, 150, "#DE through a task gate, mended and tried again"
        expect  dword [count], 1, "#DE: the task ran once"
        task_gate 14, b_error
.write: mov     dword [UNMAPPED + 4], 0x600d
        expect  dword [count], 1, "#PF through a task gate"
        expect  dword [b_top], 2, "#PF: the error code on the task's stack"
        expect  dword [b_eip], .write, "#PF: EIP in the TSS is the instruction's"
        expect  dword [b_cr2], UNMAPPED + 4, "#PF: CR2"
        expect  dword [UNMAPPED + 4], 0x600d, "#PF: mended and tried again"

; --- from outside: an interrupt the task takes, and an NMI, both by the local APIC
        mov     dword [PAGE_DIRECTORY + 0xfec], 0xfec00093 ; FEC00000h-FEFFFFFFh, 4 MiB
        mov     eax, cr4
        or      eax, 0x10
        mov     cr4, eax
        mov     dword [0xfee000f0], 0x1ff
        mov     al, 0xff
        out     0x21, al
        out     0xa1, al
        task_gate 0x41, b
        sti
        mov     dword [0xfee00300], 0x44041     ; to itself
        nop
        nop
        cli
        expect  dword [count], 1, "an external interrupt through a task gate"
        expect  dword [b_tr], TSS_B, "an external interrupt: the task's TR"
        mov     dword [0xfee000b0], 0
        task_gate 2, b
        mov     dword [0xfee00310], 0
        mov     dword [0xfee00300], 0x04400     ; NMI to APIC 0
        nop
        nop
        expect  dword [count], 1, "an NMI through a task gate"
        ; IRET has ended the NMI: the next one is taken
        mov     dword [0xfee00300], 0x04400
        nop
        nop
        expect  dword [count], 0x102, "the IRET of the task ends the NMI"

; --- a gate in the GDT leads back
        mov     dword [idt + 13 * 8], TSS_B << 16
        mov     dword [idt + 13 * 8 + 4], 0x8500
        mov     eax, .gp
        call    make_b
        mov     eax, 0x1234
.load:  mov     es, ax                  ; two bytes
        expect  dword [b_top], 0x1234, "#GP through a task gate: the selector"
        mov     eax, es
        expect  eax, DATA, "#GP: ES is what it was"
        jmp     .v86
.gp:    pop     dword [b_top]
        add     dword [tss + 0x20], 2
        and     byte [gdt + TSS + 5], ~2 ; available, so that JMP takes it
        jmp     RETURN_GATE:0xf4f4f4f4

; --- virtual-8086 task: IRET with NT to a busy TSS whose EFLAGS have VM, back by a task gate for #UD
.v86:   and     byte [gdt + TSS_B + 5], ~2
        mov     word [V86_CODE], 0x0b0f ; UD2
        mov     edi, tss_v86
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     dword [tss_v86 + 0x24], 0x20002
        mov     eax, cr3
        mov     [tss_v86 + 0x1c], eax
        mov     dword [tss_v86 + 0x4c], V86_CODE >> 4
        mov     dword [tss_v86 + 0x54], 0x1234
        mov     dword [tss_v86 + 0x48], 0x2345
        mov     dword [tss_v86 + 0x50], 0x5000
        mov     dword [tss_v86 + 0x38], 0x1000
        mov     dword [tss_v86 + 0x28], 0xc0ffee
        mov     dword [tss_v86 + 0x64], 104 << 16
        mov     byte [gdt + TSS_V86 + 5], 0x8b
        mov     dword [idt + 6 * 8], TSS << 16
        mov     dword [idt + 6 * 8 + 4], 0x8500
        mov     word [tss], TSS_V86
        pushfd
        or      dword [esp], 0x4000
        popfd
        iretd
.back:  expect  dword [tss_v86 + 0x20], 0, "V86 task: IP of UD2"
        mov     eax, [tss_v86 + 0x24]
        and     eax, 0x20000
        expect  eax, 0x20000, "V86 task: VM in its image"
        expect  dword [tss_v86 + 0x28], 0xc0ffee, "V86 task: EAX"
        movzx   eax, word [tss_v86 + 0x54]
        expect  eax, 0x1234, "V86 task: DS is any number"
        movzx   eax, byte [gdt + TSS_V86 + 5]
        expect  eax, 0x8b, "V86 task: stays busy, the gate nests"
        str     ax
        movzx   eax, ax
        expect  eax, TSS, "back in the main task"
        movzx   eax, word [tss]
        expect  eax, TSS_V86, "its link is the V86 task"
        pushfd
        pop     eax
        and     eax, 0x24000
        expect  eax, 0x4000, "NT, and VM is clear"
        pushfd
        and     dword [esp], ~0x4000
        popfd

; --- a conforming code segment: its selector's RPL is the task's CPL (SDM 3A 5.5, table 8-1)
        mov     eax, .conforming
        call    make_b
        mov     dword [tss_b + 0x4c], CONFORMING | 3
        mov     ecx, 6
        mov     edi, tss_b + 0x50
        mov     dword [tss_b + 0x48], USER_DATA
        mov     dword [tss_b + 0x50], USER_DATA
        mov     dword [tss_b + 0x54], USER_DATA
        mov     dword [tss_b + 0x58], USER_DATA
        mov     dword [tss_b + 0x5c], USER_DATA
        mov     dword [tss_b + 0x24], 0x3002
        call    TSS_B:0xf4f4f4f4
        expect  dword [count], 1, "CALL to a task with conforming code"
        expect  dword [b_top], CONFORMING | 3, "its CPL is 3"
        movzx   eax, byte [gdt + CONFORMING + 5]
        expect  eax, 0x9f, "its descriptor is accessed"
        finish
.conforming:
        inc     dword [count]
        mov     eax, cs
        mov     [b_top], eax
        iretd

        align   4
count:  dd      0
divisor: dd     0
b_eip:  dd      0
b_esp:  dd      0
b_top:  dd      0
b_tr:   dd      0
b_link: dd      0
b_cr2:  dd      0
