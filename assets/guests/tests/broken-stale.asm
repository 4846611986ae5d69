; Makes a page writable that the TLB knows as read-only, and forgets INVLPG.
%include "broken.inc"
main:   PROTECTED
        TABLES
        mov     dword [PT + 8 * 50h], 50000h | 1
        LONG    0
        mov     rax, cr0
        or      eax, 10000h
        mov     cr0, rax
        mov     al, [50000h]
        mov     dword [PT + 8 * 50h], 50000h | 3
        mov     [50000h], al
        hlt
        TABLE
