; Long mode, 64 bits: leaves the low addresses, sets up its own interrupts, and stays alive. The timer counts, what
; is typed on the keyboard or comes in on COM1 appears on the screen and goes out on COM1.

        bits    64
        default rel

TICKS_PER_SECOND equ 100
PIT_DIVISOR      equ 11932              ; 1193182 Hz / 100
STATUS_ROW       equ 22
ECHO_ROW         equ 23

long_mode:
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     rax, KERNEL_BASE + .high
        jmp     rax
.high:
        mov     rsp, KERNEL_BASE + STACK64
        lea     rsi, [text_long]
        call    say64
        lea     rsi, [text_rip]
        call    say64
        lea     rdx, [.high]
        call    hex64
        lea     rsi, [text_newline]
        call    more64

        ; IDT: exceptions 00h-1Fh, the timer at 20h, the keyboard at 21h, COM1 at 24h.
        xor     ebx, ebx
.gate:  imul    eax, ebx, exception_stub_size
        lea     rdx, [exception_stubs]
        add     rdx, rax
        call    set_gate
        inc     ebx
        cmp     ebx, 20h
        jb      .gate
        lea     rdx, [timer]
        call    set_gate
        mov     ebx, 21h
        lea     rdx, [keyboard]
        call    set_gate
        mov     ebx, 24h
        lea     rdx, [com1]
        call    set_gate
        lidt    [idt_pointer]

        mov     al, 11h                 ; 8259A: vectors 20h and 28h
        out     20h, al
        out     0a0h, al
        mov     al, 20h
        out     21h, al
        mov     al, 28h
        out     0a1h, al
        mov     al, 4
        out     21h, al
        mov     al, 2
        out     0a1h, al
        mov     al, 1
        out     21h, al
        out     0a1h, al
        mov     al, 11101100b           ; IRQ 0, 1, 4
        out     21h, al
        mov     al, 0ffh
        out     0a1h, al
        mov     al, 34h                 ; 8254 channel 0, rate generator
        out     43h, al
        mov     al, PIT_DIVISOR & 0ffh
        out     40h, al
        mov     al, PIT_DIVISOR >> 8
        out     40h, al
.drain: in      al, 64h                 ; a key pressed during the boot has had its time
        test    al, 1
        jz      .drained
        in      al, 60h
        jmp     .drain
.drained:
        lea     rsi, [text_interrupts]
        call    say64
        mov     dx, COM1 + 1            ; UART: interrupt when a byte has come in
        mov     al, 1
        out     dx, al

        lea     rsi, [text_hello64]
        call    serial_text64
        mov     byte [colour], WARM
        mov     word [cell], (ECHO_ROW * COLUMNS + 2) * 2
        lea     rsi, [text_prompt]
        call    screen_text64
        mov     byte [colour], LABEL
        sti

idle:   cli                             ; the line and the echo share the cell
        call    status
        sti
        hlt
        jmp     idle

; ---------------------------------------------------------------------------------------------------------
; The line that lives: uptime, ticks, keys, bytes.

status:
        movzx   eax, word [cell]
        push    rax
        mov     al, [colour]
        push    rax
        mov     word [cell], (STATUS_ROW * COLUMNS + 2) * 2
        mov     byte [colour], VALUE
        lea     rsi, [text_uptime]
        call    screen_text64
        mov     byte [colour], LABEL
        mov     rax, [ticks]
        xor     edx, edx
        mov     ecx, TICKS_PER_SECOND
        div     rcx
        push    rdx
        xor     edx, edx
        mov     ecx, 60
        div     rcx
        push    rdx
        xor     edx, edx
        div     rcx
        push    rdx
        call    two_digits
        mov     al, ':'
        call    screen64
        pop     rax
        call    two_digits
        mov     al, ':'
        call    screen64
        pop     rax
        call    two_digits
        mov     al, '.'
        call    screen64
        pop     rax
        call    two_digits
        lea     rsi, [text_ticks]
        mov     rax, [ticks]
        call    counter
        lea     rsi, [text_keys]
        mov     rax, [keys]
        call    counter
        lea     rsi, [text_bytes]
        mov     rax, [bytes]
        call    counter
        pop     rax
        mov     [colour], al
        pop     rax
        mov     [cell], ax
        ret

; The text at RSI in grey, RAX in white.
counter:
        push    rax
        mov     byte [colour], VALUE
        call    screen_text64
        mov     byte [colour], LABEL
        pop     rax
decimal64:
        xor     edx, edx
        mov     ecx, 10
        div     rcx
        push    rdx
        test    rax, rax
        jz      .last
        call    decimal64
