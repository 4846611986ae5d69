; The way from the firmware into a Multiboot kernel that the host has put into memory: it takes the place of a boot sector
; at 0000:7C00. The host (multiboot.ts) has laid out what it knows: kernel, modules, command line, sections. What only the
; machine knows is asked here, as any boot loader asks: memory map by INT 15h/E820h, video mode by INT 10h/4Fxxh, the
; ACPI root pointer by looking for it. Then protected mode, and the kernel (Multiboot 0.6.96 3.2; Multiboot2 2.0 3.3).

        cpu     686
        bits    16
        org     7c00h

CODE    equ     08h
DATA    equ     10h
SCRATCH equ     9000h                   ; what is found out, copied behind the host's part at the end
SCRATCH_END equ 0e000h
CONTROL equ     0e000h                  ; VbeInfoBlock and ModeInfoBlock
MODE    equ     0e200h
TRIAL   equ     0e300h
ENTRIES equ     128                     ; of the memory map, at most
SMAP    equ     534d4150h

        jmp     start
        align   4, nop
; Filled in by the host
kind:   dd      0                       ; 7C04h, 1 or 2: the version of Multiboot
entry:  dd      0                       ; 7C08h, where the kernel begins
info:   dd      0                       ; 7C0Ch, the information structure
tail:   dd      0                       ; 7C10h, where what is found out goes
graphics: dd    0                       ; 7C14h, 1: the kernel wishes a linear framebuffer
width:  dd      0                       ; 7C18h, 0: whatever there is
height: dd      0
depth:  dd      0
moves:  dd      0                       ; 7C24h, parts of the kernel that are to lie where this program is; 0: none

start:  cli
        cld
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 7c00h
        jmp     0:.here
.here:  sti
        cmp     dword [graphics], 0
        je      .text
        call    set_video
.text:  mov     di, SCRATCH
        call    memory_map
        int     12h
        movzx   eax, ax
        mov     [lower], eax
        cmp     dword [kind], 2
        je      .tags
        call    framebuffer1
        jmp     .ready
.tags:  call    tags2
.ready: mov     [scratch_end], di
        cli
        in      al, 92h                 ; A20
        or      al, 02h
        and     al, 0feh
        out     92h, al
        lgdt    [gdtr]
        mov     eax, 11h                ; ET, PE; caching on
        mov     cr0, eax
        jmp     dword CODE:protected

; --- video --------------------------------------------------------------------------------------------------

; Sets the mode that is nearest to what the kernel wishes: direct colour with a linear framebuffer. MODE and [mode] say
; which; [mode] stays FFFFh when there is none.
set_video:
        mov     di, CONTROL
        mov     dword [di], "VBE2"
        mov     ax, 4f00h
        int     10h
        cmp     ax, 004fh
        jne     .none
        push    ds
        pop     es
        ; What the kernel leaves open is what everybody can show.
        mov     eax, 1024
        cmp     dword [width], 0
        jne     .have_width
        mov     [width], eax
.have_width:
        mov     eax, 768
        cmp     dword [height], 0
        jne     .have_height
        mov     [height], eax
.have_height:
        mov     eax, 32
        cmp     dword [depth], 0
        jne     .have_depth
        mov     [depth], eax
.have_depth:
        mov     dword [best], -1
        mov     cx, 1024                ; a list without an end ends here
        mov     si, [CONTROL + 14]
        mov     fs, [CONTROL + 16]
.next:  mov     bx, [fs:si]
        cmp     bx, 0ffffh
        je      .chosen
        add     si, 2
        push    cx
        push    si
        push    bx
        push    fs
        mov     cx, bx
        mov     di, TRIAL
        mov     ax, 4f01h
        int     10h
        pop     fs
        pop     bx
        pop     si
        pop     cx
        cmp     ax, 004fh
        jne     .pass
        mov     al, [TRIAL]
        and     al, 99h                 ; supported, colour, graphics, linear framebuffer
        cmp     al, 99h
        jne     .pass
        cmp     byte [TRIAL + 27], 6    ; direct colour
        jne     .pass
        movzx   eax, word [TRIAL + 18]
        sub     eax, [width]
        call    distance
        mov     edx, eax
        movzx   eax, word [TRIAL + 20]
        sub     eax, [height]
        call    distance
        add     edx, eax
        shl     edx, 8
        movzx   eax, byte [TRIAL + 25]
        sub     eax, [depth]
        call    distance
        add     edx, eax
        cmp     edx, [best]
        jae     .pass
        mov     [best], edx
        mov     [mode], bx
.pass:  loop    .next
.chosen:
        mov     bx, [mode]
        cmp     bx, 0ffffh
        je      .none
        mov     cx, bx
        mov     di, MODE
        mov     ax, 4f01h
        int     10h
        cmp     ax, 004fh
        jne     .fail
        mov     bx, [mode]
        or      bx, 4000h               ; linear
        mov     ax, 4f02h
        int     10h
        cmp     ax, 004fh
        jne     .fail
.none:  ret
.fail:  mov     word [mode], 0ffffh
        ret

