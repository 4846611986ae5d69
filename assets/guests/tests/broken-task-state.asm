; Ring 3 makes a system call, and there is no TSS to take the kernel's stack from.
%include "broken.inc"
main:   PROTECTED
        mov     dword [20000h + 8 * 80h], handler + (CODE32 << 16)
        mov     dword [20000h + 8 * 80h + 4], 0ee00h
        lidt    [table]
        push    dword 20h | 3
        push    dword 6000h
        push    dword 2
        push    dword 18h | 3
        push    dword user
        iretd
user:   int     80h
handler:
        hlt
table:  dw      0fffh
        dd      20000h
        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
        dq      00cffb000000ffffh
        dq      00cff3000000ffffh
pointer:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
