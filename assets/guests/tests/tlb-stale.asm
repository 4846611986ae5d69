; Uses pages, changes their entries, and forgets INVLPG for all but one: what a TLB view has to show.
%include "broken.inc"
main:   PROTECTED
        TABLES
        LONG    0
        mov     rax, cr4
        or      al, 80h
        mov     cr4, rax
        mov     dword [PT + 8 * 42h], 42103h
        mov     ecx, 40000h
touch:  mov     byte [rcx], 1
        add     ecx, 1000h
        cmp     ecx, 46000h
        jb      touch
        ; 40h: another frame. 41h: read-only. 43h: not present. 44h: another frame, and said so. 45h: as it was.
        mov     dword [PT + 8 * 40h], 50003h
        mov     dword [PT + 8 * 41h], 41061h
        mov     dword [PT + 8 * 43h], 0
        mov     dword [PT + 8 * 44h], 54003h
        invlpg  [44000h]
        mov     al, [44000h]
here:   jmp     here
        TABLE
