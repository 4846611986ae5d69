; Jumps to C0000000h in protected mode without an IDT: #UD, then a triple fault.
%include "boot.inc"
main:   PRINT   "Jumping to C0000000", 13, 10
        cli
        lgdt    [pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     dword 8:0c0000000h
        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
pointer:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
