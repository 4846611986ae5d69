; Goes round in a circle with interrupts off.
%include "broken.inc"
main:   PROTECTED
here:   jmp     here
        TABLE
