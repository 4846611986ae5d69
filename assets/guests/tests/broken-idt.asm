; The IDT lies at an address that is not mapped any more.
%include "broken.inc"
main:   PROTECTED
        TABLES
        LONG    0
        lidt    [table]
        ud2
table:  dw      0fffh
        dq      0ffff800000001000h
        TABLE
