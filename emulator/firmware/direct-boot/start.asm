; The way from the firmware into a Linux kernel that the host has put into memory: it takes the place of a boot sector
; at 0000:7C00, so that the machine climbs to the kernel through the same stages as with a boot loader. It enters the
; kernel as Documentation/arch/x86/boot.rst asks ("64-bit boot protocol", "32-bit boot protocol"): flat segments 10h and
; 18h, interrupts off, RSI the boot_params, for the 64-bit entry long mode with everything below 4 GiB identity-mapped.

        cpu     x64
        bits    16
        org     7c00h

CODE    equ     10h
DATA    equ     18h
EFER    equ     0c0000080h

start:  cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 7c00h
        jmp     0:.here
        ; screen_info: the cursor, where the firmware's messages end
.here:  mov     eax, [boot_params]
        mov     ebx, eax
        shr     ebx, 4
        mov     es, bx
        mov     ax, [450h]
        mov     [es:0], ax
        ; A20
        in      al, 92h
        or      al, 02h
        and     al, 0feh
        out     92h, al

        mov     esi, [boot_params]
        mov     edi, [pml4]
        test    edi, edi
        jz      .protected
        lgdt    [gdtr64]
        mov     eax, 1
        mov     cr0, eax                ; caching on, protection on
        jmp     .flat
.flat:  mov     eax, 0a0h               ; PAE, PGE
        mov     cr4, eax
        mov     cr3, edi
        mov     ecx, EFER
        xor     edx, edx
        mov     eax, 100h               ; LME
        wrmsr
        mov     eax, 80000011h          ; PG, ET, PE
        mov     cr0, eax
        jmp     dword CODE:entry64

.protected:
        lgdt    [gdtr32]
        mov     eax, 11h                ; ET, PE
        mov     cr0, eax
        jmp     dword CODE:entry32

        bits    32
entry32:
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     fs, ax
        mov     gs, ax
        mov     eax, [entry]
        xor     ebx, ebx
        xor     ebp, ebp
        xor     edi, edi
        jmp     eax

        bits    64
entry64:
        mov     eax, DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        mov     esp, 7c00h
        mov     esi, esi
        mov     eax, [abs entry]
        xor     ebx, ebx
        xor     ebp, ebp
        xor     edi, edi
        jmp     rax

        align   8, db 0
gdt32:  dq      0, 0
        dq      00cf9b000000ffffh       ; 10h code, 32 bits
        dq      00cf93000000ffffh       ; 18h data
gdt64:  dq      0, 0
        dq      00af9b000000ffffh       ; 10h code, 64 bits
        dq      00cf93000000ffffh       ; 18h data
gdtr32: dw      31
        dd      gdt32
gdtr64: dw      31
        dd      gdt64

        times   1e0h - ($ - $$) db 0
; Filled in by the host (load.ts)
entry:  dd      0                       ; 1E0h, linear address of the kernel's entry point
boot_params:
        dd      0                       ; 1E4h, linear address, a multiple of 16 below 1 MiB
pml4:   dd      0                       ; 1E8h, page tables for the 64-bit entry; 0: the 32-bit entry
        times   510 - ($ - $$) db 0
        dw      0aa55h
