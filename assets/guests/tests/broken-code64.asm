; Long mode is on, but the far jump goes to a 32-bit code segment: 64-bit code is read as 32-bit code.
%include "broken.inc"
main:   PROTECTED
        TABLES
        PAE
        EFER    100h
        PAGING
        jmp     CODE32:wrong
        bits    64
wrong:  mov     rax, [rdi + 0ff00000h]
        mov     rsp, rax
        mov     rbp, rsp
        ud2
        TABLE
