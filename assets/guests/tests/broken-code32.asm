; A routine of 32-bit code is called in 64-bit mode: it begins with PUSHA.
%include "broken.inc"
main:   PROTECTED
        TABLES
        LONG    0
        call    old
        hlt
        bits    32
old:    pusha
        popa
        ret
        TABLE
