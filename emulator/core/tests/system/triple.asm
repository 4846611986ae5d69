; Ends in shutdown: in long mode, a write to a page that is not mapped with an IDT that holds one entry only.
%include "harness.inc"
%include "long.inc"
gdt_end:

bits 16
main:   enter_long
bits 64
        lidt    [short_idt]
        mov     ebx, 0x40000000
        mov     eax, 0x1234
fault:  mov     [rbx + 8], eax
        finish

short_idt:
        dw      15
        dq      idt
