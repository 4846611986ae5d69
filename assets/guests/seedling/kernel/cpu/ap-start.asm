; Where further processors begin: a STARTUP IPI with vector 08h starts them in real mode at 0800:0000 (SDM 3A 8.4.4). This
; code is copied to physical page 8 and climbs to long mode in one go: it needs no stack and no BIOS.
HOME equ 0x8000
%define HERE(label) (label - ap_start + HOME)
MAILBOX equ HOME + 0xFE0          ; CR3, RSP, RDI, RIP, as cpu/smp.c fills it

section .rodata
global ap_start, ap_start_end
BITS 16
ap_start:
    cli
    cld
    xor ax, ax
    mov ds, ax
    o32 lgdt [HERE(gdt.pointer)]
    ; Straight to long mode: PAE, CR3, EFER.LME, then PE and PG at once (SDM 3A 9.8.5 allows it; paging without
    ; protection is what is not allowed).
    mov eax, cr4
    or eax, 1 << 5
    mov cr4, eax
    mov eax, [MAILBOX]
    mov cr3, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 1 << 8
    or eax, [HERE(efer_nxe)]
    wrmsr
    mov eax, cr0
    or eax, 0x80010001          ; PG, WP, PE
    and eax, 0x9FFFFFFF         ; caches on
    mov cr0, eax
    jmp dword 0x08:HERE(.long)
BITS 64
.long:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov rsp, [MAILBOX + 8]
    mov rdi, [MAILBOX + 16]
    xor ebp, ebp
    call [MAILBOX + 24]         ; ap_main, in the higher half
    ud2

align 8
gdt:
    dq 0
    dq 0x00AF9A000000FFFF
    dq 0x00CF92000000FFFF
.pointer:
    dw $ - gdt - 1
    dd HERE(gdt)
global efer_nxe
efer_nxe: dd 0                  ; 1 << 11 in the copy, where the first CPU has it
ap_start_end:
section .note.GNU-stack noalloc noexec nowrite progbits
