; Sets XD in a page-table entry while EFER.NXE is clear.
%include "broken.inc"
main:   PROTECTED
        TABLES
        mov     dword [PT + 8 * 40h + 4], 80000000h
        LONG    0
        mov     al, [40000h]
        TABLE
