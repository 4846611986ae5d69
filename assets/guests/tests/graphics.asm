; Three graphics modes, the next one at a key: mode 12h (16 colours in four planes) with 16 bars of 40 pixels; mode X (320x240,
; Abrash's) with colour (x + y) mod 256 at (x, y), the palette being (i / 4, 63 - i / 4, i mod 4 * 21); 640x480 with 32 bits of the
; VBE with red x, green y, blue x XOR y (each mod 256). Says "Bars", "Mode X" and "VBE" on COM1 when each is drawn.
%include "boot.inc"
INFO    equ 8000h
main:   mov     ax, 12h
        int     10h
        push    0a000h
        pop     es
        mov     ax, 0102h               ; sequencer, map mask: plane 0
.plane: call    mask
        xor     di, di
        mov     bx, 480                 ; lines
.line:  xor     dl, dl                  ; colour
.bar:   mov     cx, 5
        test    dl, ah
        mov     al, 0
        jz      .fill
        dec     al
.fill:  rep     stosb
        inc     dx
        cmp     dl, 16
        jb      .bar
        dec     bx
        jnz     .line
        mov     al, 2
        shl     ah, 1
        cmp     ah, 16
        jb      .plane
        PRINT   "Bars", 13, 10
        xor     ax, ax
        int     16h

        mov     ax, 13h
        int     10h
        mov     si, .crtc
        mov     dx, 3c4h
        mov     ax, 0604h               ; memory mode: not chained
        out     dx, ax
        mov     dl, 0c2h
        mov     al, 0e3h                ; 480 lines
        out     dx, al
        mov     dl, 0d4h
        mov     cx, 11
.next:  lodsw
        out     dx, ax
        loop    .next
        mov     dl, 0c8h
        mov     al, cl
        out     dx, al
        inc     dx
.dac:   mov     al, cl
        shr     al, 2
        out     dx, al
        xor     al, 63
        out     dx, al
        mov     al, cl
        and     al, 3
        imul    ax, ax, 21
        out     dx, al
        inc     cl
        jnz     .dac
        mov     ax, 0102h
        xor     bh, bh                  ; the plane's first x
.sheet: call    mask
        xor     di, di
        mov     bl, 0                   ; y
.row:   mov     al, bl
        add     al, bh
        mov     cx, 80
.dot:   stosb
        add     al, 4
        loop    .dot
        inc     bl
        cmp     bl, 240
        jb      .row
        mov     al, 2
        inc     bh
        shl     ah, 1
        cmp     ah, 16
        jb      .sheet
        PRINT   "Mode X", 13, 10
        xor     ax, ax
        int     16h

        push    cs
        pop     es
        mov     ax, 4f01h
        mov     cx, 142h
        mov     di, INFO
        int     10h
        mov     ax, 4f02h
        mov     bx, 4142h
        int     10h
        in      al, 92h                 ; address line 20
        or      al, 2
        out     92h, al
        cli
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     08h:flat
; Index and value of CRTC registers: 480 lines, two of each, bytes in place of doublewords.
.crtc:  dw      2c11h, 0d06h, 3e07h, 4109h, 0ea10h, 0ac11h, 0df12h, 0014h, 0e715h, 0616h, 0e317h
mask:   mov     dx, 3c4h
        out     dx, ax
        ret

        bits    32
flat:   mov     ax, 10h
        mov     es, ax
        mov     ds, ax
        mov     edi, [INFO + 28h]
        xor     ebx, ebx                ; y
.line:  xor     ecx, ecx                ; x
.dot:   movzx   eax, cl
        shl     eax, 8
        mov     al, bl
        shl     eax, 8
        mov     al, cl
        xor     al, bl
        stosd
        inc     ecx
        cmp     ecx, 640
        jb      .dot
        inc     ebx
        cmp     ebx, 480
        jb      .line
        mov     dx, COM1
        mov     esi, said
.say:   lodsb
        out     dx, al
        cmp     al, 10
        jne     .say
.rest:  hlt
        jmp     .rest
said    db      "VBE", 13, 10
gdt:    dq      0, 00cf9a000000ffffh, 00cf92000000ffffh
.register:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
