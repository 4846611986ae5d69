; LBA 1: the boot line, in a sector of its own so that anybody can change it in the image:
;
;   offset 0     8 bytes   "SEEDLINE"
;   offset 8     u16       how many ticks (1/18.2 s) the prompt waits for a key; 0: no prompt
;   offset 10    u16       length of the line
;   offset 12    ...       the line, at most 480 characters
;
;   printf 'run=selftest' | dd of=seedling.img bs=1 seek=$((512 + 12)) conv=notrunc     (and the length at 512 + 10)
%ifndef LINE
%define LINE 'run=shell'
%endif
%ifndef TICKS
%define TICKS 18
%endif
    db 'SEEDLINE'
    dw TICKS
    dw line.end - line
line:
    db LINE
.end:
    times 512 - ($ - $$) db 0
