; Calls the firmware's services one after the other and tells COM1 what came back: interrupt, AX BX CX DX before,
; AX BX CX DX after, CF and ZF. The answers of SeaBIOS (QEMU) to the same program are in bios-survey.seabios.txt.
%include "boot.inc"
main:   mov     ax, 0208h               ; the rest of the program
        mov     cx, 0002h
        xor     dh, dh
        mov     bx, 7e00h
        int     13h
        mov     di, table
.next:  mov     al, [di]
        test    al, al
        jz      .end
        mov     [.number], al
        call    hex8
        xor     bp, bp
.before:
        mov     al, ' '
        call    put
        mov     ax, [di + bp + 1]
        call    hex16
        inc     bp
        inc     bp
        cmp     bp, 8
        jb      .before
        push    di
        push    ds
        pop     es
        mov     ax, [di + 1]
        mov     bx, [di + 3]
        mov     cx, [di + 5]
        mov     dx, [di + 7]
        mov     si, packet
        mov     bp, buffer
        mov     di, buffer
        stc                             ; a service that does not touch ZF or CF shows as 1
        db      0cdh
.number: db     0
        pushf
        push    dx
        push    cx
        push    bx
        push    ax
        mov     ax, 0
        mov     ds, ax
        mov     es, ax
        cld
        mov     al, '>'
        call    put
        mov     cx, 4
.after: mov     al, ' '
        call    put
        pop     ax
        call    hex16
        loop    .after
        pop     bx
        mov     al, ' '
        call    put
        mov     al, 'c'
        test    bl, 1
        jz      .carry
        mov     al, 'C'
.carry: call    put
        mov     al, 'z'
        test    bl, 40h
        jz      .zero
        mov     al, 'Z'
.zero:  call    put
        call    newline
        pop     di
        add     di, 9
        jmp     .next
.end:   PRINT   "Done", 13, 10
        jmp     stop
        SIGNATURE

%macro CALL_ 5
        db      %1
        dw      %2, %3, %4, %5
%endmacro
packet: db      16, 0
        dw      1
        dw      buffer, 0
        dq      0

