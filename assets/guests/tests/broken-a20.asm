; Forgets the A20 gate, which it finds closed: what is meant for 1 MiB lands at 0.
%include "broken.inc"
main:   cli
        in      al, 92h
        and     al, 0fch
        out     92h, al
        lgdt    [pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     CODE32:flat
        bits    32
flat:   mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, 7c00h
        mov     dword [100000h], 0c0debad0h
        hlt
        TABLE
