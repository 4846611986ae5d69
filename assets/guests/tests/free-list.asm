; A kernel of one page with a frame allocator as the first tutorials have it: 32 bits, no paging, and a list of free pages of which each holds
; the address of the next one in its first word. It puts all pages from 2 MiB to 8 MiB on the list, takes 300 and fills them with text, gives
; every third of them back, says how many are free, and waits.
%include "boot.inc"
FIRST   equ     200000h
END     equ     800000h
TAKEN   equ     300

main:   cli
        in      al, 92h
        or      al, 2
        out     92h, al
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
        mov     esp, 7c00h
        mov     eax, FIRST
.all:   call    free
        add     eax, 1000h
        cmp     eax, END
        jb      .all
        xor     ebp, ebp
.take:  call    allocate
        mov     [taken + ebp*4], eax
        mov     edi, eax
        mov     ecx, 1000h / 4
        mov     eax, "used"
        rep     stosd
        inc     ebp
        cmp     ebp, TAKEN
        jb      .take
        xor     ebp, ebp
.back:  mov     eax, [taken + ebp*4]
        call    free
        add     ebp, 3
        cmp     ebp, TAKEN
        jb      .back
        mov     eax, [count]
        mov     ebx, 10
        mov     edi, digits + 4
.digit: xor     edx, edx
        div     ebx
        add     dl, '0'
        dec     edi
        mov     [edi], dl
        cmp     edi, digits
        ja      .digit
        mov     esi, text
.put:   lodsb
        test    al, al
        jz      .wait
        mov     ah, al
        mov     dx, COM1 + 5
.full:  in      al, dx
        test    al, 20h
        jz      .full
        mov     al, ah
        mov     dx, COM1
        out     dx, al
        jmp     .put
.wait:  hlt
        jmp     .wait

; EAX: a page. Keeps all registers.
free:   push    ebx
        mov     ebx, [head]
        mov     [eax], ebx
        mov     [head], eax
        inc     dword [count]
        pop     ebx
        ret

; A page in EAX, 0 when there is none. Keeps all others.
allocate:
        mov     eax, [head]
        test    eax, eax
        jz      .none
        push    ebx
        mov     ebx, [eax]
        mov     [head], ebx
        dec     dword [count]
        pop     ebx
.none:  ret

        align   8
gdt:    dq      0
        dq      00cf9a000000ffffh
        dq      00cf92000000ffffh
gdtr:   dw      23
        dd      gdt
head:   dd      0
count:  dd      0
text:   db      "free pages: "
digits: db      "0000", 13, 10, 0
taken   equ     9000h

        SIGNATURE
