; Changes page-table entries by every kind of instruction that writes, and by bus-master DMA, never invalidates anything, and
; uses each page again. What was used stale is to be told from outside. At WAYS: how many, then the first entry of PT1 and the
; number of entries of each; all pages of it have been read before, and are read again behind the change.
%include "broken.inc"
PT1     equ     14000h                  ; maps WINDOW
PT2     equ     15000h                  ; maps WINDOW + 200000h
PTD     equ     16000h                  ; maps WINDOW + 400000h, alone: the next DMA sector ends at its half
WINDOW  equ     40000000h
WAYS    equ     6000h
FRAME   equ     80000h
SECTORS equ     8

main:   mov     si, packet
        mov     ah, 42h
        int     13h
        jc      $
        PROTECTED
        TABLES
        mov     edi, PT1
        mov     ecx, 3000h / 4
        xor     eax, eax
        rep stosd
        mov     dword [PDPT + 8], 17003h
        mov     edi, 17000h
        mov     ecx, 1000h / 4
        rep stosd
        mov     dword [17000h], PT1 | 3
        mov     dword [17008h], PT2 | 3
        mov     dword [17010h], PTD | 3
        LONG    0
        jmp     go
packet: db      16, 0
        dw      SECTORS, 7e00h, 0
        dq      1
        TABLE
        cpu     default
        bits    64

; `touch`: rbx the first entry, rcx how many. Reads the pages.
touch:  push    rcx
        mov     rsi, rbx
        shl     rsi, 12
        add     rsi, WINDOW
.next:  mov     al, [rsi]
        add     rsi, 1000h
        dec     ecx
        jnz     .next
        pop     rcx
        ret

; Notes the way that begins: ecx entries from the next free one on, present, and read. rdi: the first of them.
begin:  mov     eax, [WAYS]
        mov     ebx, [free]
        add     [free], ecx
        mov     [WAYS + 8 + rax * 8], ebx
        mov     [WAYS + 12 + rax * 8], ecx
        inc     dword [WAYS]
        lea     rdi, [PT1 + rbx * 8]
        push    rcx
        push    rdi
        mov     eax, ebx
        and     eax, 15
        shl     eax, 12
        add     eax, FRAME | 3
.set:   mov     [rdi], rax
        add     rdi, 8
        dec     ecx
        jnz     .set
        pop     rdi
        pop     rcx
        call    touch
        ret

%macro  WAY     1
        mov     ecx, %1
        call    begin
        push    rbx
        push    rcx
%endmacro
%macro  USED    0
        pop     rcx
        pop     rbx
        call    touch
%endmacro

free:   dd      0
        align   16
zeros:  times 64 db 0
idtr:   dw      0fffh
        dq      IDT
work:   iretq

go:     mov     rax, cr0
        and     al, ~4
        or      al, 2
        mov     cr0, rax
        mov     rax, cr4
        or      eax, 40600h             ; OSXSAVE, OSFXSR, OSXMMEXCPT
        mov     cr4, rax
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, 7
        xsetbv
        fninit
        mov     dword [WAYS], 0
        lidt    [rel idtr]
        mov     eax, work
        mov     [IDT + 300h], ax
        mov     dword [IDT + 302h], CODE64 | 8e000000h
        mov     qword [IDT + 306h], 0

        WAY     8
        mov     qword [rdi], 0
        USED
        WAY     8
        mov     byte [rdi + 8], 0
        USED
        WAY     8
        mov     dword [rdi + 12], 1     ; another frame, by the upper half
        USED
        WAY     8
        and     dword [rdi], ~2
        USED
        WAY     8
        xor     eax, eax
        xchg    [rdi], rax
        USED
        WAY     8
        lock and qword [rdi + 8], ~1
        USED
        WAY     8
        lock btr dword [rdi + 16], 0
        USED
        WAY     8
        mov     eax, -1
        lock xadd [rdi], rax
        USED
        WAY     8
        mov     rsi, rdi
        mov     rax, [rsi]
        mov     rdx, [rsi + 8]
        xor     ebx, ebx
        xor     ecx, ecx
        lock cmpxchg16b [rsi]
        USED
        WAY     8
        mov     rsi, rdi
        mov     eax, [rsi]
        mov     edx, [rsi + 4]
        xor     ebx, ebx
        xor     ecx, ecx
        cmpxchg8b [rsi]
        USED
        WAY     8
        xor     eax, eax
        mov     ecx, 8
        rep stosq
        USED
        WAY     8
        xor     eax, eax
        mov     ecx, 21
        rep stosb
        USED
        WAY     8
        mov     esi, zeros
        mov     ecx, 5
        rep movsq
        USED
        WAY     8
        xorps   xmm0, xmm0
        movaps  [rdi], xmm0
        USED
        WAY     8
        movups  [rdi + 4], xmm0
        USED
        WAY     8
        movntdq [rdi], xmm0
        USED
        WAY     8                       ; the third entry is as it was
        mov     rax, [rdi + 16]
        mov     [rel zeros + 16], rax
        vmovups ymm1, [rel zeros]
        vmovups [rdi], ymm1
        mov     qword [rel zeros + 16], 0
        USED
        WAY     8                       ; of the third only the last byte is the new one's
        vxorps  ymm0, ymm0
        vmovups [rdi + 4], ymm0
        USED
        WAY     8
        vmovups [rdi + 31], ymm0
        USED
        WAY     8
        mov     qword [rdi + 16], 0     ; what the third was is what the fourth becomes
        vmovups [rdi], ymm0
        USED
        WAY     8
        vpcmpeqd xmm1, xmm1
        vpsrldq xmm1, 8
        maskmovdqu xmm0, xmm1
        USED
        WAY     8
        vpcmpeqd ymm1, ymm1
        vmaskmovps [rdi], ymm1, ymm0
        USED
        WAY     8
        mov     rbp, rsp
        lea     rsp, [rdi + 16]
        push    0
        mov     rsp, rbp
        USED
        WAY     8
        mov     rbp, rsp
        lea     rsp, [rdi + 8]
        call    .called
