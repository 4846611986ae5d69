; 80x50 text by loading the 8x8 font (INT 10h/1112h): each row numbered in its own colour, all 256 characters at the
; right, the cursor in the last row.
%include "boot.inc"
main:   mov     ax, 0003h
        int     10h
        mov     ax, 1112h
        xor     bl, bl
        int     10h
        push    0b800h
        pop     es
        xor     di, di
        xor     bx, bx                  ; row
.row:   mov     al, bl
        aam                             ; AH tens, AL units
        xchg    cx, ax
        mov     ah, bl
        and     ah, 0fh
        jnz     .colour
        mov     ah, 70h
.colour:
        mov     al, ch
        add     al, '0'
        stosw
        mov     al, cl
        add     al, '0'
        stosw
        add     di, 156
        inc     bx
        cmp     bx, 50
        jb      .row
        mov     di, (8 * 80 + 24) * 2
        xor     bx, bx
        mov     ah, 07h
.table: mov     al, bl
        stosw
        mov     al, ' '
        stosw
        inc     bl
        test    bl, 0fh
        jnz     .same
        add     di, 160 - 32 * 2
.same:  test    bl, bl
        jnz     .table
        mov     ah, 02h
        xor     bh, bh
        mov     dx, 3105h
        int     10h
        mov     ax, 1130h
        mov     bh, 3
        int     10h
        push    dx
        PRINT   "Rows "
        pop     ax
        push    cx
        call    hex8
        PRINT   " height "
        pop     ax
        call    hex8
        call    newline
        jmp     stop
        SIGNATURE
