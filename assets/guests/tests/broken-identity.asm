; Turns paging on with a page directory that maps nothing: the next instruction is gone.
%include "broken.inc"
main:   PROTECTED
        mov     edi, PML4
        mov     ecx, 1000h / 4
        xor     eax, eax
        rep stosd
        mov     eax, PML4
        mov     cr3, eax
        PAGING
        hlt
        TABLE
