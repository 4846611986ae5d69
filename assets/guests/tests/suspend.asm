; ACPI S3: finds the FACS and the PM1 registers by the tables, sleeps until the clock's alarm (every second matches), and goes
; on at the waking vector. Memory, the interrupt vectors too, is as it was.
%include "boot.inc"
KEPT    equ     1000h                   ; a pattern

main:   mov     cx, 2000h               ; the root pointer: E0000h-FFFFFh, on paragraphs
        mov     ax, 0e000h
.find:  mov     fs, ax
        cmp     dword [fs:0], "RSD "
        jne     .no
        cmp     dword [fs:4], "PTR "
        je      .root
.no:    inc     ax
        loop    .find
        PRINT   "No root pointer"
.stop:  hlt
        jmp     .stop
.root:  ; Tables lie anywhere: from here on with 4 GiB in GS.
        mov     ebx, [fs:16]            ; RSDT
        lgdt    [gdtr]
        cli
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     cx, 8
        mov     gs, cx
        and     al, 0feh
        mov     cr0, eax
        mov     cx, [gs:ebx + 4]
        lea     edi, [ebx + 36]
.table: mov     esi, [gs:edi]
        cmp     dword [gs:esi], "FACP"
        je      .fadt
        add     edi, 4
        sub     cx, 4
        cmp     cx, 36
        ja      .table
        jmp     .stop
.fadt:  mov     ebx, [gs:esi + 36]      ; FACS
        mov     dword [gs:ebx + 12], waking
        mov     di, KEPT
        mov     cx, 256
.fill:  mov     [di], di
        add     di, 2
        loop    .fill
        mov     word [60h * 4], 1234h
        mov     dx, [gs:esi + 56]       ; PM1a events
        mov     [events], dx
        add     dx, 2
        mov     ax, 400h                ; RTC_EN
        out     dx, ax
        mov     ax, 0c001h              ; the alarm: any second, minute, hour
        call    cmos
        mov     al, 3
        call    cmos
        mov     al, 5
        call    cmos
        mov     al, 0bh
        out     70h, al
        in      al, 71h
        or      al, 20h                 ; AIE
        out     71h, al
        mov     al, 0ch
        out     70h, al
        in      al, 71h
        mov     bx, [gs:esi + 64]       ; PM1a control
        PRINT   "Sleep", 13, 10
        mov     dx, bx
        mov     ax, 2400h               ; SLP_EN, SLP_TYP of S3
        out     dx, ax
.awake: hlt
        jmp     .awake
cmos:   out     70h, al
        xchg    al, ah
        out     71h, al
        xchg    al, ah
        ret

        align   16
waking: mov     bp, cs
        mov     bx, ds
        jmp     0:.here
.here:  mov     ss, bx
        mov     sp, 7c00h
        PRINT   "Awake "
        mov     ax, bp
        call    hex16
        PRINT   " PM1_STS "
        mov     dx, [events]
        in      ax, dx
        and     ax, 8500h               ; WAK_STS, RTC_STS, PWRBTN_STS
        call    hex16
        xor     si, si
        mov     di, KEPT
        mov     cx, 256
.check: cmp     [di], di
        je      .same
        inc     si
.same:  add     di, 2
        loop    .check
        cmp     word [60h * 4], 1234h
        je      .vectors
        inc     si
.vectors:
        mov     bp, si
        PRINT   " lost "
        mov     ax, bp
        call    hex16
        PRINT   13, 10
        mov     al, 0
        out     0f4h, al
.end:   hlt
        jmp     .end
events: dw      0
gdt:    dq      0, 008f93000000ffffh
gdtr:   dw      15
        dd      gdt
        SIGNATURE
