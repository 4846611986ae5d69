; The boot sector: loads the rest of the program behind itself. Disks by LBA (INT 13h/42h), and where a BIOS has no
; extensions, floppies among others, by cylinder, head, sector.

boot:
        cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, STACK
        sti
        cld
        jmp     0:.here                 ; some BIOSes start at 07C0:0000
.here:
        mov     [boot_drive], dl
        mov     ah, 41h
        mov     bx, 55aah
        int     13h
        jc      .chs
        cmp     bx, 0aa55h
        jne     .chs
        test    cl, 1
        jz      .chs
        mov     byte [loaded_by_lba], 1
        mov     si, packet
        mov     ah, 42h
        mov     dl, [boot_drive]
        int     13h
        jc      .failed
        jmp     real

.chs:   mov     ah, 08h
        mov     dl, [boot_drive]
        xor     di, di
        int     13h
        jc      .failed
        push    0
        pop     es
        and     cx, 3fh
        mov     [sectors_per_track], cx
        movzx   ax, dh
        inc     ax
        mov     [heads], ax
        mov     di, 1                   ; sector by sector: slow, and never across a track or a 64 KiB boundary
        mov     bx, LOAD + SECTOR
.next:  mov     ax, di
        xor     dx, dx
        div     word [sectors_per_track]
        inc     dl
        mov     cl, dl                  ; sector
        xor     dx, dx
        div     word [heads]
        mov     dh, dl                  ; head
        mov     ch, al                  ; cylinder
        mov     si, 3                   ; a floppy's motor may need more than one try
.try:   mov     ax, 0201h
        mov     dl, [boot_drive]
        int     13h
        jnc     .ok
        xor     ah, ah
        int     13h
        dec     si
        jnz     .try
        jmp     .failed
.ok:    add     bx, SECTOR
        inc     di
        cmp     di, IMAGE_SECTORS
        jb      .next
        jmp     real

.failed:
        mov     si, .message
.print: lodsb
        test    al, al
        jz      .stop
        mov     ah, 0eh
        mov     bx, 0007h
        int     10h
        jmp     .print
.stop:  hlt
        jmp     .stop
.message:
        db      "First light: the disk could not be read.", 13, 10, 0

        align   4
packet: db      16, 0
        dw      IMAGE_SECTORS - 1
        dw      LOAD + SECTOR, 0
        dq      1

boot_drive:             db 0
loaded_by_lba:          db 0
sectors_per_track:      dw 0
heads:                  dw 0

        times   446 - ($ - $$) db 0
        times   64 db 0                 ; no partitions
        dw      0aa55h
