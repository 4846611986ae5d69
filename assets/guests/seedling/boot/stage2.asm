; Stage 2, loaded by the boot sector at 0000:8000. The last code that can ask the BIOS anything, so it asks everything:
; the boot line, the A20 gate, the memory map, a framebuffer, and the kernel and its initrd from the disk. It leaves all
; answers in the boot record at 1000h, enters protected mode and jumps to the kernel's 32-bit entry, which goes on to
; paging, long mode and the higher half (kernel/entry.asm); a Multiboot 2 loader enters at the same place.
;
;   0500h        (BIOS data below)       2000h  VBE controller and mode information
;   1000h        boot record             7E00h  boot line sector
;   1800h        boot line, edited       8000h  this code, up to 9FFFh
;   10000h       32 KiB through which disk sectors go on their way above 1 MiB
BITS 16
ORG 0x8000

RECORD          equ 0x1000
LINE            equ 0x1800
LINE_MAX        equ 480
VBE_INFO        equ 0x2000
VBE_MODE        equ 0x2200
BOOT_LINE       equ 0x7E00
BOUNCE          equ 0x10000
BOUNCE_SECTORS  equ 64
KERNEL          equ 0x100000

; The boot record, `struct bios_record` in kernel/boot-info.c.
struc record
    .magic      resd 1          ; 'SEED'
    .map_count  resd 1
    .line       resd 1          ; physical address of the boot line
    .initrd     resd 1
    .initrd_len resd 1
    .fb_address resd 1          ; 0: text mode
    .fb_pitch   resd 1
    .fb_width   resw 1
    .fb_height  resw 1
    .fb_bpp     resb 1
    .fb_red     resb 1          ; bit position of each colour
    .fb_green   resb 1
    .fb_blue    resb 1
    .drive      resd 1
    alignb 8
    .map        resb 64 * 24    ; E820 entries
endstruc

header:
    dd 'SDL2'
    jmp near start
    align 8
kernel_lba      dd 0            ; filled in when the image is put together
kernel_bytes    dd 0
initrd_lba      dd 0
initrd_bytes    dd 0

start:
    mov [drive], dl
    mov di, RECORD
    mov cx, (record_size + 3) / 4
    xor eax, eax
    rep stosd
    mov dword [RECORD + record.magic], 'SEED'
    mov al, [drive]
    mov [RECORD + record.drive], al

    call serial_init
    mov si, msg_hello
    call print
    call boot_line
    call enable_a20
    call memory_map
    call load_kernel
    call framebuffer
    jmp enter_kernel

%include "console.inc"
%include "prompt.inc"
%include "memory.inc"
%include "load.inc"
%include "vbe.inc"
%include "protected.inc"

; SI -> what is wrong.
die:
    call print
    mov si, msg_stopped
    call print
.stop:
    hlt
    jmp .stop

drive           db 0
msg_hello       db 13, 10, 'Seedling, stage 2', 13, 10, 0
msg_stopped     db 13, 10, 'Seedling cannot start.', 13, 10, 0

    times 16 * 512 - ($ - $$) db 0