.called: mov    rsp, rbp
        USED
        WAY     8
        mov     rbp, rsp
        lea     rsp, [rdi + 64]
        int     30h
        mov     rsp, rbp
        USED
        WAY     8
        fldz
        fstp    tword [rdi]
        USED
        WAY     8
        fldz
        fistp   qword [rdi + 8]
        USED
        WAY     8
        sgdt    [rdi]
        USED
        WAY     8
        xor     eax, eax
        movnti  [rdi], rax
        USED
        WAY     16
        fnsave  [rdi]
        USED
        ; 512 bytes on 64
        mov     eax, [free]
        add     eax, 7
        and     eax, ~7
        mov     [free], eax
        WAY     64
        fxsave  [rdi]
        USED
        WAY     104
        mov     eax, 7
        xor     edx, edx
        mov     qword [rdi + 512], 0
        xsave   [rdi]
        USED

        ; The entries above: a page of PT2 by its PDE, and all of both by the PDPTE, which is the last.
        mov     dword [PT2], FRAME | 3
        mov     al, [WINDOW + 200000h]
        mov     qword [17008h], 0
        mov     al, [WINDOW + 200000h]

        ; A sector by DMA, zeros, over 64 entries of PTD.
        mov     edi, PTD
        mov     eax, FRAME | 3
        mov     ecx, 64
.set:   mov     [rdi], rax
        add     rdi, 8
        loop    .set
        mov     dx, 0cf8h
        mov     eax, 80000904h
        out     dx, eax
        mov     dx, 0cfch
        in      eax, dx
        or      al, 5
        out     dx, eax
        mov     dx, 0cf8h
        mov     eax, 80000920h
        out     dx, eax
        mov     dx, 0cfch
        in      eax, dx
        and     eax, 0fff0h
        mov     ebp, eax                ; the bus master's registers
        mov     dword [5000h], PTD
        mov     dword [5004h], 80000200h
        lea     edx, [ebp + 4]
        mov     eax, 5000h
        out     dx, eax
        mov     dx, 1f6h
        mov     al, 0e0h
        out     dx, al
        mov     dx, 1f2h
        mov     al, 1
        out     dx, al
        inc     edx
        mov     al, SECTORS             ; the last one
        out     dx, al
        inc     edx
        mov     al, 0
        out     dx, al
        inc     edx
        out     dx, al
        mov     al, [WINDOW + 400000h]
        mov     al, [WINDOW + 401000h]
        mov     dx, 1f7h
        mov     al, 0c8h
        out     dx, al
        mov     edx, ebp
        mov     al, 9
        out     dx, al
        lea     edx, [ebp + 2]
.moved: in      al, dx
        test    al, 4
        jz      .moved
        mov     al, [WINDOW + 400000h]
        mov     al, [WINDOW + 401000h]
        mov     al, 0
        out     0f4h, al
here:   jmp     here
        times 512 * (1 + SECTORS) - ($ - $$) db 0
