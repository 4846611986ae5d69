; The PCI BIOS (PCI BIOS Specification 2.1): INT 1Ah/B1xxh, and the same for 32-bit callers behind the BIOS32 service
; directory (Standard BIOS 32-bit Service Directory Proposal 0.4). Everything is in registers and ports, so one text serves
; both; what lies in memory is the stack alone.

PCI_SUCCESSFUL          equ 00h
PCI_UNSUPPORTED         equ 81h
PCI_BAD_VENDOR          equ 83h
PCI_NOT_FOUND           equ 86h
PCI_BAD_REGISTER        equ 87h
PCI_ADDRESS             equ 0cf8h
PCI_DATA                equ 0cfch

; EAX = double word EDI (a multiple of 4) of the function in BX. Clobbers EDX.
%macro PCI_READ 0
        movzx   eax, bx
        shl     eax, 8
        or      eax, edi
        or      eax, 80000000h
        mov     edx, PCI_ADDRESS
        out     dx, eax
        mov     edx, PCI_DATA
        in      eax, dx
%endmacro

; AL function, the rest as the specification has it; AH and CF answer. RET.
%macro PCI_BIOS 1
%1:
        cmp     al, 01h
        je      .present
        cmp     al, 02h
        je      .find_device
        cmp     al, 03h
        je      .find_class
        cmp     al, 08h
        jb      .unsupported
        cmp     al, 0dh
        jbe     .configuration
.unsupported:
        mov     ah, PCI_UNSUPPORTED
        stc
        ret
.present:                               ; version 2.10, one bus, mechanism 1
        mov     edx, 20494350h          ; "PCI "
        mov     ax, 0001h
        mov     bx, 0210h
        mov     cl, 0
        clc
        ret

.find_device:                           ; CX device, DX vendor, SI which of them: BH bus, BL device and function
        cmp     dx, 0ffffh
        jne     .vendor_good
        mov     ah, PCI_BAD_VENDOR
        stc
        ret
.vendor_good:
        push    ecx
        push    edx
        push    esi
        push    edi
        push    ebp
        mov     ebp, ecx
        shl     ebp, 16
        mov     bp, dx
        xor     edi, edi
        xor     ecx, ecx                ; nothing is shifted away
        jmp     .search
.find_class:                            ; ECX class code, SI which of them
        push    ecx
        push    edx
        push    esi
        push    edi
        push    ebp
        mov     ebp, ecx
        and     ebp, 0ffffffh
        mov     edi, 8
        mov     cl, 8
.search:
        xor     bx, bx
.next:  PCI_READ
        cmp     eax, 0ffffffffh         ; a function that is not there has no class either
        je      .other
        shr     eax, cl
        cmp     eax, ebp
        jne     .other
        test    si, si
        jz      .found
        dec     si
.other: inc     bl
        jnz     .next
        mov     ax, (PCI_NOT_FOUND << 8)
        stc
        jmp     .searched
.found: mov     ax, (PCI_SUCCESSFUL << 8)
        clc
.searched:
        pop     ebp
        pop     edi
        pop     esi
        pop     edx
        pop     ecx
        ret

.configuration:                         ; BX function, DI register, CL, CX, ECX value; 08h-0Ah read, 0Bh-0Dh write
        cmp     di, 0ffh
        ja      .bad_register
        cmp     al, 09h
        je      .even
        cmp     al, 0ch
        je      .even
        cmp     al, 0ah
        je      .whole
        cmp     al, 0dh
        jne     .aligned
.whole: test    di, 3
        jnz     .bad_register
.even:  test    di, 1
        jnz     .bad_register
.aligned:
        push    edx
        push    eax
        movzx   edx, bx
        shl     edx, 8
        mov     dl, 0
        movzx   eax, di
        and     eax, 0fch
        or      eax, edx
        or      eax, 80000000h
        mov     edx, PCI_ADDRESS
        out     dx, eax
        mov     dx, di
        and     edx, 3
        add     edx, PCI_DATA
        pop     eax
        cmp     al, 08h
        je      .read8
        cmp     al, 09h
        je      .read16
        cmp     al, 0ah
        je      .read32
        push    eax
        cmp     al, 0ch
        jb      .write8
        je      .write16
        mov     eax, ecx
        out     dx, eax
        jmp     .written
.write16:
        mov     ax, cx
        out     dx, ax
        jmp     .written
.write8:
        mov     al, cl
        out     dx, al
.written:
        pop     eax
        jmp     .done
.read8: push    eax
        in      al, dx
        mov     cl, al
        pop     eax
        jmp     .done
.read16:
        push    eax
        in      ax, dx
        mov     cx, ax
        pop     eax
        jmp     .done
.read32:
        push    eax
        in      eax, dx
        mov     ecx, eax
        pop     eax
.done:  pop     edx
        mov     ah, PCI_SUCCESSFUL
        clc
        ret
.bad_register:
        mov     ah, PCI_BAD_REGISTER
        stc
        ret
%endmacro
