; Ring 3 makes a system call, and RSP0 in the TSS has never been filled in.
%include "broken.inc"
main:   PROTECTED
        TABLES
        or      byte [PML4], 4
        or      byte [PDPT], 4
        or      byte [PD], 4
        or      byte [PT + 8 * 7], 4
        or      byte [PT + 8 * 6], 4
        LONG    0
        mov     dword [IDT + 16 * 80h], handler + (CODE64 << 16)
        mov     dword [IDT + 16 * 80h + 4], 0ee00h
        lidt    [table]
        mov     ax, 30h
        ltr     ax
        push    28h | 3
        push    6ff0h
        push    2
        push    20h | 3
        push    user
        iretq
user:   int     80h
handler:
        hlt
table:  dw      0fffh
        dq      IDT
        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
        dq      00af9b000000ffffh
        dq      00affb000000ffffh
        dq      00cff3000000ffffh
        dq      0000890300000067h
        dq      0
pointer:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
