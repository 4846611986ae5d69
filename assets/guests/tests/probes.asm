; Calls for function probes, in 32-bit code with arguments on the stack: recursion, an interrupt whose handler calls the same function, a
; function that ends in a jump to another one, one that never returns, and one that takes its argument off the stack. The functions lie at
; fixed addresses.
%include "boot.inc"

main:   cli
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     8:flat

        bits    32
flat:   mov     ax, 16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, 7000h
        mov     dword [9000h + 30h*8], 8 << 16 | (handler - $$ + 7c00h)
        mov     dword [9000h + 30h*8 + 4], 8e00h
        lidt    [idtr]
        xor     ebp, ebp
        ; alloc(3) calls alloc(2) ... alloc(0), which is interrupted.
        push    3
        call    alloc
        add     esp, 4
        push    20
        call    outer
        add     esp, 4
        ; throw() comes back without a return; then the same place of the stack is another call's.
        mov     ebx, esp
        push    99
        call    throw
        nop
back:   push    30
        call    alloc3
        add     esp, 4
        push    40
        call    pascal
        push    dword 140000h
        call    release
        add     esp, 4
        xor     eax, eax
        out     0f4h, al
.wait:  hlt
        jmp     .wait

handler:
        push    eax
        push    10
        call    alloc3
        add     esp, 4
        pop     eax
        iret

        align   8
gdt:    dq      0
        dq      00cf9a000000ffffh
        dq      00cf92000000ffffh
gdtr:   dw      23
        dd      gdt
idtr:   dw      31h*8 - 1
        dd      9000h

        times   110h - ($ - $$) db 90h
alloc:  mov     ecx, [esp + 4]          ; 7D10h: alloc(n) calls alloc(n - 1); 100000h + n * 1000h
        test    ecx, ecx
        jz      .leaf
        dec     ecx
        push    ecx
        call    alloc
        pop     ecx
        jmp     .done
.leaf:  int     30h
.done:  mov     eax, [esp + 4]
        shl     eax, 12
        add     eax, 100000h
        ret

        times   150h - ($ - $$) db 90h
outer:  jmp     alloc3                  ; 7D50h

        times   160h - ($ - $$) db 90h
alloc3: mov     eax, [esp + 4]          ; 7D60h
        shl     eax, 12
        add     eax, 100000h
        ret

        times   180h - ($ - $$) db 90h
throw:  mov     esp, ebx                ; 7D80h
        jmp     back

        times   190h - ($ - $$) db 90h
pascal: mov     eax, [esp + 4]          ; 7D90h
        shl     eax, 12
        add     eax, 100000h
        ret     4

        times   1b0h - ($ - $$) db 90h
release:
        ret                             ; 7DB0h
        SIGNATURE
