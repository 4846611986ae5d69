; Waits 20 ms by polling the main counter of the HPET, then 20 ms by the current count of the local APIC's timer, with the interrupts of
; the 8254 coming at 2 kHz meanwhile. Says how often it looked, and how many interrupts there were.
%include "boot.inc"
HPET    equ     0fed00000h
LAPIC   equ     0fee00000h

main:   in      al, 92h
        or      al, 2
        out     92h, al
        cli
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     cx, 8
        mov     gs, cx
        and     al, 0feh
        mov     cr0, eax
        mov     word [8 * 4], tick
        mov     word [8 * 4 + 2], 0
        mov     al, 34h                 ; mode 2, 597 pulses
        out     43h, al
        mov     al, 55h
        out     40h, al
        mov     al, 2
        out     40h, al
        mov     esi, HPET
        or      dword [gs:esi + 10h], 1
        mov     eax, 20000000           ; 20 ms in units of 10^6 fs
        mov     edx, 1000000
        mul     edx
        div     dword [gs:esi + 4]      ; the period of a count, fs
        mov     ebx, eax
        sti
        mov     ecx, [gs:esi + 0f0h]
        xor     ebp, ebp
.hpet:  inc     ebp
        mov     eax, [gs:esi + 0f0h]
        sub     eax, ecx
        cmp     eax, ebx
        jb      .hpet
        call    say
        mov     esi, LAPIC
        mov     eax, [gs:esi + 0f0h]
        or      ah, 1
        mov     [gs:esi + 0f0h], eax
        mov     dword [gs:esi + 320h], 10000h
        mov     dword [gs:esi + 3e0h], 0bh
        mov     dword [gs:esi + 380h], 20000000
        xor     ebp, ebp
.lapic: inc     ebp
        cmp     dword [gs:esi + 390h], 0
        jne     .lapic
        call    say
        cli
        mov     al, 3
        out     0f4h, al
.end:   hlt
        jmp     .end

say:    mov     eax, ebp
        shr     eax, 16
        call    hex16
        mov     ax, bp
        call    hex16
        PRINT   " "
        xor     ax, ax
        xchg    ax, [ticks]
        call    hex16
        jmp     newline

tick:   inc     word [ticks]
        push    ax
        mov     al, 20h
        out     20h, al
        pop     ax
        iret
ticks:  dw      0
gdt:    dq      0, 008f93000000ffffh
gdtr:   dw      15
        dd      gdt
        SIGNATURE
