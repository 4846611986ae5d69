; Protected mode, 32 bits: page tables, and the switch to long mode (SDM 3A 9.8.5).

protected:
        mov     si, text_heading_protected
        call    heading16

        ; A processor without long mode says so here, while there is a BIOS to go on with.
        mov     eax, 80000000h
        cpuid
        cmp     eax, 80000001h
        jb      .no_long_mode
        mov     eax, 80000001h
        cpuid
        test    edx, 1 << 29
        jnz     .has_long_mode
.no_long_mode:
        mov     si, text_no_long_mode
        call    say16
        jmp     stop16

.has_long_mode:
        mov     si, text_gdt
        call    say16
        cli
        mov     al, 0ffh                ; the BIOS's interrupts end here
        out     21h, al
        out     0a1h, al
        lgdt    [gdt_pointer]
        mov     eax, cr0
        or      eax, 1
        mov     cr0, eax
        jmp     CODE32:.in_protected_mode

        bits    32
.in_protected_mode:
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     fs, ax
        mov     gs, ax
        mov     esp, STACK
        mov     esi, text_protected
        call    say32

        ; PML4 -> two PDPTs -> one PD of 2 MiB pages: the first GiB where it is, and again at KERNEL_BASE.
        mov     edi, PML4
        xor     eax, eax
        mov     ecx, (PAGE_TABLES_END - PML4) / 4
        rep     stosd
        mov     dword [PML4], PDPT_LOW | 3
        mov     dword [PML4 + 511 * 8], PDPT_HIGH | 3
        mov     dword [PDPT_LOW], PD | 3
        mov     dword [PDPT_HIGH + 510 * 8], PD | 3
        mov     eax, 83h                ; present, writable, 2 MiB
        mov     edi, PD
        mov     ecx, 512
.entry: mov     [edi], eax
        add     eax, 200000h
        add     edi, 8
        loop    .entry
        mov     esi, text_tables
        call    say32

        mov     esi, text_heading_long
        call    heading32
        mov     eax, cr4
        or      eax, 1 << 5             ; PAE
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     esi, text_pae
        call    say32
        mov     ecx, 0c0000080h         ; IA32_EFER
        rdmsr
        or      eax, 1 << 8             ; LME
        wrmsr
        mov     eax, cr0
        or      eax, 1 << 31            ; PG: from here on LMA is set
        mov     cr0, eax
        mov     esi, text_lma
        call    say32
        jmp     CODE64:long_mode

; As their 16-bit relatives in real.asm.
serial32:
        push    edx
        push    ecx
        push    eax
        mov     edx, COM1 + 5
        xor     ecx, ecx
        mov     cx, 0ffffh
.wait:  in      al, dx
        test    al, 20h
        loopz   .wait
        pop     eax
        mov     edx, COM1
        out     dx, al
        pop     ecx
        pop     edx
        ret

screen32:
        movzx   edi, word [cell]
        mov     ah, [colour]
        mov     [SCREEN + edi], ax
        add     word [cell], 2
        ret

screen_line32:
        movzx   eax, word [cell]
        xor     edx, edx
        mov     ebx, COLUMNS * 2
        div     ebx
        inc     eax
        mul     ebx
        mov     [cell], ax
        ret

heading32:
        call    screen_line32
        add     word [cell], 2 * 2
        mov     byte [colour], HEADING
.next:  lodsb
        test    al, al
        jz      screen_line32
        call    screen32
        jmp     .next

say32:
        add     word [cell], 2 * 2
        mov     byte [colour], MARK
        mov     al, 0fbh
        call    screen32
        add     word [cell], 2
        mov     byte [colour], LABEL
.next:  lodsb
        test    al, al
        jz      .done
        cmp     al, TAB
        je      .tab
        cmp     al, LF
        je      .line
        call    serial32
        call    screen32
        jmp     .next
.tab:   mov     al, ':'
        call    serial32
        mov     al, ' '
        call    serial32
        mov     byte [colour], VALUE
        movzx   eax, word [cell]
        xor     edx, edx
        mov     ebx, COLUMNS * 2
        div     ebx
        mul     ebx
        add     eax, 22 * 2
        mov     [cell], ax
        jmp     .next
.line:  mov     al, 13
        call    serial32
        mov     al, LF
        call    serial32
        call    screen_line32
        jmp     .next
.done:  ret

        align   8
gdt:    dq      0
        dq      00cf9b000000ffffh       ; 32-bit code, accessed
        dq      00cf93000000ffffh       ; data
        dq      00af9b000000ffffh       ; 64-bit code
gdt_end:
CODE32  equ     8
DATA    equ     10h
CODE64  equ     18h

gdt_pointer:
        dw      gdt_end - gdt - 1
        dd      gdt

text_heading_protected: db "Protected mode", 0
text_no_long_mode:      db "Processor", TAB, "has no long mode; this is as far as it goes", LF, 0
text_gdt:               db "GDT", TAB, "loaded: 32-bit code, data, 64-bit code", LF, 0
text_protected:         db "Protected mode", TAB, "32-bit code", LF, 0
text_tables:            db "Page tables", TAB, "first GiB at 0 and at FFFFFFFF80000000", LF, 0
text_heading_long:      db "Long mode", 0
text_pae:               db "PAE", TAB, "on, CR3 loaded", LF, 0
text_lma:               db "Paging", TAB, "on, EFER.LMA set", LF, 0
