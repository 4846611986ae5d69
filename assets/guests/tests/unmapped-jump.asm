; Jumps to D000:0000, where nothing answers: all ones, an invalid opcode. The firmware's handler reports it.
%include "boot.inc"
main:   PRINT   "Jumping to D000:0000", 13, 10
        jmp     0d000h:0000h
        SIGNATURE
