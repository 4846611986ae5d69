; The gate for #UD is filled in, but its present bit is not set.
%include "broken.inc"
main:   PROTECTED
        mov     dword [IDT + 8 * 6], handler + (CODE32 << 16)
        mov     dword [IDT + 8 * 6 + 4], 0e00h
        lidt    [table]
        ud2
handler:
        hlt
table:  dw      0ffh
        dd      IDT
        TABLE
