; A boot sector without 55h AAh at its end: the firmware must not start it.
%include "boot.inc"
main:   PRINT   "started without a signature", 13, 10
        jmp     stop
        times   512 - ($ - $$) db 0
