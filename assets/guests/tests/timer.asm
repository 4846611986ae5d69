; 8259A and 8254: remaps the interrupts to 20h, runs channel 0 at 1000 Hz and counts 100 interrupts;
; latches the counter; masks the timer and shows that it stays quiet while its request stands.
%include "boot.inc"
main:   cli
        mov     al, 11h
        out     20h, al
        mov     al, 20h
        out     21h, al
        mov     al, 4
        out     21h, al
        mov     al, 1
        out     21h, al
        mov     al, 0feh
        out     21h, al
        mov     word [20h * 4], tick
        mov     word [20h * 4 + 2], 0
        mov     al, 34h
        out     43h, al
        mov     al, 1193 & 0ffh
        out     40h, al
        mov     al, 1193 >> 8
        out     40h, al
        mov     word [ticks], 0
        sti
.wait:  hlt
        cmp     word [ticks], 100
        jb      .wait
        PRINT   "Ticks "
        mov     ax, [ticks]
        call    hex16
        call    newline

        xor     al, al                  ; latch channel 0: below the reload value
        out     43h, al
        in      al, 40h
        mov     ah, al
        in      al, 40h
        xchg    al, ah
        mov     bx, ax
        PRINT   "Latch "
        cmp     bx, 1193
        ja      .high
        PRINT   "in range", 13, 10
        jmp     .mask
.high:  PRINT   "out of range", 13, 10
.mask:
        mov     al, 0ffh
        out     21h, al
        mov     word [ticks], 0
        mov     ecx, 3000000
.spin:  dec     ecx
        jnz     .spin
        PRINT   "Masked "
        mov     ax, [ticks]
        call    hex16
        call    newline
        mov     al, 0ah                 ; request register: the timer has asked in the meantime
        out     20h, al
        in      al, 20h
        and     al, 1
        mov     bl, al
        PRINT   "Request "
        mov     al, bl
        call    hex8
        call    newline
        PRINT   "Done", 13, 10
        jmp     stop

tick:   push    ax
        inc     word [ticks]
        mov     al, 20h
        out     20h, al
        pop     ax
        iret
        SIGNATURE
ticks   equ     600h
