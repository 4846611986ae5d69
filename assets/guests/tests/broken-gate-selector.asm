; The gate for #UD names the data segment.
%include "broken.inc"
main:   PROTECTED
        mov     dword [IDT + 8 * 6], handler + (DATA << 16)
        mov     dword [IDT + 8 * 6 + 4], 8e00h
        lidt    [table]
        ud2
handler:
        hlt
table:  dw      0ffh
        dd      IDT
        TABLE
