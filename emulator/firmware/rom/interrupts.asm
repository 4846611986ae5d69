; Hardware interrupts.

; IRQ 0, 18.2 times a second: time of day (0040:006C, PC AT Technical Reference), diskette motor, INT 1Ch.
irq0:
        push    ds
        push    ax
        push    dx
        mov     ax, BDA
        mov     ds, ax
        inc     word [BDA_TICKS]
        jnz     .day
        inc     word [BDA_TICKS + 2]
.day:   cmp     word [BDA_TICKS + 2], 18h       ; 1800B0h ticks are 24 hours
        jne     .motor
        cmp     word [BDA_TICKS], 0b0h
        jb      .motor
        xor     ax, ax
        mov     [BDA_TICKS], ax
        mov     [BDA_TICKS + 2], ax
        inc     byte [BDA_MIDNIGHT]
.motor: cmp     byte [BDA_MOTOR], 0
        je      .user
        dec     byte [BDA_MOTOR]
        jnz     .user
        and     byte [BDA_MOTOR - 1], 0f0h
.user:  int     1ch
        cli
        mov     al, EOI
        out     PIC1, al
        pop     dx
        pop     ax
        pop     ds
        iret

; IRQ 1: one byte of the keyboard. INT 15h/4Fh may change or swallow it (CF clear).
irq1:
        push    ax
        in      al, 64h
        test    al, 01h
        jz      .eoi
        in      al, 60h
        sti
        mov     ah, 4fh
        stc
        int     15h
        jnc     .eoi
        FIRMWARE SERVICE_KEY            ; AH = what is left to do here
        cli
        cmp     ah, KEY_DONE
        je      .eoi
        push    ax
        mov     al, EOI
        out     PIC1, al
        pop     ax
        sti
        cmp     ah, KEY_REBOOT
        je      .reboot
        cmp     ah, KEY_BREAK
        je      .break
        cmp     ah, KEY_PRINT
        je      .print
        cmp     ah, KEY_PAUSE
        je      .pause
        cmp     ah, KEY_SYSREQ
        je      .sysreq
        jmp     .out
.eoi:   cli
        mov     al, EOI
        out     PIC1, al
.out:   pop     ax
        iret
.reboot:
        push    ds
        push    word BDA
        pop     ds
        mov     word [BDA_SOFT_RESET], 1234h
        pop     ds
        mov     al, 0feh                ; 8042: pulse the reset line
        out     64h, al
.dead:  hlt
        jmp     .dead
.break: int     1bh
        jmp     .out
.print: int     05h
        jmp     .out
.sysreq:                                ; AL = 0 pressed, 1 released
        mov     ah, 85h
        int     15h
        jmp     .out
.pause: push    ds                      ; until a key ends it: bit 3 of 0040:0018
        push    word BDA
        pop     ds
.hold:  hlt
        test    byte [BDA_KEY_FLAGS + 1], 08h
        jnz     .hold
        pop     ds
        jmp     .out

; IRQ 6: the diskette controller is done (0040:003E bit 7).
irq6:
        push    ds
        push    ax
        mov     ax, BDA
        mov     ds, ax
        or      byte [3eh], 80h
        mov     al, EOI
        out     PIC1, al
        pop     ax
        pop     ds
        iret

; IRQ 8: the clock. The periodic interrupt, 1024 Hz, counts INT 15h/83h and 86h down; the alarm is INT 4Ah.
irq8:
        push    ds
        pushad
        mov     al, 8ch
        out     70h, al
        in      al, 71h
        mov     ah, al
        mov     al, 8bh
        out     70h, al
        in      al, 71h
        and     ah, al
        mov     dl, ah
        mov     ax, BDA
        mov     ds, ax
        test    dl, 40h
        jz      .alarm
        test    byte [BDA_RTC_WAIT], 01h
        jz      .alarm
        sub     dword [BDA_USER_WAIT], 976
        ja      .alarm
        mov     al, 8bh                 ; over: periodic interrupt off, flag up
        out     70h, al
        in      al, 71h
        and     al, 0bfh
        mov     ah, al
        mov     al, 8bh
        out     70h, al
        mov     al, ah
        out     71h, al
        and     byte [BDA_RTC_WAIT], 0feh
        mov     dword [BDA_USER_WAIT], 0
        push    es
        les     bx, [BDA_USER_FLAG]
        or      byte [es:bx], 80h
        pop     es
