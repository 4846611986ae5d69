; Jumps to a text. ES is small, so that the first INSB ("l") faults.
%include "broken.inc"
main:   PROTECTED
        mov     ax, 20h
        mov     es, ax
        mov     edi, 100000h
        jmp     hello
hello:  db      "Hello, world of kernels", 0
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
