; The page-fault handler reads from a page that is not mapped, again and again, until there is no stack left.
%include "broken.inc"
main:   PROTECTED
        TABLES
        LONG    0
        mov     dword [IDT + 16 * 14], handler + (CODE64 << 16)
        mov     dword [IDT + 16 * 14 + 4], 8e00h
        lidt    [table]
        mov     al, [400000h]
        hlt
handler:
        mov     rbx, [500000h]
        hlt
table:  dw      0fffh
        dq      IDT
        TABLE
