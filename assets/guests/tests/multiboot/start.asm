; The entry points of two kernels that check what a boot loader hands them: an ELF32 file by Multiboot (VERSION 1) and an
; ELF64 file by Multiboot 2. Both are entered in 32-bit protected mode (Multiboot 0.6.96 3.2; Multiboot2 2.0 3.3).

extern kmain
extern bss_start
extern bss_end

section .multiboot
%if VERSION = 1
        align   4
FLAGS   equ     7                       ; aligned modules, memory, video
        dd      1badb002h, FLAGS, -(1badb002h + FLAGS)
        dd      0, 0, 0, 0, 0           ; the ELF header says where
        dd      0, 800, 600, 32         ; linear graphics
%else
        align   8
header: dd      0e85250d6h, 0, header_end - header, -(0e85250d6h + header_end - header)
        dw      1, 0                    ; demanded: command line, modules, memory map, sections, framebuffer
        dd      28, 1, 3, 6, 9, 8
        align   8, db 0
        dw      5, 1                    ; framebuffer, if there is one
        dd      20, 800, 600, 32
        align   8, db 0
        dw      6, 0                    ; aligned modules
        dd      8
        dw      0ff0h, 1                ; nobody knows this one, nobody has to
        dd      8
        dw      0, 0
        dd      8
header_end:
%endif

section .boot progbits alloc exec nowrite
        bits    32
global start
start:  mov     [state], eax
        mov     [state + 4], ebx
        mov     [state + 20], esp
        mov     esp, stack_top
        pushfd
        pop     dword [state + 8]
        mov     eax, cr0
        mov     [state + 12], eax
        ; Every segment flat: the limits of code, data and stack
        mov     ecx, 0ffffffffh
        mov     ax, cs
        lsl     edx, ax
        and     ecx, edx
        mov     ax, ds
        lsl     edx, ax
        and     ecx, edx
        mov     ax, ss
        lsl     edx, ax
        and     ecx, edx
        mov     ax, es
        lsl     edx, ax
        and     ecx, edx
        mov     [state + 16], ecx
        ; What the file does not have is zero
        mov     edi, bss_start
        mov     ecx, bss_end
        sub     ecx, edi
        xor     eax, eax
        repe    scasb
        sete    [state + 24]
        lgdt    [gdtr]
%if VERSION = 1
        mov     ax, 10h
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        jmp     8:.flat
.flat:  push    state
        call    kmain
%else
        ; Page tables for the first 4 GiB, 2 MiB pages
        mov     edi, tables
        mov     eax, tables + 4096 + 3
        mov     [edi], eax
        mov     ecx, 4
        mov     eax, tables + 8192 + 3
        lea     edi, [tables + 4096]
.pdpt:  mov     [edi], eax
        add     edi, 8
        add     eax, 4096
        loop    .pdpt
        ; and, where this kernel runs, the first GiB once more
        mov     dword [tables + 511 * 8], tables + 6 * 4096 + 3
        mov     dword [tables + 6 * 4096 + 510 * 8], tables + 8192 + 3
        mov     edi, tables + 8192
        mov     eax, 83h
        mov     ecx, 2048
.pd:    mov     [edi], eax
        mov     dword [edi + 4], 0
        add     edi, 8
        add     eax, 200000h
        loop    .pd
        mov     eax, 0a0h
        mov     cr4, eax
        mov     eax, tables
        mov     cr3, eax
        mov     ecx, 0c0000080h
        rdmsr
        or      eax, 100h
        wrmsr
        mov     eax, 80000011h
        mov     cr0, eax
        jmp     8:.long
        bits    64
.long:  mov     eax, 10h
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     rsp, stack_top
        mov     edi, state
        mov     rax, kmain
        call    rax
%endif
.hang:  cli
        hlt
        jmp     .hang

section .bootdata progbits alloc noexec write align=16
gdt:    dq      0
%if VERSION = 1
        dq      00cf9b000000ffffh
%else
        dq      00af9b000000ffffh
%endif
        dq      00cf93000000ffffh
gdtr:   dw      23
        dd      gdt
global state
state:  times   7 dd 0

section .stack nobits alloc write align=4096
%if VERSION = 2
tables: resb    7 * 4096
%endif
        resb    16384
stack_top:
