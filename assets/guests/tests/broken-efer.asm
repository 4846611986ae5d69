; Sets EFER.LME when paging is on already.
%include "broken.inc"
main:   PROTECTED
        mov     dword [PML4], 83h
        mov     eax, PML4
        mov     cr3, eax
        mov     eax, cr4
        or      al, 10h
        mov     cr4, eax
        PAGING
        EFER    100h
        hlt
        TABLE
