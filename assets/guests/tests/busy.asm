; Computes without end and changes the screen some hundred times a second: what the panels' cost is measured with.
%include "boot.inc"
main:   PRINT   "Busy", 13, 10
        mov     ax, 0b800h
        mov     es, ax
again:  mov     ecx, 100000
.work:  add     eax, ebx
        rol     eax, 5
        xor     ebx, eax
        lea     ebx, [ebx + ecx * 2]
        dec     ecx
        jnz     .work
        ; A row of the screen, another one each time, in the colours of the sum.
        inc     word [rows]
        movzx   edi, word [rows]
        and     edi, 15
        imul    di, di, 160
        mov     cx, 80
.cell:  stosw
        ror     eax, 3
        loop    .cell
        jmp     again
rows:   dw      0
        SIGNATURE
