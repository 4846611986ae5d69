; Puts another frame, with code in it, behind a page that the TLB knows, and forgets INVLPG: what runs is the old frame.
%include "broken.inc"
main:   PROTECTED
        TABLES
        mov     word [60000h], 0f4fah
        LONG    0
        mov     al, [50000h]
        mov     dword [PT + 8 * 50h], 60000h | 3
        mov     eax, 400000h
        mov     ebx, 50000h
        jmp     rbx
        TABLE
