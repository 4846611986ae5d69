; The VBE's own: strings, the routine behind WinFuncPtr, and the 32-bit routines of function 0Ah, which a program may copy
; to wherever it likes (VBE 3.0, "Protected Mode Considerations"). They speak to the DISPI registers of the VGA.

DISPI_INDEX     equ 1ceh
DISPI_DATA      equ 1cfh
DISPI_XRES      equ 1
DISPI_BPP       equ 3
DISPI_BANK      equ 5
DISPI_VIRTUAL   equ 6
DISPI_X         equ 8
DISPI_Y         equ 9

        AT ROM_VBE_OEM
        db      "Ringside VBE", 0
        AT ROM_VBE_VENDOR
        db      "The Ringside authors", 0
        AT ROM_VBE_PRODUCT
        db      "Ringside display", 0
        AT ROM_VBE_REVISION
        db      "1.0", 0

; WinFuncPtr: function 05h without the answer. BH 0 set, 1 get; BL window; DX its place.
        AT ROM_VBE_WINDOW
        push    ax
        mov     ax, 4f05h
        int     10h
        pop     ax
        retf

        AT ROM_VBE_PROTECTED
        bits    32
vbe_protected:
        dw      vbe_set_window - vbe_protected
        dw      vbe_set_start - vbe_protected
        dw      vbe_set_palette - vbe_protected
        dw      vbe_places - vbe_protected

; Ports, then memory, that the routines need.
vbe_places:
        dw      DISPI_INDEX, DISPI_DATA, 3c8h, 3c9h, 0ffffh
        dw      0ffffh

; AX = the register whose index is in AX.
vbe_read:
        push    edx
        mov     dx, DISPI_INDEX
        out     dx, ax
        mov     dx, DISPI_DATA
        in      ax, dx
        movzx   eax, ax
        pop     edx
        ret

; Register AX = CX.
vbe_write:
        push    edx
        mov     dx, DISPI_INDEX
        out     dx, ax
        mov     dx, DISPI_DATA
        mov     ax, cx
        out     dx, ax
        pop     edx
        ret

; 05h: BH 0 set window to DX, 1 get it in DX.
vbe_set_window:
        test    bl, bl
        jnz     .fail
        cmp     bh, 1
        je      .get
        ja      .fail
        push    ecx
        mov     ecx, edx
        mov     eax, DISPI_BANK
        call    vbe_write
        pop     ecx
        mov     eax, 004fh
        ret
.get:   mov     eax, DISPI_BANK
        call    vbe_read
        mov     edx, eax
        mov     eax, 004fh
        ret
.fail:  mov     eax, 014fh
        ret

; 07h: BL 0, 80h set; DX:CX the start in units of four bytes.
vbe_set_start:
        push    ebx
        push    ecx
        push    edx
        push    esi
        movzx   esi, cx
        shl     edx, 16
        or      esi, edx
        shl     esi, 2                  ; bytes
        mov     eax, DISPI_BPP
        call    vbe_read
        add     eax, 7
        shr     eax, 3
        mov     ebx, eax                ; bytes a pixel; 1 for 4 bits, whose line is counted in each plane
        mov     eax, DISPI_BPP
        call    vbe_read
        mov     ecx, eax
        mov     eax, DISPI_VIRTUAL
        call    vbe_read
        cmp     ecx, 4
        jne     .packed
        shr     eax, 3
        jmp     .line
.packed:
        mul     ebx
.line:  xchg    eax, esi                ; ESI = pitch
        test    esi, esi
        jz      .done
        xor     edx, edx
        div     esi
        push    edx
        mov     ecx, eax
        mov     eax, DISPI_Y
        call    vbe_write
        pop     eax
        xor     edx, edx
        div     ebx
        mov     ecx, eax
        mov     eax, DISPI_BPP
        call    vbe_read
        cmp     eax, 4
        jne     .dots
        shl     ecx, 3
.dots:  mov     eax, DISPI_X
        call    vbe_write
.done:  pop     esi
        pop     edx
        pop     ecx
        pop     ebx
        mov     eax, 004fh
        ret

; 09h: BL 0, 80h set CX colours from DX by ES:EDI: blue, green, red, nothing.
vbe_set_palette:
        push    ecx
        push    edx
        push    edi
        movzx   ecx, cx
        jecxz   .done
        mov     al, dl
        mov     dx, 3c8h
        out     dx, al
        inc     edx
.next:  mov     al, [es:edi + 2]
        out     dx, al
        mov     al, [es:edi + 1]
        out     dx, al
        mov     al, [es:edi]
        out     dx, al
        add     edi, 4
        dec     ecx
        jnz     .next
.done:  pop     edi
        pop     edx
        pop     ecx
        mov     eax, 004fh
        ret
        AT ROM_VBE_PROTECTED_END
        bits    16
