; The IDT of 32-bit code, gates of 8 bytes, is still the one when an exception comes in 64-bit mode.
%include "broken.inc"
main:   PROTECTED
        TABLES
        mov     edi, IDT
.next:  mov     dword [edi], handler + (CODE32 << 16)
        mov     dword [edi + 4], 8e00h
        add     edi, 8
        cmp     edi, IDT + 100h
        jb      .next
        lidt    [table]
        LONG    0
        ud2
handler:
        hlt
table:  dw      0ffh
        dd      IDT
        TABLE