table:  CALL_   10h, 0003h, 0, 0, 0             ; mode 3 and what it leaves behind
        CALL_   10h, 0f00h, 0, 0, 0
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 0200h, 0, 0, 0a14h         ; cursor to 20,10 and back
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 0e41h, 7, 0, 0             ; 'A'
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 0e08h, 7, 0, 0             ; back on it
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0942h, 001eh, 3, 0         ; three 'B', yellow on blue
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0200h, 0, 0, 0a16h
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0200h, 0, 0, 0a17h
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0601h, 0700h, 0000h, 184fh ; one line up
        CALL_   10h, 0200h, 0, 0, 0915h
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0703h, 2f00h, 0000h, 184fh ; three lines down
        CALL_   10h, 0200h, 0, 0, 0c15h
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0200h, 0, 0, 0200h
        CALL_   10h, 0800h, 0, 0, 0
        CALL_   10h, 0200h, 0, 0, 184fh         ; the last cell scrolls
        CALL_   10h, 0e43h, 7, 0, 0
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 0e0ah, 7, 0, 0
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 0e0dh, 7, 0, 0
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 0100h, 0, 2000h, 0         ; cursor shape
        CALL_   10h, 0300h, 0, 0, 0
        CALL_   10h, 1a00h, 0, 0, 0
        CALL_   10h, 1210h, 0010h, 0, 0
        CALL_   10h, 1007h, 0006h, 0, 0         ; palette register 6: brown
        CALL_   10h, 1015h, 0014h, 0, 0         ; its DAC entry
        CALL_   10h, 1010h, 0021h, 1122h, 3300h ; write one, read it back
        CALL_   10h, 1015h, 0021h, 0, 0
        CALL_   10h, 1008h, 0, 0, 0
        CALL_   10h, 0501h, 0, 0, 0             ; page 1
        CALL_   10h, 0f00h, 0, 0, 0
        CALL_   10h, 0300h, 0100h, 0, 0
        CALL_   10h, 0500h, 0, 0, 0
        CALL_   10h, 0001h, 0, 0, 0
        CALL_   10h, 0f00h, 0, 0, 0
        CALL_   10h, 0013h, 0, 0, 0             ; graphics
        CALL_   10h, 0f00h, 0, 0, 0
        CALL_   10h, 0c2ah, 0, 319, 199
        CALL_   10h, 0d00h, 0, 319, 199
        CALL_   10h, 0d00h, 0, 318, 199
        CALL_   10h, 0083h, 0, 0, 0             ; text again
        CALL_   10h, 0f00h, 0, 0, 0
        CALL_   10h, 0003h, 0, 0, 0
        CALL_   10h, 0f00h, 0, 0, 0
        CALL_   10h, 00ffh, 0, 0, 0             ; no such mode
        CALL_   10h, 0f00h, 0, 0, 0

        CALL_   12h, 0, 0, 0, 0

        CALL_   13h, 0000h, 0, 0, 0080h
        CALL_   13h, 0100h, 0, 0, 0080h
        CALL_   13h, 0201h, buffer, 0001h, 0080h
        CALL_   13h, 0200h, buffer, 0001h, 0080h        ; no sectors
        CALL_   13h, 0100h, 0, 0, 0080h                 ; and what is remembered of it
        CALL_   13h, 0201h, buffer, 0000h, 0080h        ; sector 0
        CALL_   13h, 0401h, buffer, 0001h, 0080h
        CALL_   13h, 1500h, 0, 0, 0080h
        CALL_   13h, 1000h, 0, 0, 0080h
        CALL_   13h, 4100h, 55aah, 0, 0080h
        CALL_   13h, 4100h, 1234h, 0, 0080h
        CALL_   13h, 4200h, 0, 0, 0080h
        CALL_   13h, 4400h, 0, 0, 0080h
        CALL_   13h, 4700h, 0, 0, 0080h
        CALL_   13h, 0201h, buffer, 0001h, 0090h        ; no such drive
        CALL_   13h, 4200h, 0, 0, 0090h
        CALL_   13h, 0800h, 0, 0, 0090h
        CALL_   13h, 0ee00h, 0, 0, 0080h                ; no such function

        CALL_   15h, 2403h, 0, 0, 0
        CALL_   15h, 4f1eh, 0, 0, 0
        CALL_   15h, 8000h, 0, 0, 0
        CALL_   15h, 8600h, 0, 0, 1000h
        CALL_   15h, 9000h, 0, 0, 0
        CALL_   15h, 0fe00h, 0, 0, 0

        CALL_   16h, 0100h, 0, 0, 0
        CALL_   16h, 0200h, 0, 0, 0
        CALL_   16h, 0500h, 0, 1e61h, 0                 ; keys of our own
        CALL_   16h, 0500h, 0, 48e0h, 0
        CALL_   16h, 0500h, 0, 8500h, 0                 ; F11, which 00h does not know
        CALL_   16h, 0500h, 0, 0e00dh, 0
        CALL_   16h, 0500h, 0, 4de0h, 0
        CALL_   16h, 0100h, 0, 0, 0
        CALL_   16h, 0000h, 0, 0, 0
        CALL_   16h, 0000h, 0, 0, 0
        CALL_   16h, 0000h, 0, 0, 0
        CALL_   16h, 1100h, 0, 0, 0
        CALL_   16h, 1000h, 0, 0, 0
        CALL_   16h, 1100h, 0, 0, 0
        CALL_   16h, 1200h, 0, 0, 0

        CALL_   1ah, 0100h, 0, 0010h, 2345h             ; set the ticks
        CALL_   1ah, 0f100h, 0, 0, 0                    ; no such function
        db      0
        times   16 * 512 - ($ - $$) db 0
buffer  equ     0a000h
