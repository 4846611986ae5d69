; The ATA disk of the primary channel by PIO, without the firmware: IDENTIFY, READ, WRITE, read back, by 28-bit LBA
; and by CHS, and an address past the end. COM1 tells each result.
%include "boot.inc"
ATA     equ     1f0h
main:   mov     ax, 0201h               ; the second half of this program
        mov     cx, 0002h
        xor     dh, dh
        mov     bx, 7e00h
        int     13h
        mov     al, 2                   ; nIEN: polling
        mov     dx, 3f6h
        out     dx, al
        PRINT   "IDENTIFY "
        mov     al, 0ech
        mov     ebx, 0
        call    command
        call    read
        mov     ax, [buffer + 60 * 2]   ; sectors, low word
        call    hex16
        mov     al, ' '
        call    put
        mov     si, buffer + 27 * 2     ; model, bytes swapped
        mov     cx, 8
.model: lodsw
        xchg    al, ah
        call    put
        xchg    al, ah
        call    put
        loop    .model
        call    newline

        PRINT   "READ 0 "
        mov     al, 20h
        mov     ebx, 0
        call    command
        call    read
        mov     ax, [buffer + 510]
        call    hex16
        call    newline

        PRINT   "WRITE 5 "
        mov     di, buffer
        mov     cx, 256
        mov     ax, 1234h
.fill:  stosw
        add     ax, 4321h
        loop    .fill
        mov     al, 30h
        mov     ebx, 5
        call    command
        call    ready
        mov     si, buffer
        mov     cx, 256
        mov     dx, ATA
        rep     outsw
        call    ready
        call    hex8                    ; status
        call    newline

        PRINT   "READ BACK "
        mov     di, buffer
        mov     cx, 256
        xor     ax, ax
        rep     stosw
        mov     al, 20h
        mov     ebx, 5
        call    command
        call    read
        mov     ax, [buffer]
        call    hex16
        mov     ax, [buffer + 510]
        call    hex16
        call    newline
        jmp     second

; Command AL, one sector at LBA EBX.
command:
        push    ax
        mov     dx, ATA + 6
        mov     eax, ebx
        shr     eax, 24
        or      al, 0e0h
        out     dx, al
        mov     dx, ATA + 2
        mov     al, 1
        out     dx, al
        inc     dx
        mov     al, bl
        out     dx, al
        inc     dx
        mov     al, bh
        out     dx, al
        inc     dx
        mov     eax, ebx
        shr     eax, 16
        out     dx, al
        pop     ax
        mov     dx, ATA + 7
        out     dx, al
        ret

; AL = status when BSY is over.
ready:  mov     dx, 3f6h
        in      al, dx                  ; 400 ns
        mov     dx, ATA + 7
.wait:  in      al, dx
        test    al, 80h
        jnz     .wait
        ret

read:   call    ready
        test    al, 8
        jz      .none
        mov     di, buffer
        mov     cx, 256
        mov     dx, ATA
        rep     insw
        ret
.none:  PRINT   "no data "
        ret
        SIGNATURE

second: PRINT   "CHS 0/0/6 "
        mov     dx, ATA + 6             ; the sector just written: LBA 5
        mov     al, 0a0h
        out     dx, al
        mov     dx, ATA + 2
        mov     al, 1
        out     dx, al
        inc     dx
        mov     al, 6
        out     dx, al
        inc     dx
        xor     al, al
        out     dx, al
        inc     dx
        out     dx, al
        mov     dx, ATA + 7
        mov     al, 20h
        out     dx, al
        call    read
        mov     ax, [buffer]
        call    hex16
        call    newline

        PRINT   "BEYOND "
        mov     al, 20h
        mov     ebx, 0ffffff0h
        call    command
        call    ready
        call    hex8                    ; status: ERR
        mov     al, ' '
        call    put
        mov     dx, ATA + 1
        in      al, dx                  ; error: IDNF
        call    hex8
        call    newline
        PRINT   "Done", 13, 10
        jmp     stop
        times   8 * 512 - ($ - $$) db 0
buffer  equ     9000h