.last:  pop     rax
        add     al, '0'
        jmp     screen64

two_digits:
        xor     edx, edx
        mov     ecx, 10
        div     rcx
        push    rdx
        xor     edx, edx
        div     rcx                     ; hours may have more digits; two are shown
        lea     eax, [rdx + '0']
        call    screen64
        pop     rax
        add     al, '0'
        jmp     screen64

; A character from keyboard or COM1: shown, and sent back.
echo:
        cmp     al, 13
        je      .enter
        cmp     al, LF
        je      .enter
        cmp     al, 8
        je      .back
        cmp     al, 7fh
        je      .back
        cmp     al, ' '
        jb      .done
        call    serial64
        cmp     word [cell], (ECHO_ROW * COLUMNS + COLUMNS - 2) * 2
        jb      .fits
        call    .clear
.fits:  mov     byte [colour], LABEL
        jmp     screen64
.enter: mov     al, 13
        call    serial64
        mov     al, LF
        call    serial64
.clear: push    rax
        mov     byte [colour], LABEL
        mov     word [cell], (ECHO_ROW * COLUMNS + ECHO_COLUMN) * 2
.blank: mov     al, ' '
        call    screen64
        cmp     word [cell], (ECHO_ROW * COLUMNS + COLUMNS - 2) * 2
        jb      .blank
        mov     word [cell], (ECHO_ROW * COLUMNS + ECHO_COLUMN) * 2
        pop     rax
.done:  ret
.back:  cmp     word [cell], (ECHO_ROW * COLUMNS + ECHO_COLUMN) * 2
        jbe     .done
        mov     al, 8
        call    serial64
        mov     al, ' '
        call    serial64
        mov     al, 8
        call    serial64
        sub     word [cell], 2
        mov     al, ' '
        call    screen64
        sub     word [cell], 2
        ret

; ---------------------------------------------------------------------------------------------------------
; Interrupts

; Gate EBX = RDX (64-bit interrupt gate, SDM 3A 6.14.1). Keeps EBX.
set_gate:
        mov     edi, ebx
        shl     edi, 4
        add     edi, IDT
        mov     [rdi], dx
        mov     word [rdi + 2], CODE64
        mov     word [rdi + 4], 8e00h
        shr     rdx, 16
        mov     [rdi + 6], dx
        shr     rdx, 16
        mov     [rdi + 8], edx
        mov     dword [rdi + 12], 0
        ret

%macro SAVE 0
        push    rax
        push    rcx
        push    rdx
        push    rbx
        push    rsi
        push    rdi
%endmacro
%macro RESTORE 0
        pop     rdi
        pop     rsi
        pop     rbx
        pop     rdx
        pop     rcx
        pop     rax
%endmacro

timer:
        push    rax
        inc     qword [ticks]
        mov     al, 20h
        out     20h, al
        pop     rax
        iretq

; Scan code set 1, as the controller translates it. Shift is known, the other keys are letters, digits, signs.
keyboard:
        SAVE
        in      al, 60h
        movzx   ebx, al
        cmp     bl, 2ah
        je      .shift
        cmp     bl, 36h
        je      .shift
        cmp     bl, 0aah
        je      .unshift
        cmp     bl, 0b6h
        je      .unshift
        cmp     bl, 3ah
        jae     .eoi                    ; releases, function keys
        inc     qword [keys]
        lea     rsi, [keys_plain]
        cmp     byte [shifted], 0
        je      .plain
        lea     rsi, [keys_shifted]
.plain: mov     al, [rsi + rbx]
        test    al, al
        jz      .eoi
        call    echo
        jmp     .eoi
.shift: mov     byte [shifted], 1
        jmp     .eoi
.unshift:
        mov     byte [shifted], 0
.eoi:   mov     al, 20h
        out     20h, al
        RESTORE
        iretq

com1:
        SAVE
.next:  mov     dx, COM1 + 5
        in      al, dx
        test    al, 1
        jz      .empty
        mov     dx, COM1
        in      al, dx
        inc     qword [bytes]
        call    echo
        jmp     .next
.empty: mov     dx, COM1 + 2            ; reading the identification ends what else it asked for
        in      al, dx
        mov     al, 20h
        out     20h, al
        RESTORE
        iretq

; An exception here is a bug of this program: which, and where, then the end.
exception_stubs:
%assign vector 0
%rep 32
        push    qword vector
        jmp     strict near exception64
        align   16
%assign vector vector + 1
%endrep
exception_stub_size equ ($ - exception_stubs) / 32

