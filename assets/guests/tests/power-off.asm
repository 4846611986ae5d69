; Switches the machine off: the PM1a control register where QEMU's i440FX machine has it (port 604h, S5 | SLP_EN), and
; where Bochs and old QEMUs have it (B004h); then Bochs's "Shutdown" at port 8900h; then APM.
%include "boot.inc"
main:   PRINT   "Switching off", 13, 10
        mov     ax, 2000h
        mov     dx, 604h
        out     dx, ax
        mov     dx, 0b004h
        out     dx, ax
        mov     si, .word
        mov     dx, 8900h
        mov     cx, 8
        rep     outsb
        mov     ax, 5307h
        mov     bx, 1
        mov     cx, 3
        int     15h
        PRINT   "still here", 13, 10
        jmp     stop
.word:  db      "Shutdown"
        SIGNATURE
