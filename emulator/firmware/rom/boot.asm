; INT 18h, INT 19h: the search for a boot sector. The order, the reading and the messages are the core's
; (emulator/core/bios/boot.ts).

; Boots, or ends waiting for a key and starts over. The program that INT 19h runs never returns here.
int19:
        cli
        cld
        xor     ax, ax
        mov     ss, ax
        mov     sp, 7c00h
        mov     ds, ax
        mov     es, ax
        sti
.next:  FIRMWARE SERVICE_BOOT           ; ZF: a boot sector lies at 0000:7C00. CF: no device is left
        jz      .start
        jnc     .next
.retry: xor     ah, ah
        int     16h
        FIRMWARE SERVICE_BOOT_AGAIN
        jmp     .next
.start: FIRMWARE SERVICE_BOOT_START     ; registers as a boot sector finds them
        retf                            ; to the address on the stack: 0000:7C00, or a CD's

; The boot sector gave the machine back: the next device has its chance.
int18:
        cli
        cld
        xor     ax, ax
        mov     ss, ax
        mov     sp, 7c00h
        mov     ds, ax
        mov     es, ax
        sti
        jmp     int19.next
