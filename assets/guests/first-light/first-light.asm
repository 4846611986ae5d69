; First light: the guest that ships with Ringside. One disk image, from the boot sector to 64-bit code, with every
; step told on COM1 and on the screen. Runs on any PC with a BIOS and a processor with long mode.
;
; nasm -f bin first-light.asm -o first-light.img

SECTOR          equ 512
LOAD            equ 7c00h               ; the boot sector; the rest follows it in memory as on the disk
STACK           equ 7c00h               ; grows down from below the boot sector
MEMORY_MAP      equ 6000h               ; E820 entries, 24 bytes each
MEMORY_MAP_MAX  equ 32
SAVED_SCREEN    equ 20000h              ; the text screen while the picture is shown
PML4            equ 10000h              ; page tables, see protected.asm
PDPT_LOW        equ 11000h
PDPT_HIGH       equ 12000h
PD              equ 13000h
PAGE_TABLES_END equ 14000h
IDT             equ 14000h              ; 256 gates of 16 bytes
STACK64         equ 80000h
KERNEL_BASE     equ 0ffffffff80000000h  ; where physical memory is seen a second time
COM1            equ 3f8h
SCREEN          equ 0b8000h
COLUMNS         equ 80

; Colours of the screen
TITLE           equ 1fh                 ; white on blue
HEADING         equ 0bh                 ; cyan
MARK            equ 0ah                 ; green
LABEL           equ 0fh                 ; white
VALUE           equ 07h                 ; grey
DIM             equ 08h
WARM            equ 0eh                 ; yellow

; Bytes in texts: 0 ends, TAB goes from a line's label to its value, LF ends the line.
TAB             equ 9
LF              equ 10

        cpu     x64
        bits    16
        org     LOAD

%include "boot.asm"
%include "real.asm"
%include "picture.asm"
%include "protected.asm"
%include "long.asm"

image_end:
        times   (SECTOR - (image_end - $$) % SECTOR) % SECTOR db 0
IMAGE_SECTORS   equ (image_end - $$ + SECTOR - 1) / SECTOR
        ; A whole 32 KiB: BIOSes that guess a geometry dislike disks smaller than a track.
        times   64 * SECTOR - ($ - $$) db 0
