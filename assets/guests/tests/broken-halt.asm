; Halts with interrupts off, as a boot chain that has come to its end.
%include "broken.inc"
main:   PROTECTED
        hlt
        TABLE
