; A picture that moves: 1024x768 with 32 bits a pixel, drawn over and over through the linear frame buffer by 32-bit code.
; Says "Animating" on COM1 first, and counts the pictures in the double word at 0000:0600.
%include "boot.inc"
INFO    equ 8000h
main:   mov     ax, 4f01h
        mov     cx, 144h
        mov     di, INFO
        int     10h
        cmp     ax, 004fh
        jne     .fail
        mov     ax, 4f02h
        mov     bx, 4144h
        int     10h
        cmp     ax, 004fh
        jne     .fail
        PRINT   "Animating", 13, 10
        in      al, 92h                 ; address line 20
        or      al, 2
        out     92h, al
        cli
        lgdt    [gdt.register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     08h:flat
.fail:  PRINT   "No such mode", 13, 10
        jmp     stop

        bits    32
flat:   mov     ax, 10h
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        movzx   ebp, word [INFO + 10h]  ; bytes of a line
        xor     ebx, ebx                ; picture
.picture:
        mov     [600h], ebx
        mov     esi, [INFO + 28h]
        xor     edx, edx                ; line
.line:  mov     edi, esi
        mov     eax, edx
        shl     eax, 8
        lea     eax, [eax + ebx * 4]
        mov     ecx, 1024
.dot:   mov     [edi], eax
        add     eax, 10001h
        add     edi, 4
        dec     ecx
        jnz     .dot
        add     esi, ebp
        inc     edx
        cmp     edx, 768
        jb      .line
        inc     ebx
        jmp     .picture

gdt:    dq      0, 00cf9a000000ffffh, 00cf92000000ffffh
.register:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
