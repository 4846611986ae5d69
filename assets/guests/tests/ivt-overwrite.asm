; Overwrites the whole interrupt vector table and lets the timer interrupt come: from there on there is no program.
%include "boot.inc"
main:   PRINT   "Overwriting the vectors", 13, 10
        xor     di, di
        mov     cx, 200h
        mov     ax, 0ffffh
        rep     stosw
        sti
.wait:  hlt
        jmp     .wait
        SIGNATURE
