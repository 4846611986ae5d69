; Sector 0 of the disk, 512 bytes. The BIOS loads it at 0000:7C00 and jumps there in real mode with the number of the
; boot drive in DL. It has one job: fetch the 17 sectors behind it (the boot line and stage 2) and go there.
;
;   LBA 0        this sector: code, partition table at 1BEh, 55h AAh at 1FEh
;   LBA 1        the boot line      -> 0000:7E00
;   LBA 2..17    stage 2            -> 0000:8000
;   LBA 18..     the kernel and its initrd, where stage 2's header says; then the ext2 partition
BITS 16
ORG 0x7C00

BOOT_LINE       equ 0x7E00
STAGE2          equ 0x8000
SECTORS         equ 17
STAGE2_MAGIC    equ 'SDL2'

start:
    cli                         ; SS:SP is whatever the BIOS left: no interrupt until both are ours
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, start               ; the stack grows down from here: 500h..7BFFh is free
    sti
    cld
    jmp 0:.flush                ; some BIOSes start us at 07C0:0000; make CS agree with ORG
.flush:
    mov [drive], dl

    mov ah, 0x41                ; INT 13h extensions present? (EDD 3.0, 3.2)
    mov bx, 0x55AA
    int 0x13
    mov si, no_extensions
    jc die
    cmp bx, 0xAA55
    jne die

    mov cx, 3                   ; a real drive may need a second and third try
.read:
    push cx
    mov si, packet
    mov ah, 0x42                ; extended read
    mov dl, [drive]
    int 0x13
    pop cx
    jnc .loaded
    loop .read
    mov si, cannot_read
    jmp die
.loaded:
    mov si, no_stage2
    cmp dword [STAGE2], STAGE2_MAGIC
    jne die
    mov dl, [drive]
    jmp 0:STAGE2 + 4

; SI -> what is wrong. Says it on the screen and on COM1, then stops for good.
die:
    lodsb
    test al, al
    jz .stop
    mov ah, 0x0E                ; teletype
    mov bx, 7
    int 0x10
    mov dx, 0x3F8               ; COM1 has not been programmed yet, but most firmware leaves it usable
    out dx, al
    jmp die
.stop:
    hlt                         ; interrupts stay on, so that Ctrl-Alt-Del still works
    jmp .stop

no_extensions   db 'Seedling: this BIOS has no INT 13h extensions', 13, 10, 0
cannot_read     db 'Seedling: the disk cannot be read', 13, 10, 0
no_stage2       db 'Seedling: stage 2 is not where it should be (LBA 2)', 13, 10, 0

align 4
packet:                         ; disk address packet (EDD 3.0, 3.2)
    db 16, 0
    dw SECTORS
    dw BOOT_LINE, 0             ; offset, segment
    dq 1                        ; LBA
drive   db 0

%if ($ - $$) > 0x1BE
%error "the boot sector's code runs into its partition table"
%endif
    times 0x1FE - ($ - $$) db 0 ; the partition table in between is filled in when the image is put together
    dw 0xAA55
