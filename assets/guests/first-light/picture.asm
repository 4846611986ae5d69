; The picture: the sun comes up behind the limb of a planet. Mode 13h, drawn by arithmetic alone.
;
; Every pixel has two brightnesses, that of the sun's light and that of the air's, 0-15 each; together they are its
; palette index, and the palette holds their sum. An ordered dither makes 16 levels look like many.

SUN_X           equ 160
SUN_Y           equ 125                 ; y in units of the picture's width: 200 rows are 240 high on the tube
LIMB_Y          equ 134
RADIUS          equ 400
CENTRE_Y        equ LIMB_Y + RADIUS
FADE_STEPS      equ 24
SHOWN_TICKS     equ 40                  ; 2.2 seconds after the fade

picture:
        push    ds                      ; keep the text
        push    SCREEN >> 4
        pop     ds
        push    SAVED_SCREEN >> 4
        pop     es
        xor     si, si
        xor     di, di
        mov     cx, COLUMNS * 25
        rep     movsw
        pop     ds

        mov     ax, 0013h
        int     10h
        mov     word [fade], 0
        call    palette                 ; black until it is drawn
        call    draw_sky
        call    draw_stars
        call    write_name

.fade:  inc     word [fade]
        call    palette
        mov     cx, 1
        call    wait_ticks
        cmp     word [fade], FADE_STEPS
        jb      .fade
        mov     cx, SHOWN_TICKS
        call    wait_ticks

        mov     ax, 0003h
        int     10h
        mov     ah, 01h
        mov     cx, 2000h
        int     10h
        push    ds
        push    SAVED_SCREEN >> 4
        pop     ds
        push    SCREEN >> 4
        pop     es
        xor     si, si
        xor     di, di
        mov     cx, COLUMNS * 25
        rep     movsw
        pop     ds
        push    0
        pop     es
        ret

; Waits CX ticks of the BIOS clock; a key ends the waiting.
wait_ticks:
        mov     ah, 01h
        int     16h
        jnz     .over
        mov     bx, [046ch]
.same:  hlt
        cmp     bx, [046ch]
        je      .same
        loop    wait_ticks
.over:  ret

; ---------------------------------------------------------------------------------------------------------

draw_sky:
        push    0a000h
        pop     es
        xor     di, di
        mov     word [row], 0
.row:   mov     ax, [row]
        imul    ax, ax, 77              ; * 1.2
        shr     ax, 6
        mov     [height], ax
        mov     word [column], 0
.pixel: movsx   ebx, word [column]
        sub     ebx, SUN_X
        imul    ebx, ebx                ; EBX = dx^2, sun and planet share their x
        movsx   eax, word [height]
        mov     ecx, eax
        sub     eax, SUN_Y
        imul    eax, eax
        add     eax, ebx
        mov     [distance], eax         ; squared, from the sun
        sub     ecx, CENTRE_Y
        imul    ecx, ecx
        add     ecx, ebx
        sub     ecx, RADIUS * RADIUS
        sar     ecx, 4
        mov     [altitude], ecx         ; (r^2 - R^2) / 16 = 50 * height over the limb, nearly

        ; The air: brightest at the limb, thinner above, gone quickly below; strongest near the sun.
        mov     eax, 3840 * 400         ; 15 levels in 1/256
        cmp     ecx, 0
        jl      .inside
        mov     ebx, ecx
        shr     ebx, 1
        add     ebx, 400
        jmp     .air
.inside:
        mov     ebx, ecx
        neg     ebx
        shl     ebx, 1
        add     ebx, 400
.air:   xor     edx, edx
        div     ebx
        mov     ebx, eax                ; squared once more: the edge gets crisp
        mul     ebx
        shr     eax, 12
        mov     ebx, 11000
        mul     ebx
        mov     ebx, [distance]
        add     ebx, 9000
        div     ebx
        call    level
        mov     [air], al

        ; The sun: a disc that outshines the scale, and a glow that the planet hides.
        mov     eax, 3840 * 1700
        mov     ebx, [distance]
        shl     ebx, 1
        add     ebx, 500
        xor     edx, edx
        div     ebx
        mov     ecx, [altitude]
        cmp     ecx, 0
        jge     .sun
        neg     ecx
        lea     ebx, [ecx * 2 + 300]
        mov     ecx, 300
        mul     ecx
        div     ebx
        mov     ecx, 200                ; and once more, dimmer
        mul     ecx
        div     ebx
