; INT 13h with arguments from a random generator, for ever: every function, every drive, any address above this
; program. COM1 gets a dot every 256 calls and a line after 4096.
%include "boot.inc"
main:   mov     ax, 2401h               ; with A20 off, addresses over 1 MiB would come round to this program
        int     15h
        mov     dword [seed], 12345
        mov     word [calls], 0
.call:  call    random
        mov     bx, ax
        call    random
        mov     dx, ax
        test    byte [seed + 3], 3      ; mostly drives that exist
        jz      .any
        and     dl, 81h
.any:   call    random
        or      ah, 10h
        mov     es, ax
        mov     di, packet              ; a packet of nonsense as well
        mov     cx, 8
.fill:  call    random
        mov     [di], ax
        add     di, 2
        loop    .fill
        mov     byte [packet], 16
        or      byte [packet + 7], 10h
        and     word [packet + 2], 0fffh
        test    byte [seed + 3], 1
        jz      .far
        mov     dword [packet + 12], 0
        mov     word [packet + 10], 0
.far:   call    random
        mov     cx, ax
        call    random
        test    byte [seed + 2], 3
        jnz     .function
        mov     ah, 42h
.function:
        mov     si, packet
        int     13h
        cld
        sti
        xor     cx, cx
        mov     ds, cx
        inc     word [calls]
        test    byte [calls], 0ffh
        jnz     .call
        mov     al, '.'
        call    put
        cmp     word [calls], 4096
        jne     .call
        PRINT   13, 10, "4096 calls answered", 13, 10
        jmp     .call

; AX = 16 random bits.
random: mov     eax, [seed]
        imul    eax, eax, 1664525
        add     eax, 1013904223
        mov     [seed], eax
        shr     eax, 13
        ret
        SIGNATURE
seed    equ     600h
calls   equ     604h
packet  equ     610h