exception64:
        mov     rbx, [rsp]
        mov     rdx, [rsp + 8]          ; RIP, or the error code of the vectors that have one
        cmp     ebx, 8
        je      .error
        cmp     ebx, 10
        jb      .known
        cmp     ebx, 14
        jbe     .error
        cmp     ebx, 17
        jne     .known
.error: mov     rdx, [rsp + 16]
.known: push    rdx
        mov     word [cell], (ECHO_ROW * COLUMNS + 2) * 2
        mov     byte [colour], 4fh
        lea     rsi, [text_exception]
        call    more64
        movzx   edx, bl
        call    hex64
        lea     rsi, [text_at]
        call    more64
        pop     rdx
        call    hex64
        cli
.stop:  hlt
        jmp     .stop

; ---------------------------------------------------------------------------------------------------------
; COM1 and screen, as in real.asm

serial64:
        push    rdx
        push    rcx
        push    rax
        mov     edx, COM1 + 5
        mov     ecx, 0ffffh
.wait:  in      al, dx
        test    al, 20h
        loopz   .wait
        pop     rax
        mov     edx, COM1
        out     dx, al
        pop     rcx
        pop     rdx
        ret

screen64:
        push    rdi
        movzx   edi, word [cell]
        mov     ah, [colour]
        mov     [abs SCREEN + rdi], ax
        add     word [cell], 2
        pop     rdi
        ret

screen_line64:
        movzx   eax, word [cell]
        xor     edx, edx
        mov     ebx, COLUMNS * 2
        div     ebx
        inc     eax
        mul     ebx
        mov     [cell], ax
        ret

serial_text64:
        lodsb
        test    al, al
        jz      .done
        call    serial64
        jmp     serial_text64
.done:  ret

screen_text64:
        lodsb
        test    al, al
        jz      .done
        call    screen64
        jmp     screen_text64
.done:  ret

say64:
        add     word [cell], 2 * 2
        mov     byte [colour], MARK
        mov     al, 0fbh
        call    screen64
        add     word [cell], 2
        mov     byte [colour], LABEL
more64: lodsb
        test    al, al
        jz      .done
        cmp     al, TAB
        je      .tab
        cmp     al, LF
        je      .line
        call    serial64
        call    screen64
        jmp     more64
.tab:   mov     al, ':'
        call    serial64
        mov     al, ' '
        call    serial64
        mov     byte [colour], VALUE
        movzx   eax, word [cell]
        xor     edx, edx
        mov     ebx, COLUMNS * 2
        div     ebx
        mul     ebx
        add     eax, 22 * 2
        mov     [cell], ax
        jmp     more64
.line:  mov     al, 13
        call    serial64
        mov     al, LF
        call    serial64
        call    screen_line64
        jmp     more64
.done:  ret

; RDX in 16 digits, on both.
hex64:
        mov     ecx, 16
.next:  rol     rdx, 4
        mov     al, dl
        and     al, 0fh
        cmp     al, 10
        jb      .small
        add     al, 'A' - 10 - '0'
.small: add     al, '0'
        call    serial64
        call    screen64
        loop    .next
        ret

        align   8
ticks:  dq      0
keys:   dq      0
bytes:  dq      0
shifted:
        db      0
idt_pointer:
        dw      256 * 16 - 1
        dq      IDT

keys_plain:
        db      0, 27, "1234567890-=", 8, 0, "qwertyuiop[]", 13, 0, "asdfghjkl;'`", 0, "\zxcvbnm,./", 0, "*", 0, " "
keys_shifted:
        db      0, 27, "!@#$%^&*()_+", 8, 0, "QWERTYUIOP{}", 13, 0, 'ASDFGHJKL:"~', 0, "|ZXCVBNM<>?", 0, "*", 0, " "

text_long:              db "64-bit code", TAB, "CS.L set", LF, 0
text_rip:               db "Higher half", TAB, "RIP = ", 0
text_newline:           db LF, 0
text_interrupts:        db "Interrupts", TAB, "IDT loaded; timer 100 Hz, keyboard, COM1", LF, 0
text_hello64:           db 13, LF, "Long mode: hello from 64-bit code", 13, LF, 0
text_uptime:            db "Uptime ", 0
text_ticks:             db "    Ticks ", 0
text_keys:              db "    Keys ", 0
text_bytes:             db "    COM1 bytes ", 0
text_prompt:            db "Type here or on COM1: ", 0
ECHO_COLUMN             equ 2 + 22
text_exception:         db "Exception ", 0
text_at:                db " at ", 0
