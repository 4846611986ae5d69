; LGDT of the wrong place: the descriptors there are zeros.
%include "broken.inc"
main:   cli
        A20
        lgdt    [pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:main
pointer:
        dw      0ffh
        dd      60000h
        SIGNATURE
