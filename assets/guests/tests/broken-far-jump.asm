; Sets CR0.PE and goes on with 32-bit code, without the far jump that would make it 32-bit code.
%include "broken.inc"
main:   cli
        A20
        lgdt    [pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        bits    32
        mov     ax, DATA
        mov     ds, ax
        mov     ss, ax
        mov     esp, 7c00h
        mov     edi, 100000h
        mov     dword [edi + 12345678h], 12345678h
        ud2
        TABLE
