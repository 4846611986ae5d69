; Jumps to a page with XD.
%include "broken.inc"
main:   PROTECTED
        TABLES
        mov     dword [PT + 8 * 40h + 4], 80000000h
        mov     byte [40000h], 90h
        LONG    800h
        mov     eax, 40000h
        jmp     rax
        TABLE
