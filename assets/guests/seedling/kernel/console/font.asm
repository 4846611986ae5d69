; The ROM's 8x16 font (assets/fonts/rom/8x16.txt), 16 bytes a character.
section .rodata
global font_8x16
font_8x16: incbin "font-8x16.bin"
section .note.GNU-stack noalloc noexec nowrite progbits
