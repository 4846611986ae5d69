; Jumps to memory that nothing was loaded to. DS is small, so that the first ADD [EAX], AL faults.
%include "broken.inc"
main:   PROTECTED
        mov     ax, 20h
        mov     ds, ax
        mov     eax, 100000h
        jmp     50000h
        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
        dq      0
        dq      004093000000ffffh
pointer:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
