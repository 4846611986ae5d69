; Writes to COM1 without end or mercy: lines of 64 characters.
%include "boot.inc"
main:   xor     ebx, ebx
.line:  mov     cx, 54
.dots:  mov     al, '.'
        call    put
        loop    .dots
        mov     eax, ebx
        shr     eax, 16
        call    hex16
        mov     ax, bx
        call    hex16
        call    newline
        inc     ebx
        jmp     .line
        SIGNATURE
