; Sends back what COM1 receives, CR as CR LF; by interrupt, so that the machine sleeps in between. Ctrl-D ends it.
%include "boot.inc"
main:   mov     dx, COM1 + 3
        mov     al, 3
        out     dx, al
        mov     dx, COM1 + 4
        mov     al, 0bh
        out     dx, al
        mov     word [0ch * 4], received
        mov     word [0ch * 4 + 2], 0
        in      al, 21h
        and     al, 0efh
        out     21h, al
        mov     dx, COM1 + 1
        mov     al, 1
        out     dx, al
        PRINT   "Echo ready", 13, 10
.wait:  hlt
        jmp     .wait

received:
        push    ax
        push    dx
        push    si
.next:  mov     dx, COM1 + 5
        in      al, dx
        test    al, 1
        jz      .done
        mov     dx, COM1
        in      al, dx
        cmp     al, 4
        je      .end
        call    put
        cmp     al, 13
        jne     .next
        mov     al, 10
        call    put
        jmp     .next
.done:  mov     al, 20h
        out     20h, al
        pop     si
        pop     dx
        pop     ax
        iret
.end:   PRINT   13, 10, "Echo ends", 13, 10
        cli
        jmp     stop
        SIGNATURE
