; Returns to an address that cannot exist.
%include "broken.inc"
main:   PROTECTED
        TABLES
        LONG    0
        mov     rax, 0123456789abcdefh
        push    rax
        ret
        TABLE
