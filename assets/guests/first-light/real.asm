; Real mode: serial port, A20, memory map, the picture. The last things a BIOS is asked for.

real:
        mov     ax, 0003h
        int     10h
        mov     ah, 01h                 ; no cursor
        mov     cx, 2000h
        int     10h
        call    serial_init
        call    draw_frame

        mov     si, text_hello
        call    serial_text16

        mov     si, text_heading_real
        call    heading16

        mov     si, text_boot
        call    say16
        mov     al, [boot_drive]
        call    hex8_16
        mov     si, text_boot_lba
        cmp     byte [loaded_by_lba], 0
        jne     .loaded
        mov     si, text_boot_chs
.loaded:
        call    more16

        mov     si, text_serial
        call    say16

        call    a20
        call    memory_map
        call    picture
        mov     si, text_picture
        call    say16
        jmp     protected

; ---------------------------------------------------------------------------------------------------------
; Address line 20: without it every odd mebibyte is the even one below.

a20:
        mov     si, text_a20
        call    say16
        mov     si, text_a20_on
        call    a20_open
        jne     .done
        mov     ax, 2401h               ; the BIOS knows its board
        int     15h
        mov     si, text_a20_bios
        call    a20_open
        jne     .done
        in      al, 92h                 ; fast gate
        or      al, 2
        and     al, 0feh
        out     92h, al
        mov     si, text_a20_fast
        call    a20_open
        jne     .done
        call    .wait                   ; keyboard controller: write the output port
        mov     al, 0d1h
        out     64h, al
        call    .wait
        mov     al, 0dfh
        out     60h, al
        call    .wait
        mov     si, text_a20_8042
        call    a20_open
        jne     .done
        mov     si, text_a20_failed
        call    more16
        jmp     stop16
.done:  jmp     more16
.wait:  in      al, 64h
        test    al, 2
        jnz     .wait
        ret

; ZF clear when FFFF:0510 (1 MiB + 500h) is not 0000:0500. Keeps SI.
a20_open:
        push    ds
        push    es
        xor     ax, ax
        mov     ds, ax
        dec     ax
        mov     es, ax
        mov     bx, [ds:0500h]
        mov     dx, [es:0510h]
        mov     word [ds:0500h], 5aa5h
        mov     word [es:0510h], 0a55ah
        cmp     word [ds:0500h], 0a55ah
        mov     [es:0510h], dx
        mov     [ds:0500h], bx
        pop     es
        pop     ds
        ret

; ---------------------------------------------------------------------------------------------------------
; Memory map: INT 15h/E820h, every entry on COM1, the sum on the screen.

memory_map:
        mov     si, text_memory
        call    say16
        xor     ebx, ebx
        xor     bp, bp
        mov     di, MEMORY_MAP
.next:  mov     eax, 0e820h
        mov     edx, 534d4150h          ; 'SMAP'
        mov     ecx, 24
        mov     dword [di + 20], 1
        int     15h
        jc      .end
        cmp     eax, 534d4150h
        jne     .end
        inc     bp
        cmp     dword [di + 16], 1
        jne     .skip
        mov     eax, [di + 8]
        mov     edx, [di + 12]
        add     [usable], eax
        adc     [usable + 4], edx
.skip:  add     di, 24
        test    ebx, ebx
        jz      .end
        cmp     bp, MEMORY_MAP_MAX
        jb      .next
.end:   mov     [map_entries], bp
        movzx   eax, bp
        call    decimal16
        mov     si, text_memory_entries
        call    more_open16
        mov     eax, [usable]
        mov     edx, [usable + 4]
        shrd    eax, edx, 20
        call    decimal16
        mov     si, text_memory_usable
        call    more16
        mov     si, MEMORY_MAP
        mov     cx, [map_entries]
        jcxz    .done
.print: push    cx
        push    si
        mov     al, ' '
        call    serial16
        call    serial16
        mov     eax, [si + 4]
        call    serial_hex32
        mov     eax, [si]
        call    serial_hex32
        mov     al, '-'
        call    serial16
        mov     eax, [si]
        mov     edx, [si + 4]
        add     eax, [si + 8]
        adc     edx, [si + 12]
        sub     eax, 1
        sbb     edx, 0
        xchg    eax, edx
        call    serial_hex32
        mov     eax, edx
        call    serial_hex32
        mov     bx, [si + 16]
        mov     si, text_usable
        cmp     bx, 1
        je      .type
        mov     si, text_acpi
        cmp     bx, 3
        je      .type
        cmp     bx, 4
        je      .type
        mov     si, text_reserved
.type:  call    serial_text16
        pop     si
        pop     cx
        add     si, 24
        loop    .print
.done:  ret

usable: dq      0
map_entries:
        dw      0

; ---------------------------------------------------------------------------------------------------------
; COM1 and screen

serial_init:
        mov     dx, COM1 + 1
        xor     al, al                  ; no interrupts yet
        out     dx, al
        mov     dx, COM1 + 3
        mov     al, 80h                 ; divisor 1: 115200 baud
        out     dx, al
        mov     dx, COM1
        mov     al, 1
        out     dx, al
        inc     dx
        xor     al, al
        out     dx, al
        mov     dx, COM1 + 3
        mov     al, 3                   ; 8n1
        out     dx, al
        dec     dx
        mov     al, 7                   ; FIFOs on and empty
        out     dx, al
        mov     dx, COM1 + 4
        mov     al, 0bh                 ; DTR, RTS, OUT2 (which lets the interrupt through)
        out     dx, al
        ret

; AL to COM1. Keeps everything; gives up on a port that never gets ready.
serial16:
        push    dx
        push    cx
        push    ax
        mov     dx, COM1 + 5
        xor     cx, cx
