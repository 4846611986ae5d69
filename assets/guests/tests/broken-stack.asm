; A recursion without end, down to a page that is not mapped.
%include "broken.inc"
main:   PROTECTED
        TABLES
        mov     dword [PT + 8 * 5], 0
        LONG    0
deeper: push    rax
        call    deeper
        TABLE
