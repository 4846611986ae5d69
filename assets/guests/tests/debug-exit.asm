; Writes 15h to the isa-debug-exit port: the machine stops, its value is (15h << 1) | 1 = 43.
%include "boot.inc"
main:   PRINT   "Leaving through port F4h", 13, 10
        mov     al, 15h
        out     0f4h, al
        PRINT   "still here", 13, 10
        jmp     stop
        SIGNATURE
