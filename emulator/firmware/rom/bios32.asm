; The BIOS32 service directory and the PCI BIOS for 32-bit callers, in segment E000h. Callers come by a far call with flat
; or any other segments that cover these pages, so nothing here has an absolute address.

        AT ROM_BIOS32
        db      "_32_"
        dd      0e0000h + ROM_BIOS32 + 16
        db      0                       ; revision
        db      1                       ; length in paragraphs
        db      94h                     ; the sixteen bytes add up to 0
        times 5 db 0

        bits    32
; EAX service, EBX 0 -> AL, EBX base of the service, ECX its length, EDX its entry point behind the base.
bios32_directory:
        test    bl, bl
        jnz     .function
        cmp     eax, 49435024h          ; "$PCI"
        jne     .absent
        mov     ebx, 0e0000h
        mov     ecx, 10000h
        mov     edx, ROM_BIOS32_PCI
        mov     al, 0
        retf
.absent:
        mov     al, 80h
        retf
.function:
        mov     al, 81h
        retf

        AT ROM_BIOS32_PCI
        cmp     ah, 0b1h
        jne     .not_pci
        call    pci_bios_32
        retf
.not_pci:
        mov     ah, PCI_UNSUPPORTED
        stc
        retf

        PCI_BIOS pci_bios_32
        AT ROM_BIOS32_END
        bits    16