distance:
        test    eax, eax
        jns     .done
        neg     eax
.done:  ret

; --- memory -------------------------------------------------------------------------------------------------

; The memory map at DI, in the form of [kind]; DI moves behind it.
memory_map:
        cmp     dword [kind], 2
        jne     .entries
        mov     dword [di], 6           ; tag: memory map; its size comes at the end
        mov     dword [di + 8], 24
        mov     dword [di + 12], 0
        add     di, 16
.entries:
        mov     [map_start], di
        xor     ebx, ebx
        mov     bp, ENTRIES
.next:  push    di
        cmp     dword [kind], 2
        je      .plain
        mov     dword [di], 20          ; Multiboot 1: each entry says its size in front
        add     di, 4
.plain: mov     dword [di + 20], 0
        mov     eax, 0e820h
        mov     ecx, 20
        mov     edx, SMAP
        int     15h
        mov     si, di
        pop     di
        jc      .end
        cmp     eax, SMAP
        jne     .end
        cmp     dword [si + 4], 0
        jne     .kept
        cmp     dword [si], 100000h     ; the memory from 1 MiB on: what "upper memory" means
        jne     .kept
        mov     eax, [si + 8]
        mov     edx, [si + 12]
        shrd    eax, edx, 10
        mov     [upper], eax
.kept:  add     di, 24
        dec     bp
        jz      .end
        test    ebx, ebx
        jnz     .next
.end:   mov     ax, di
        sub     ax, [map_start]
        mov     [map_size], ax
        cmp     dword [kind], 2
        jne     .done
        movzx   eax, ax
        add     eax, 16
        mov     si, [map_start]
        mov     [si - 12], eax
.done:  ret

; --- Multiboot 1 --------------------------------------------------------------------------------------------

; VBE blocks at DI, and the fields of the framebuffer in place.
framebuffer1:
        cmp     word [mode], 0ffffh
        je      .text
        mov     [vbe_at], di
        mov     si, CONTROL
        mov     cx, 512 + 256
        rep     movsb                   ; MODE lies behind CONTROL
        mov     si, fb
        call    rgb
        mov     ax, [colours]
        mov     [fb + 24], ax           ; at 112, as in multiboot.h and as GRUB has it; the table of 3.3 says 110
        mov     eax, [colours + 2]
        mov     [fb + 26], eax
        ret
.text:  mov     dword [fb], 0b8000h
        mov     dword [fb + 8], 160
        mov     dword [fb + 12], 80
        mov     dword [fb + 16], 25
        mov     word [fb + 20], 0210h   ; 16 bits per character, EGA text
        ret

; Address, pitch, width, height, bits and type at SI; positions and sizes of the colours in [colours].
rgb:    mov     eax, [MODE + 40]
        mov     [si], eax
        mov     dword [si + 4], 0
        movzx   eax, word [MODE + 16]
        mov     [si + 8], eax
        movzx   eax, word [MODE + 18]
        mov     [si + 12], eax
        movzx   eax, word [MODE + 20]
        mov     [si + 16], eax
        mov     al, [MODE + 25]
        mov     ah, 1
        mov     [si + 20], ax
        mov     eax, [MODE + 31]        ; VBE: size and position of red, green, blue; here position and size
        xchg    al, ah
        rol     eax, 16
        xchg    al, ah
        rol     eax, 16
        mov     [colours], eax
        mov     ax, [MODE + 35]
        xchg    al, ah
        mov     [colours + 4], ax
        ret

; --- Multiboot 2 --------------------------------------------------------------------------------------------

; The tags behind the memory map, at DI, which moves behind them.
tags2:  mov     dword [di], 4           ; basic memory information
        mov     dword [di + 4], 16
        mov     eax, [lower]
        mov     [di + 8], eax
        mov     eax, [upper]
        mov     [di + 12], eax
        add     di, 16

        mov     dword [di], 8           ; framebuffer
        cmp     word [mode], 0ffffh
        je      .text
        mov     dword [di + 4], 38
        lea     si, [di + 8]
        call    rgb
        mov     word [di + 30], 0
        mov     eax, [colours]
        mov     [di + 32], eax
        mov     ax, [colours + 4]
        mov     [di + 36], ax
        mov     word [di + 38], 0
        add     di, 40
        mov     dword [di], 7           ; VBE
        mov     dword [di + 4], 784
        movzx   eax, word [mode]
        mov     [di + 8], eax           ; no protected-mode interface
        mov     dword [di + 12], 0
        add     di, 16
        mov     si, CONTROL
        mov     cx, 512 + 256
        rep     movsb
        jmp     acpi
.text:  mov     dword [di + 4], 32
        mov     dword [di + 8], 0b8000h
        mov     dword [di + 12], 0
        mov     dword [di + 16], 160
        mov     dword [di + 20], 80
        mov     dword [di + 24], 25
        mov     dword [di + 28], 0210h
        add     di, 32

; The ACPI root pointer (ACPI 6.5, 5.2.5.1): in the first KiB of the extended BIOS data area, else E0000h-FFFFFh.
acpi:   mov     ax, [40eh]
        test    ax, ax
        jz      .rom
        mov     cx, 64
        call    .search
        je      .found