.alarm: test    dl, 20h
        jz      .eoi
        int     4ah
        cli
.eoi:   mov     al, 0dh                 ; NMI on again, register D
        out     70h, al
        in      al, 71h
        mov     al, EOI
        out     PIC2, al
        out     PIC1, al
        popad
        pop     ds
        iret

; IRQ 9 came in place of the bus's IRQ 2: INT 0Ah gets it.
irq9:
        push    ax
        mov     al, EOI
        out     PIC2, al
        pop     ax
        int     0ah
        iret

; IRQ 12: one byte of the mouse. A whole packet goes to the handler of INT 15h/C207h: status, X, Y, Z on its stack.
irq12:
        push    ax
        in      al, 64h
        and     al, 21h
        cmp     al, 21h
        jne     irq_slave.eoi
        in      al, 60h
        FIRMWARE SERVICE_MOUSE
        jnc     irq_slave.eoi
        push    ds
        push    es
        pushad
        push    word BDA
        pop     ds
        mov     ds, [BDA_EBDA]
        push    word [EBDA_MOUSE_PACKET]
        push    word [EBDA_MOUSE_PACKET + 2]
        push    word [EBDA_MOUSE_PACKET + 4]
        push    word [EBDA_MOUSE_PACKET + 6]
        call    far [EBDA_MOUSE_HANDLER]
        add     sp, 8
        popad
        pop     es
        pop     ds
        cli
        jmp     irq_slave.eoi

; IRQ 13: coprocessor error. Clears the request and goes on as the 8088 did, with an NMI.
irq13:
        push    ax
        xor     al, al
        out     0f0h, al
        mov     al, EOI
        out     PIC2, al
        out     PIC1, al
        pop     ax
        int     02h
        iret

; IRQ 14: the disk is done (0040:008E).
irq14:
        push    ds
        push    ax
        mov     ax, BDA
        mov     ds, ax
        mov     byte [8eh], 0ffh
        mov     al, EOI
        out     PIC2, al
        out     PIC1, al
        mov     ax, 9100h
        int     15h
        pop     ax
        pop     ds
        iret

irq_slave:
        push    ax
.eoi:   mov     al, EOI
        out     PIC2, al
        out     PIC1, al
        pop     ax
        iret

; Vectors 0Bh-0Dh, 0Fh. In real mode they are also what #NP, #SS, #GP arrive on; the in-service register of the
; 8259A (OCW3 0Bh) tells one from the other.
%macro SHARED_VECTOR 2
        push    ax
        mov     al, 0bh
        out     PIC1, al
        in      al, PIC1
        test    al, 1 << %2
        jz      %%exception
        mov     al, EOI
        out     PIC1, al
        pop     ax
        iret
%%exception:
        pop     ax
        push    word %1
        jmp     exception
%endmacro
irq2:   SHARED_VECTOR 0ah, 2
irq3:   SHARED_VECTOR 0bh, 3
irq4:   SHARED_VECTOR 0ch, 4
irq5:   SHARED_VECTOR 0dh, 5
irq7:   SHARED_VECTOR 0fh, 7

; CPU exceptions for which nobody has put up a handler. The core says on the screen which and where; without
; a handler the instruction would fault for ever. An INT instruction that named the vector simply returns.
%macro EXCEPTION_VECTOR 1
        push    word %1
        jmp     exception
%endmacro
exception00:    EXCEPTION_VECTOR 00h
exception06:    EXCEPTION_VECTOR 06h
exception07:    EXCEPTION_VECTOR 07h

exception:
        FIRMWARE SERVICE_EXCEPTION      ; stack: vector, IP, CS, FLAGS. CF: stop
        jc      .stop
        add     sp, 2
        iret
.stop:  sti
.halt:  hlt
        jmp     .halt

dummy_iret:
        iret
