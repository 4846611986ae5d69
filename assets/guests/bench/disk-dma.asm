; Reads from the second disk (primary slave) by bus-master DMA, waiting in HLT for IRQ 14: k1 4 KiB a command, k2 128 KiB a
; command, one after the other. Every sector of that disk begins with its number, which is looked at. Says on COM1
; "B name", then "E name WRONG", the number of commands whose data were wrong, in hexadecimal.
%include "boot.inc"
COMMANDS_4K     equ 4000
COMMANDS_SEQ    equ 1600
TABLE           equ 6000h
BUFFER          equ 10000h

main:   mov     ecx, 010180h            ; the IDE interface: BAR4, mastering on
        xor     si, si
        mov     ax, 0b103h
        int     1ah
        mov     di, 20h
        mov     ax, 0b10ah
        int     1ah
        and     cl, 0f0h
        mov     [master], cx
        mov     di, 4
        mov     cx, 5
        mov     ax, 0b10ch
        int     1ah
        cli
        mov     word [76h * 4], irq14
        mov     word [76h * 4 + 2], 0
        in      al, 0a1h
        and     al, 0bfh
        out     0a1h, al
        sti
        PRINT   "B k1-dma-4k", 13, 10
        mov     dword [TABLE], BUFFER
        mov     dword [TABLE + 4], 80001000h
        mov     bp, COMMANDS_4K
        mov     bx, 8
        call    row
        PRINT   "E k1-dma-4k "
        call    report
        PRINT   "B k2-dma-sequential", 13, 10
        mov     dword [TABLE + 4], 0    ; 64 KiB
        mov     dword [TABLE + 8], BUFFER + 10000h
        mov     dword [TABLE + 12], 80000000h
        mov     bp, COMMANDS_SEQ
        mov     bx, 256
        call    row
        PRINT   "E k2-dma-sequential "
        call    report
        mov     al, 0
        out     0f4h, al
        jmp     stop

report: mov     ax, [wrong]
        call    hex16
        jmp     newline

; BP commands of BX sectors from sector 0 on, around the end of 64 MiB.
row:    xor     esi, esi
        mov     [wrong], si
.next:  mov     dx, [master]
        xor     al, al
        out     dx, al
        add     dx, 2
        mov     al, 06h
        out     dx, al
        add     dx, 2
        mov     eax, TABLE
        out     dx, eax
        mov     byte [done], 0
        mov     dx, 1f2h
        mov     al, bl
        out     dx, al
        mov     eax, esi
        inc     dx
        out     dx, al
        shr     eax, 8
        inc     dx
        out     dx, al
        shr     eax, 8
        inc     dx
        out     dx, al
        inc     dx
        mov     al, 0f0h
        out     dx, al
        inc     dx
        mov     al, 0c8h                ; READ DMA
        out     dx, al
        mov     dx, [master]
        mov     al, 09h
        out     dx, al
.wait:  cli
        cmp     byte [done], 0
        jne     .over
        sti
        hlt
        jmp     .wait
.over:  sti
        push    ds
        mov     ax, BUFFER >> 4
        mov     ds, ax
        mov     eax, [0]
        pop     ds
        cmp     eax, esi
        je      .right
        inc     word [wrong]
.right: movzx   eax, bx
        add     esi, eax
        and     esi, 1ffffh
        dec     bp
        jnz     .next
        ret

irq14:  push    ax
        push    dx
        mov     dx, 1f7h
        in      al, dx
        mov     byte [done], 1
        mov     al, 20h
        out     0a0h, al
        out     20h, al
        pop     dx
        pop     ax
        iret
master: dw      0
wrong:  dw      0
done:   db      0
        SIGNATURE
