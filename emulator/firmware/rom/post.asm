; Power-on: from the reset vector to the boot. Chips in the order of the AT BIOS; every step leaves its number
; on port 80h.

%macro POST_CODE 1
        mov     al, %1
        out     80h, al
%endmacro

signature:
        db      "Ringside BIOS", 0

vector_table_register:
        dw      256 * 4 - 1
        dd      0

post:
        cli
        cld
        FIRMWARE SERVICE_PROCESSOR      ; the 8259's INTR passes through the local APIC from here on
        ; A reset may be a program's way back from protected mode: the shutdown byte, CMOS 0Fh, says so (PC AT
        ; Technical Reference, "shutdown"). 05h: EOI first; 05h and 0Ah: go on at the address in 0040:0067.
        mov     al, 8fh
        out     70h, al
        in      al, 71h
        mov     ah, al
        mov     al, 8fh
        out     70h, al
        xor     al, al
        out     71h, al
        cmp     ah, 05h
        je      .resume_eoi
        cmp     ah, 0ah
        je      .resume
        cmp     ah, 09h
        je      .resume_block_move
        cmp     ah, 0feh
        je      .resume_s3
.cold:
        POST_CODE 01h
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 7c00h
        ; Caches on (a reset leaves CR0.CD and NW set), and IDTR as long as the vector table is (SDM 3A 20.1.4).
        mov     eax, cr0
        and     eax, 9fffffffh
        mov     cr0, eax
        lidt    [cs:vector_table_register]

        POST_CODE 02h                   ; interrupt controllers: vectors 08h and 70h, 8259A ICW1-ICW4
        mov     al, 11h
        out     PIC1, al
        out     PIC2, al
        mov     al, 08h
        out     PIC1 + 1, al
        mov     al, 70h
        out     PIC2 + 1, al
        mov     al, 04h
        out     PIC1 + 1, al
        mov     al, 02h
        out     PIC2 + 1, al
        mov     al, 01h
        out     PIC1 + 1, al
        out     PIC2 + 1, al
        mov     al, 0ffh
        out     PIC1 + 1, al
        out     PIC2 + 1, al

;       DMA: channel 4 passes the first controller's requests on (PC AT Technical Reference, BIOS listing)
        mov     al, 0c0h
        out     0d6h, al
        xor     al, al
        out     0d4h, al

        POST_CODE 03h                   ; timer: 18.2 Hz, refresh, 896 Hz for the speaker (8254 control words)
        mov     al, 34h                 ; mode 2, as later BIOSes have it: programs draw lots from the count, which mode 3
        out     43h, al                 ; takes down by two, so that it is always even
        xor     al, al
        out     40h, al
        out     40h, al
        mov     al, 54h
        out     43h, al
        mov     al, 18
        out     41h, al
        mov     al, 0b6h
        out     43h, al
        mov     al, 33h
        out     42h, al
        mov     al, 05h
        out     42h, al

        POST_CODE 04h                   ; clock: 32.768 kHz, 1024 Hz, 24 hours, BCD, no interrupts (MC146818)
        mov     ax, 260ah
        call    cmos_write
        mov     ax, 020bh
        call    cmos_write
        mov     al, 0ch
        out     70h, al
        in      al, 71h                 ; reading C drops what is pending
        mov     al, 0dh
        out     70h, al
        in      al, 71h

        POST_CODE 05h                   ; interrupt vectors and BIOS data area
        FIRMWARE SERVICE_TABLES

        POST_CODE 06h                   ; video: mode 3, clears the screen
        mov     ax, 0003h
        int     10h

        POST_CODE 07h
        call    keyboard_init

        POST_CODE 08h                   ; IRQ 0 timer, 1 keyboard, 2 cascade, 6 diskette; 8 clock, 12 mouse, 13 coprocessor, 14 disk:
        mov     al, 0b8h                ; those that have a handler here, as in SeaBIOS
        out     PIC1 + 1, al
        mov     al, 8eh
        out     PIC2 + 1, al
        sti

        POST_CODE 09h
        FIRMWARE SERVICE_BANNER
        cli
        in      al, 92h                 ; address line 20 off, as the PC AT starts its boot sectors
        and     al, 0fch
        out     92h, al
        sti
        FIRMWARE SERVICE_READY
        int     19h
.stop:  hlt
        jmp     .stop

.resume_eoi:
        mov     al, EOI
        out     PIC2, al
        out     PIC1, al
.resume:
        mov     ax, BDA
        mov     ds, ax
        jmp     far [67h]
; FEh, as SeaBIOS has it: back from S3. Memory is the operating system's, the stack and the vectors too; it goes on in
; real mode at the waking vector (ACPI 6.4, 5.2.10).
.resume_s3:
        FIRMWARE SERVICE_RESUME
        jc      .cold
        mov     eax, cr0
        and     eax, 9fffffffh
        mov     cr0, eax
        mov     ax, ROM_WAKING_SEGMENT
        mov     fs, ax
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        jmp     far [fs:ROM_WAKING_OFFSET]
.resume_block_move:                     ; 0040:0067 holds SS:SP of the INT 15h/87h that went to protected mode
        mov     ax, BDA
        mov     ds, ax
        lss     sp, [67h]
        pop     es
        pop     ds
        popa
        iret

; CMOS register AL = AH.
cmos_write:
        out     70h, al
        xchg    al, ah
        out     71h, al
        ret

; 8042 and keyboard. Every wait ends by itself: a machine without a keyboard boots as well.
keyboard_init:
        call    kbc_drain
        mov     al, 0aah                ; controller self test, answers 55h
        call    kbc_command
        call    kbc_read
        mov     al, 0abh                ; keyboard interface test, answers 00h
        call    kbc_command
        call    kbc_read
        mov     al, 0aeh                ; keyboard interface on
        call    kbc_command
        mov     al, 0ffh                ; keyboard reset: ACK, then AAh when its self test passed
        call    kbc_data
        call    kbc_read
        call    kbc_read
        mov     al, 60h                 ; command byte: translation, mouse off, system flag, IRQ 1
        call    kbc_command
        mov     al, 65h
        call    kbc_data
        call    kbc_drain
        ret

kbc_command:
        call    kbc_wait_write
        out     64h, al
        ret
kbc_data:
        call    kbc_wait_write
        out     60h, al
        ret

; Waits until the controller takes a byte. Preserves all registers.
kbc_wait_write:
        push    ax
        push    cx
        mov     cx, 8000h
.again: in      al, 64h
        test    al, 02h
        loopnz  .again
        pop     cx
        pop     ax
        ret

; AL = next byte of the controller, 0FFh after about a second of silence (time of the port 61h refresh bit
; would do as well; the keyboard's own reset takes its time, so the count is generous).
kbc_read:
        push    ecx
        mov     ecx, 200000
.again: in      al, 64h
        test    al, 01h
        jnz     .ready
        dec     ecx
        jnz     .again
        mov     al, 0ffh
        jmp     .done
.ready: in      al, 60h
.done:  pop     ecx
        ret

kbc_drain:
        push    cx
        mov     cx, 32
.again: in      al, 64h
        test    al, 01h
        jz      .empty
        in      al, 60h
        loop    .again
.empty: pop     cx
        ret