.wait:  in      al, dx
        test    al, 20h
        loopz   .wait
        pop     ax
        mov     dx, COM1
        out     dx, al
        pop     cx
        pop     dx
        ret

; Text at SI to COM1 alone.
serial_text16:
        lodsb
        test    al, al
        jz      .done
        cmp     al, LF
        jne     .put
        mov     al, 13
        call    serial16
        mov     al, LF
.put:   call    serial16
        jmp     serial_text16
.done:  ret

; EAX as eight digits to COM1 alone.
serial_hex32:
        mov     cx, 8
.next:  rol     eax, 4
        push    ax
        call    digit16
        call    serial16
        pop     ax
        loop    .next
        ret

; Low half of AL as a digit in AL.
digit16:
        and     al, 0fh
        cmp     al, 10
        jb      .small
        add     al, 'A' - 10 - '0'
.small: add     al, '0'
        ret

; The title bar, the foot and empty space between them.
draw_frame:
        push    SCREEN >> 4
        pop     es
        xor     di, di
        mov     ax, (TITLE << 8) | ' '
        mov     cx, COLUMNS
        rep     stosw
        mov     di, 21 * COLUMNS * 2
        mov     ax, (DIM << 8) | 0c4h
        mov     cx, COLUMNS
        rep     stosw
        mov     byte [colour], TITLE
        mov     word [cell], 2 * 2
        mov     si, text_title
        call    screen_text16
        mov     word [cell], (COLUMNS - 2 - text_subtitle_length) * 2
        mov     si, text_subtitle
        call    screen_text16
        mov     word [cell], COLUMNS * 2
        push    0
        pop     es
        ret

; Character AL at the cell in the colour; moves on.
screen16:
        push    es
        push    bx
        push    SCREEN >> 4
        pop     es
        mov     bx, [cell]
        mov     ah, [colour]
        mov     [es:bx], ax
        add     word [cell], 2
        pop     bx
        pop     es
        ret

screen_text16:
        lodsb
        test    al, al
        jz      .done
        call    screen16
        jmp     screen_text16
.done:  ret

; To the first column of the next row.
screen_line16:
        push    ax
        push    dx
        push    bx
        mov     ax, [cell]
        xor     dx, dx
        mov     bx, COLUMNS * 2
        div     bx
        inc     ax
        mul     bx
        mov     [cell], ax
        pop     bx
        pop     dx
        pop     ax
        ret

; A heading, screen only: an empty row, then the text at SI.
heading16:
        call    screen_line16
        add     word [cell], 2 * 2
        mov     byte [colour], HEADING
        call    screen_text16
        jmp     screen_line16

; A line that begins with a mark: the text at SI, to its end or to a 0 after which more16 goes on.
say16:
        add     word [cell], 2 * 2
        mov     byte [colour], MARK
        mov     al, 0fbh
        call    screen16
        add     word [cell], 2
        mov     byte [colour], LABEL
more_open16:
more16:
        lodsb
        test    al, al
        jz      .done
        cmp     al, TAB
        je      .tab
        cmp     al, LF
        je      .line
        call    both16
        jmp     more16
.tab:   mov     al, ':'
        call    serial16
        mov     al, ' '
        call    serial16
        call    screen_value16
        jmp     more16
.line:  mov     al, 13
        call    serial16
        mov     al, LF
        call    serial16
        call    screen_line16
        jmp     more16
.done:  ret

; To the column of the values.
screen_value16:
        mov     byte [colour], VALUE
        mov     ax, [cell]
        xor     dx, dx
        mov     bx, COLUMNS * 2
        div     bx
        mul     bx
        add     ax, 22 * 2
        mov     [cell], ax
        ret

both16: call    serial16
        jmp     screen16

; AL in two digits and an h.
hex8_16:
        push    ax
        shr     al, 4
        call    digit16
        call    both16
        pop     ax
        call    digit16
        call    both16
        mov     al, 'h'
        jmp     both16

; EAX in decimal.
decimal16:
        xor     edx, edx
        mov     ecx, 10
        div     ecx
        push    dx
        test    eax, eax
        jz      .last
        call    decimal16
.last:  pop     ax
        add     al, '0'
        jmp     both16

stop16: hlt
        jmp     stop16

cell:   dw      0
colour: db      0

text_title:             db 0fh, " First light", 0
text_subtitle:          db "from the reset vector to 64-bit code"
text_subtitle_length    equ $ - text_subtitle
                        db 0
text_hello:             db LF, "First light", LF, 0
text_heading_real:      db "Real mode", 0
text_boot:              db "Boot sector", TAB, "drive ", 0
text_boot_lba:          db ", the rest read by LBA", LF, 0
text_boot_chs:          db ", the rest read by cylinder, head, sector", LF, 0
text_serial:            db "Serial port", TAB, "COM1, 115200 baud, 8n1", LF, 0
text_a20:               db "A20 line", TAB, 0
text_a20_on:            db "on already", LF, 0
text_a20_bios:          db "was off, on through INT 15h", LF, 0
text_a20_fast:          db "was off, on through port 92h", LF, 0
text_a20_8042:          db "was off, on through the keyboard controller", LF, 0
text_a20_failed:        db "off, and nothing switches it on", LF, 0
text_memory:            db "Memory map", TAB, 0
text_memory_entries:    db " entries, ", 0
text_memory_usable:     db " MiB usable", LF, 0
text_usable:            db " usable", LF, 0
text_reserved:          db " reserved", LF, 0
text_acpi:              db " ACPI", LF, 0
text_picture:           db "Picture", TAB, "mode 13h, 320 x 200, 256 colours", LF, 0