.sun:   call    level
        shl     al, 4
        or      al, [air]
        stosb

        inc     word [column]
        cmp     word [column], 320
        jb      .pixel
        inc     word [row]
        cmp     word [row], 200
        jb      .row
        ret

; AL = EAX / 256 with the dither of this pixel, 0-15; the faintest light is taken away, so that the sky gets dark.
level:
        sub     eax, 240
        jnc     .dither
        xor     eax, eax
.dither:
        mov     bx, [row]
        and     bx, 3
        shl     bx, 2
        mov     dx, [column]
        and     dx, 3
        add     bx, dx
        movzx   edx, byte [bayer + bx]
        add     eax, edx
        shr     eax, 8
        cmp     eax, 15
        jbe     .fits
        mov     eax, 15
.fits:  ret

; Stars where the sky is dark.
draw_stars:
        mov     cx, 420
        mov     eax, 20260101
.next:  imul    eax, eax, 1103515245
        add     eax, 12345
        mov     ebx, eax
        shr     ebx, 8
        and     ebx, 0ffffh
        cmp     bx, 320 * 108
        jae     .skip
        mov     dl, [es:bx]
        test    dl, dl
        jz      .put
        cmp     dl, 1
        jne     .skip
.put:   mov     edx, eax
        shr     edx, 27
        and     dl, 3
        push    bx
        movzx   bx, dl
        mov     dl, [star_colours + bx]
        pop     bx
        mov     [es:bx], dl
.skip:  loop    .next
        ret

write_name:
        mov     ah, 02h                 ; row 22, centred
        xor     bh, bh
        mov     dx, 160ah
        int     10h
        mov     si, text_name
.next:  lodsb
        test    al, al
        jz      .done
        mov     ah, 0eh
        mov     bx, 002dh               ; the colour of the air near the sun
        int     10h
        jmp     .next
.done:  ret

; All 256 colours at [fade] / FADE_STEPS of their brightness.
palette:
        mov     dx, 3c8h
        xor     al, al
        out     dx, al
        inc     dx
        xor     bx, bx                  ; BL = index
.next:  mov     al, bl
        shr     al, 4
        movzx   si, al                  ; sun
        mov     al, bl
        and     al, 0fh
        movzx   di, al                  ; air
        mov     ax, si                  ; red: 8 a level of sun
        shl     ax, 3
        mov     cx, di
        imul    cx, cx
        shr     cx, 4
        add     ax, cx
        call    .out
        mov     ax, si                  ; green: the square of the sun, air by half
        imul    ax, ax
        imul    ax, ax, 11
        shr     ax, 5
        mov     cx, di
        imul    cx, cx
        imul    cx, cx, 3
        shr     cx, 4
        add     ax, cx
        call    .out
        mov     ax, si                  ; blue: the cube of the sun, air in full
        imul    ax, ax
        imul    ax, si
        shr     ax, 6
        mov     cx, di
        imul    cx, cx, 5
        add     ax, cx
        call    .out
        inc     bl
        jnz     .next
        ret
.out:   cmp     ax, 63
        jbe     .fits
        mov     ax, 63
.fits:  push    dx
        mul     word [fade]
        mov     cx, FADE_STEPS
        div     cx
        pop     dx
        out     dx, al
        ret

bayer:          db 0, 128, 32, 160, 192, 64, 224, 96, 48, 176, 16, 144, 240, 112, 208, 80
star_colours:   db 07h, 26h, 38h, 5ah
text_name:      db "F I R S T   L I G H T", 0
row:            dw 0
column:         dw 0
height:         dw 0
fade:           dw 0
distance:       dd 0
altitude:       dd 0
air:            db 0
