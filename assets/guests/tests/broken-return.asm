; The page-fault handler returns with the error code still on the stack.
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
        mov     dword [PD + 8 * 2], 400000h | 83h
        iretq
table:  dw      0fffh
        dq      IDT
        TABLE
