; Turns interrupts on in protected mode before there is an IDT: the timer comes as vector 8.
%include "broken.inc"
main:   PROTECTED
        sti
here:   jmp     here
        TABLE
