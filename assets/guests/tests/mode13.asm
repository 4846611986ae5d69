; A test card in mode 13h: the 256 palette entries of the BIOS as 16x16 squares of 12x12, a white frame around the
; picture, and three bars (red, green, blue: entries 28h, 30h, 20h) at the right.
%include "boot.inc"
main:   mov     ax, 13h
        int     10h
        push    0a000h
        pop     es
        xor     bx, bx                  ; BL = colour
.square:
        mov     al, bl
        and     ax, 0fh
        imul    di, ax, 12              ; x
        mov     al, bl
        shr     al, 4
        and     ax, 0fh
        imul    ax, ax, 12 * 320
        add     di, ax
        add     di, 4 * 320 + 8
        mov     dx, 12
.row:   mov     cx, 12
        mov     al, bl
        rep     stosb
        add     di, 320 - 12
        dec     dx
        jnz     .row
        inc     bl
        jnz     .square
        mov     bl, 28h                 ; red, green, blue of the BIOS's palette
        mov     di, 4 * 320 + 210
        call    bar
        mov     bl, 30h
        mov     di, 4 * 320 + 245
        call    bar
        mov     bl, 20h
        mov     di, 4 * 320 + 280
        call    bar
        mov     al, 0fh                 ; frame
        xor     di, di
        mov     cx, 320
        rep     stosb
        mov     di, 199 * 320
        mov     cx, 320
        rep     stosb
        mov     cx, 200
        xor     di, di
.side:  mov     [es:di], al
        mov     [es:di + 319], al
        add     di, 320
        loop    .side
        PRINT   "Test card", 13, 10
        jmp     stop
bar:    mov     dx, 192
.row:   mov     cx, 30
        mov     al, bl
        rep     stosb
        add     di, 320 - 30
        dec     dx
        jnz     .row
        ret
        SIGNATURE
