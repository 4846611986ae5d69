; A bzImage of its own: says on the debug console (port E9h) what it was handed, then leaves through port F4h.
; Both entry points of Documentation/arch/x86/boot.rst (tests patch the header to choose):
; 32 bits at the start of the protected-mode part, 64 bits 200h behind it.

        cpu     x64
        bits    16
        org     0
DEBUGCON equ    0e9h
LOADED  equ     100000h
BASE    equ     400h                    ; of the protected-mode part in this file

        times   1f1h db 0
        db      1                       ; setup_sects
        dw      0
        dd      (end - $$ - BASE + 15) / 16 ; syssize
        dw      0
        dw      0ffffh
        dw      0
        dw      0aa55h                  ; boot_flag, 1FEh
        jmp     short setup             ; 200h
        db      "HdrS"
        dw      020fh
        dd      0
        dw      0
        dw      version - $$ - 200h          ; 20Eh
        db      0
        db      1                       ; LOADED_HIGH
        dw      0
        dd      LOADED
        dd      0, 0, 0                 ; ramdisk_image, ramdisk_size, bootsect_kludge
        dw      0
        db      0, 0
        dd      0                       ; cmd_line_ptr, 228h
        dd      7fffffffh               ; initrd_addr_max
        dd      1000h
        db      0, 0
        dw      1                       ; XLF_KERNEL_64, 236h
        dd      255                     ; cmdline_size
        dd      0
        dq      0
        dd      0, 0
        dq      0                       ; setup_data
        dq      200000h                 ; pref_address, 258h
        dd      100000h                 ; init_size
        dd      0
setup:  jmp     setup
version: db     "direct-boot test", 0
        times   BASE - ($ - $$) db 0

        bits    32
entry32:
        mov     esp, LOADED + stack_top - $$ - BASE
        mov     ebp, "32"
        jmp     common32

        times   BASE + 200h - ($ - $$) db 0
        bits    64
entry64:
        mov     esp, LOADED + stack_top - $$ - BASE
        mov     ebp, "64"
        mov     edi, 0fffffff8h         ; the last of the 4 GiB that are mapped
        mov     rdi, [rdi]
        ; Back to 32 bits: what follows is the same for both.
        lgdt    [abs LOADED + gdtr - $$ - BASE]
        push    8
        push    LOADED + compat - $$ - BASE
        o64 retf
        bits    32
compat: mov     eax, 10h
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     esp, LOADED + stack_top - $$ - BASE

; ESI boot_params, EBP which entry
common32:
        mov     eax, ebp
        out     DEBUGCON, al
        mov     al, ah
        out     DEBUGCON, al
        pushfd
        pop     eax
        and     eax, 200h               ; IF
        call    field
        mov     eax, esi
        call    field
        movzx   eax, byte [esi + 210h]  ; type_of_loader
        call    field
        movzx   eax, byte [esi + 1efh]  ; sentinel
        call    field
        movzx   eax, byte [esi + 7]     ; columns
        call    field
        mov     eax, [esi + 218h]       ; initrd
        call    field
        mov     eax, [esi + 21ch]
        call    field
        mov     ecx, [esi + 21ch]
        mov     edi, [esi + 218h]
        xor     eax, eax                ; sum of its bytes
        jecxz   .sum
.add:   movzx   edx, byte [edi]
        add     eax, edx
        inc     edi
        loop    .add
.sum:   call    field
        movzx   ecx, byte [esi + 1e8h]
        lea     edi, [esi + 2d0h]
.e820:  jecxz   .done
        call    line
        mov     eax, [edi]
        call    field
        mov     eax, [edi + 8]
        call    field
        mov     eax, [edi + 16]
        call    field
        add     edi, 20
        dec     ecx
        jmp     .e820
.done:  call    line
        mov     edi, [esi + 228h]
.text:  mov     al, [edi]
        inc     edi
        test    al, al
        jz      .end
        out     DEBUGCON, al
        jmp     .text
.end:   call    line
        mov     al, 21h
        out     0f4h, al
        hlt

line:   mov     al, 10
        out     DEBUGCON, al
        ret

; A blank and EAX in hexadecimal
field:  push    ecx
        push    eax
        mov     al, ' '
        out     DEBUGCON, al
        pop     edx
        mov     ecx, 8
.digit: rol     edx, 4
        mov     al, dl
        and     al, 15
        cmp     al, 10
        sbb     al, 69h
        das
        out     DEBUGCON, al
        loop    .digit
        pop     ecx
        ret

        align   8, db 0
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
gdtr:   dw      23
        dq      LOADED + gdt - $$ - BASE
stack:  times   256 db 0
stack_top:
end:
        times   ($$ - $) & 15 db 0