.rom:   mov     ax, 0e000h
        mov     cx, 2000h
        call    .search
        je      .found
        ret
.found: xor     si, si
        mov     bl, [fs:si + 15]        ; revision
        mov     ax, 14                  ; the root pointer of ACPI 1.0
        mov     cx, 20
        call    .copy
        cmp     bl, 2
        jb      .done
        mov     ax, 15
        mov     cx, [fs:si + 20]
        cmp     cx, 36
        jb      .done
        cmp     cx, 256
        ja      .done
.copy:  movzx   eax, ax
        mov     [di], eax
        movzx   eax, cx
        add     eax, 8
        mov     [di + 4], eax
        add     di, 8
        push    si
.byte:  mov     al, [fs:si]
        inc     si
        stosb
        loop    .byte
        pop     si
        add     di, 7
        and     di, 0fff8h
.done:  ret
; CX paragraphs from segment AX: ZF and FS when it is there.
.search:
        mov     fs, ax
        cmp     dword [fs:0], "RSD "
        jne     .no
        cmp     dword [fs:4], "PTR "
        jne     .no
        push    cx
        xor     si, si
        mov     cx, 20
        xor     bl, bl
.sum:   add     bl, [fs:si]
        inc     si
        loop    .sum
        pop     cx
        test    bl, bl
        jnz     .no
        ret
.no:    inc     ax
        loop    .search
        inc     cx                      ; ZF = 0
        ret

; --- protected mode -----------------------------------------------------------------------------------------

        bits    32
protected:
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     ss, ax
        mov     esp, 7c00h
        mov     ebx, [info]
        mov     esi, SCRATCH
        mov     edi, [tail]
        movzx   ecx, word [scratch_end]
        sub     ecx, esi
        rep     movsb
        cmp     dword [kind], 2
        je      .two

        mov     eax, [lower]
        mov     [ebx + 4], eax
        mov     eax, [upper]
        mov     [ebx + 8], eax
        movzx   eax, word [map_size]
        mov     [ebx + 44], eax
        mov     eax, [tail]             ; the map is first
        mov     [ebx + 48], eax
        mov     esi, fb
        lea     edi, [ebx + 88]
        mov     ecx, 30
        rep     movsb
        or      dword [ebx], 1001h | 40h ; memory, memory map, framebuffer
        movzx   eax, word [vbe_at]
        test    eax, eax
        jz      .one
        sub     eax, SCRATCH
        add     eax, [tail]
        mov     [ebx + 72], eax
        add     eax, 512
        mov     [ebx + 76], eax
        movzx   eax, word [mode]
        mov     [ebx + 80], eax
        or      dword [ebx], 800h
.one:   mov     eax, 2badb002h
        jmp     .go

.two:   mov     dword [edi], 0          ; end tag
        mov     dword [edi + 4], 8
        lea     eax, [edi + 8]
        sub     eax, ebx
        mov     [ebx], eax
        mov     eax, 36d76289h
.go:    xor     ebp, ebp
        mov     edx, [moves]
        test    edx, edx
        jnz     .low
        xor     ecx, ecx
        xor     esi, esi
        xor     edi, edi
        jmp     [entry]

; Parts that lie where this program is come last, moved by a copy of `mover` behind all that was found out.
.low:   mov     esi, mover
        mov     edi, [tail]
        movzx   ecx, word [scratch_end]
        lea     edi, [edi + ecx - SCRATCH + 16]
        mov     ebp, edi
        mov     ecx, mover_end - mover
        rep     movsb
        mov     ecx, [entry]
        sub     ecx, edi                ; EDI is behind the jump
        mov     [edi - 4], ecx
        jmp     ebp

; EDX: what to move, 16 bytes each: where to, from where, how many bytes, how many zeros behind them; an address of 0
; ends it. There is no stack: its place may be the kernel's.
mover:  mov     esp, eax
.next:  mov     edi, [edx]
        test    edi, edi
        jz      .done
        mov     esi, [edx + 4]
        mov     ecx, [edx + 8]
        rep     movsb
        xor     eax, eax
        mov     ecx, [edx + 12]
        rep     stosb
        add     edx, 16
        jmp     .next
.done:  mov     eax, esp
        mov     esp, 7c00h
        xor     edx, edx
        xor     esi, esi
        xor     ebp, ebp
        jmp     near mover_end          ; the kernel: the distance is filled in
mover_end:

        align   8, db 0
gdt:    dq      0
        dq      00cf9b000000ffffh       ; 08h code, 32 bits
        dq      00cf93000000ffffh       ; 10h data
gdtr:   dw      23
        dd      gdt

        align   4, db 0
lower:  dd      0
upper:  dd      0
best:   dd      0
mode:   dw      0ffffh
map_start: dw   0
map_size: dw    0
vbe_at: dw      0
scratch_end: dw 0
colours: times 6 db 0
fb:     times 30 db 0

        times   1000h - ($ - $$) db 0
