; Divides by zero, and there is no IDT yet.
%include "broken.inc"
main:   PROTECTED
        xor     edx, edx
        xor     ecx, ecx
        div     ecx
        TABLE
