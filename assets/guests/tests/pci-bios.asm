; The PCI BIOS both ways: INT 1Ah/B1xxh in real mode, and through the BIOS32 service directory in protected mode, with
; flat segments as Linux has them. What both say about the IDE interface goes to COM1.
%include "boot.inc"
main:   mov     ax, 0b101h
        int     1ah
        jc      no
        push    bx
        PRINT   "Version "
        pop     ax
        call    hex16
        mov     ecx, 010180h            ; IDE, with a bus master
        xor     si, si
        mov     ax, 0b103h
        int     1ah
        jc      no
        mov     di, 0                   ; vendor
        mov     ax, 0b109h
        int     1ah
        PRINT   " IDE "
        mov     ax, bx
        call    hex16
        PRINT   " "
        mov     ax, cx
        call    hex16
        call    newline
        ; "_32_" on a paragraph of E0000h-FFFFFh
        mov     ax, 0e000h
look:  mov     es, ax
        cmp     dword [es:0], "_32_"
        je      here
        inc     ax
        jnz     look
no:     PRINT   "none", 13, 10
        jmp     stop
here:   mov     eax, [es:4]
        mov     [entry], eax
        xor     eax, eax
        mov     es, ax
        cli
        lgdt    [gdt_register]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     08h:protected
        bits    32
protected:
        mov     ax, 10h
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, 7c00h
        mov     eax, "$PCI"
        xor     ebx, ebx
        call    far [entry]
        mov     [found], al
        add     edx, ebx
        mov     [entry], edx
        mov     eax, 0b102h             ; 8086:7010
        mov     ecx, 7010h
        mov     edx, 8086h
        xor     esi, esi
        call    far [entry]
        mov     [function], bx
        mov     edi, 8
        mov     eax, 0b10ah
        call    far [entry]
        mov     [class], ecx
        mov     eax, 0b10ah             ; no double word begins there
        mov     edi, 6
        call    far [entry]
        mov     [refused], ah
        jmp     18h:back
        bits    16
back:   mov     eax, cr0
        and     al, 0feh
        mov     cr0, eax
        jmp     0:real
real:   xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        sti
        PRINT   "32 bits "
        mov     al, [found]
        call    hex8
        mov     ax, [function]
        call    hex16
        mov     ax, [class + 2]
        call    hex16
        mov     ax, [class]
        call    hex16
        mov     al, [refused]
        call    hex8
        PRINT   13, 10, "Done", 13, 10
        jmp     stop
        align   4
entry:  dd      0
        dw      08h
function: dw    0
class:  dd      0
found:  db      0
refused: db     0
        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh
        dq      00cf93000000ffffh
        dq      00009b000000ffffh
gdt_register:
        dw      $ - gdt - 1
        dd      gdt
        SIGNATURE
