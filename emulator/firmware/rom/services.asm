; Software interrupts: each stub calls its service in the core and gives the answer back.

int10:
        FIRMWARE 10h
        jc      bell
        iret

; The character 07h: 896 Hz for 45 ms, shorter than the half second of the PC AT, which games that ring would wait for; less
; than a tick, so that none is lost with interrupts off. Measured by the refresh bit, 15.085 us.
bell:   push    ax
        push    bx
        push    cx
        mov     al, 0b6h
        out     43h, al
        mov     al, 33h
        out     42h, al
        mov     al, 05h
        out     42h, al
        in      al, 61h
        mov     ah, al
        or      al, 03h
        out     61h, al
        mov     cx, 2983
.wait:  in      al, 61h
        and     al, 10h
        cmp     al, bl
        je      .wait
        mov     bl, al
        loop    .wait
        mov     al, ah
        out     61h, al
        pop     cx
        pop     bx
        pop     ax
        iret

int11:
        FIRMWARE 11h
        iret

int12:
        FIRMWARE 12h
        iret

int13:
        FIRMWARE 13h
        RETURN_CF

int14:                                  ; CF: no byte yet
        FIRMWARE 14h
        jnc     .done
        sti
        hlt
        jmp     int14
.done:  iret

int15:
        cmp     ah, 86h
        je      int15_wait
        FIRMWARE 15h
        RETURN_CF

; INT 15h/86h: CX:DX microseconds. The service starts the clock's periodic interrupt with a flag of our own
; (bit 7 of 0040:00A0) and IRQ 8 counts.
int15_wait:
        FIRMWARE 15h
        jc      return_cf
        push    ds
        push    ax
        push    word BDA
        pop     ds
.wait:  cli                             ; between the look and HLT no interrupt may come
        test    byte [BDA_RTC_WAIT], 01h
        jz      .over
        sti
        hlt
        jmp     .wait
.over:  and     byte [BDA_RTC_WAIT], 7fh
        pop     ax
        pop     ds
        clc
        jmp     return_cf

int16:                                  ; CF: no key yet
        cli
        FIRMWARE 16h
        jnc     return_zf
        sti
        hlt
        jmp     int16

int17:
        FIRMWARE 17h
        iret

int1a:
        cmp     ah, 0b1h
        je      .pci
        FIRMWARE 1ah
        RETURN_CF
.pci:   call    pci_bios_16
        RETURN_CF

        PCI_BIOS pci_bios_16

; The caller's FLAGS lie at SS:SP+4; MOVZX because the upper half of ESP is anybody's guess in real mode.
return_cf:
        push    ebp
        movzx   ebp, sp
        jc      .set
        and     word [bp + 8], ~1
        pop     ebp
        iret
.set:   or      word [bp + 8], 1
        pop     ebp
        iret

return_zf:
        push    ebp
        movzx   ebp, sp
        jz      .set
        and     word [bp + 8], ~40h
        pop     ebp
        iret
.set:   or      word [bp + 8], 40h
        pop     ebp
        iret
