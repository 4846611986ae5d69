; The gate for #UD asks for a stack of its own, and the TSS is too short to name one.
%include "broken.inc"
main:   PROTECTED
        TABLES
        LONG    0
        mov     dword [IDT + 16 * 6], handler + (CODE64 << 16)
        mov     dword [IDT + 16 * 6 + 4], 8e01h
        lidt    [table]
        mov     ax, 20h
        ltr     ax
        ud2
handler:
        hlt
table:  dw      0fffh
        dq      IDT
        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
        dq      00af9b000000ffffh
        dq      0000890300000023h
        dq      0
pointer:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
