; A Multiboot kernel that resets the machine in one way after the other. A reset clears neither memory nor CMOS: it counts its starts at
; 200000h, above itself; what of itself is to be zero is zero again, and its own bytes are those of the file. Says, for each start, the
; count, "z" where its zeros are zeros, "c" where its code is unchanged, CMOS 40h, and 10h to the power of nothing is lost: F4h.
bits    32
LOAD    equ     300000h
COUNT   equ     200000h
ZERO    equ     LOAD + 2000h            ; behind the file's bytes
        org     LOAD

        align   4
header: dd      1badb002h, 10000h, -(1badb002h + 10000h)
        dd      header, LOAD, file_end, LOAD + 4000h, start

start:  mov     esp, LOAD + 3000h
        cmp     dword [COUNT + 4], "KEPT"
        je      .again
        mov     dword [COUNT], 0
        mov     dword [COUNT + 4], "KEPT"
.again: mov     al, [COUNT]
        add     al, "0"
        out     0e9h, al
        mov     al, "z"
        cmp     dword [ZERO], 0
        je      .zero
        mov     al, "Z"
.zero:  out     0e9h, al
        mov     al, [patched + 1]       ; MOV AL, "c" as the file has it
        call    patched
        out     0e9h, al
        mov     al, 40h
        out     70h, al
        in      al, 71h
        add     al, "0"
        out     0e9h, al
        mov     al, " "
        out     0e9h, al
        mov     al, [COUNT]             ; this start's number, for the next one to find
        inc     al
        mov     ah, al
        mov     al, 40h
        out     70h, al
        mov     al, ah
        out     71h, al
        mov     dword [ZERO], 12345678h
        mov     byte [patched + 1], "C"
        call    patched                 ; and it has been executed so
        mov     eax, [COUNT]
        inc     dword [COUNT]
        cmp     eax, 4
        jae     .end
        jmp     [ways + eax * 4]
.end:   mov     al, 2
        out     0f4h, al
.dead:  cli
        hlt
        jmp     .dead

patched:
        mov     al, "c"
        ret

        align   4
ways:   dd      by_cf9, by_8042, by_port92, by_bridge

by_cf9: mov     dx, 0cf9h               ; reset control: hard, then up
        mov     al, 2
        out     dx, al
        mov     al, 6
        out     dx, al
        jmp     start.dead
by_8042:
        in      al, 64h
        test    al, 2
        jnz     by_8042
        mov     al, 0feh                ; pulse the reset line
        out     64h, al
        jmp     start.dead
by_port92:
        in      al, 92h
        and     al, 0feh
        out     92h, al
        or      al, 1
        out     92h, al
        jmp     start.dead
by_bridge:
        mov     eax, 80000090h          ; TRC of the host bridge: hard, then up
        mov     dx, 0cf8h
        out     dx, eax
        mov     dx, 0cffh
        mov     al, 2
        out     dx, al
        mov     al, 6
        out     dx, al
        jmp     start.dead
file_end:
