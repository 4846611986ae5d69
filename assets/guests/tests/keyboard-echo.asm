; Tells COM1 every key that INT 16h/10h gives: scan code and character in hexadecimal, the shift flags, the character.
%include "boot.inc"
main:   PRINT   "Keyboard ready", 13, 10
.key:   mov     ah, 10h
        int     16h
        push    ax
        call    hex16
        mov     al, ' '
        call    put
        mov     ah, 02h
        int     16h
        call    hex8
        pop     ax
        cmp     al, ' '
        jb      .line
        cmp     al, 7eh
        ja      .line
        push    ax
        mov     al, ' '
        call    put
        pop     ax
        call    put
        push    ax
        mov     ah, 0eh
        mov     bx, 7
        int     10h
        pop     ax
.line:  call    newline
        jmp     .key
        SIGNATURE
