; Corners of 64-bit mode: what SMSW, LMSW and MOV SS do to operands and selectors, segments that an IRET clears, encodings that
; only look like instructions, addresses that are not canonical (SDM 2).
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
CODE16          equ $ - gdt
        descriptor 0, 0xfffff, 0x809a
LDT             equ $ - gdt
        descriptor LINEAR(ldt), ldt_end - ldt - 1, 0x0082
        dq      0
gdt_end:
PAGED           equ 0x90000

%macro undefined 2
        faults  6, 0xdead, {%1}, {db %2}
%endmacro
bits 16
main:   enter_long
bits 64
        ; --- SMSW, LMSW
        mov     rdx, cr0
        mov     rax, 0x1234567890abcdef
        smsw    ax
        xor     ax, dx
        mov     rcx, 0x1234567890ab0000
        cmp     rax, rcx
        sete    al
        movzx   eax, al
        expect  eax, 1, "SDM 2B SMSW r16: bits 63:16 stay"
        mov     rax, -1
        smsw    eax
        mov     rcx, rax
        expectq rcx, 0x80000011, "SDM 2B SMSW r32: the low half of CR0, zero-extended"
        mov     rax, -1
        smsw    rax
        mov     rcx, rax
        expectq rcx, 0x80000011, "SDM 2B SMSW r64: CR0"
        mov     qword [cell], -1
        o64 smsw [cell]
        expectq qword [cell], 0xffffffffffff0011, "SDM 2B SMSW m16: two bytes, whatever the operand size"
        mov     rdx, cr0
        mov     eax, edx
        xor     eax, 8
        lmsw    ax
        mov     rax, cr0
        xor     eax, edx
        expect  eax, 8, "SDM 2A LMSW: TS"
        mov     [cell], dx
        lmsw    [cell]
        mov     rax, cr0
        xor     eax, edx
        expect  eax, 0, "SDM 2A LMSW m16: TS again"
        mov     eax, edx
        and     eax, ~1
        xor     eax, 4
        lmsw    ax
        mov     rax, cr0
        xor     eax, edx
        expect  eax, 4, "SDM 2A LMSW: EM is set, PE stays"
        lmsw    dx
        mov     eax, edx
        xor     eax, 0x20
        lmsw    ax
        mov     rax, cr0
        xor     eax, edx
        expect  eax, 0, "SDM 2A LMSW: NE is not among its bits"

        ; --- SS
        xor     eax, eax
        mov     ss, eax
        mov     eax, ss
        expect  eax, 0, "SDM 2B MOV: the null selector in SS at CPL 0"
        mov     eax, 3
        faults  13, 0, "SDM 2B MOV: a null selector in SS with RPL 3 at CPL 0", {mov ss, eax}
        mov     eax, 1
        faults  13, 0, "SDM 2B MOV: a null selector in SS with RPL 1 at CPL 0", {mov ss, eax}
        mov     eax, CODE
        user_faults 13, CODE, "SDM 2B MOV: FS with DPL 0 at CPL 3", {mov fs, eax}
        mov     eax, DATA
        user_faults 13, DATA, "SDM 2B MOV: GS with DPL 0 at CPL 3", {mov gs, eax}
        user_faults 13, 0, "SDM 2B MOV: the null selector in SS at CPL 3", {mov ss, [null]}

        ; --- IRET to an outer ring: segments of DPL 0 become null, whatever lies behind them (SDM 2A IRET). In 64-bit mode
        ; the bases of FS and GS count all the same, and stay.
        mov     eax, DATA
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        msr_write 0xc0000100, 0, 0x400000
        msr_write 0xc0000101, 0, 0x500000
        mov     dword [there], 0x7e57ab1e
        user_gate 0x30
        user_gate 0x31
        catch   .nullified
        to_user .iret, USER_CODE, 0x202
.iret:  mov     r8d, ds
        mov     r9d, es
        mov     r10d, fs
        mov     r11d, gs
        mov     eax, there
        sub     rax, 0x400000
        mov     r12d, [fs:rax]
        sub     rax, 0x100000
        mov     r13d, [gs:rax]
        int     0x30
.nullified:
        expect  dword [caught_vector], 0x30, "SDM 2A IRET: FS and GS can be used once they are null"
        expect  r8d, 0, "SDM 2A IRET: DS"
        expect  r9d, 0, "SDM 2A IRET: ES"
        expect  r10d, 0, "SDM 2A IRET: FS"
        expect  r11d, 0, "SDM 2A IRET: GS"
        expect  r12d, 0x7e57ab1e, "SDM 2A IRET: FS keeps its base"
        expect  r13d, 0x7e57ab1e, "SDM 2A IRET: GS keeps its base"
        mov     ecx, 0xc0000101
        rdmsr
        expect  eax, 0x500000, "SDM 2A IRET: IA32_GS_BASE is what it was"
        ; The same by a far RET
        mov     eax, DATA
        mov     fs, eax
        mov     gs, eax
        msr_write 0xc0000101, 0, 0x500000
        catch   .returned
        push    USER_DATA
        push    STACK3
        push    USER_CODE
        push    .far
        retfq
.far:   mov     r11d, gs
        mov     eax, there
        sub     rax, 0x500000
        mov     r13d, [gs:rax]
        int     0x30
.returned:
        expect  r11d, 0, "SDM 2B RET: GS becomes null"
        expect  r13d, 0x7e57ab1e, "SDM 2B RET: and keeps its base"

        ; null selectors lose their RPL on the way (SegmentSelector := 0)
        mov     eax, 1
        mov     ds, eax
        inc     eax
        mov     es, eax
        inc     eax
        mov     fs, eax
        mov     gs, eax
        msr_write 0xc0000101, 0, 0x500000
        catch   .unranked
        to_user .unrank, USER_CODE, 0x202
.unrank:
        mov     r8d, ds
        mov     r9d, es
        mov     r10d, fs
        mov     r11d, gs
        mov     eax, there
        sub     rax, 0x500000
        mov     r13d, [gs:rax]
        int     0x30
.unranked:
        expect  r8d, 0, "SDM 2A IRET: RPL of a null DS"
        expect  r9d, 0, "SDM 2A IRET: RPL of a null ES"
        expect  r10d, 0, "SDM 2A IRET: RPL of a null FS"
        expect  r11d, 0, "SDM 2A IRET: RPL of a null GS"
        expect  r13d, 0x7e57ab1e, "SDM 2A IRET: the base of a null GS"

        ; --- encodings that are no instruction
        undefined "SDM 2A LEA of a register", {0x8d, 0xc0}
        undefined "SDM 2B MOVBE of a register", {0x0f, 0x38, 0xf0, 0xc0}
        undefined "SDM 2A CLWB of a register", {0x66, 0x0f, 0xae, 0xf0}
        undefined "PCOMMIT, which no processor has", {0x66, 0x0f, 0xae, 0xf8}
        undefined "SDM 2A CLFLUSH with F3", {0xf3, 0x0f, 0xae, 0x3b}
        undefined "SDM 3C VMCALL outside VMX", {0x0f, 0x01, 0xc1}
        undefined "APM 3 VMMCALL without SVM", {0x0f, 0x01, 0xd9}
        undefined "APM 3 RDPRU", {0x0f, 0x01, 0xfd}
        undefined "SDM 3C VMXON without VMX", {0xf3, 0x0f, 0xc7, 0x33}
        undefined "SDM 2D GETSEC without SMX", {0x0f, 0x37}
        undefined "SDM 2B RSM outside SMM", {0x0f, 0xaa}
        undefined "SDM 2B MOV CR1", {0x0f, 0x20, 0xc8}
        undefined "SDM 2B MOV CR5", {0x0f, 0x22, 0xe8}
        undefined "SDM 2B MOV CR9", {0x44, 0x0f, 0x20, 0xc8}
        undefined "SDM 2B MOV DR8", {0x44, 0x0f, 0x21, 0xc0}
        undefined "SDM 2B MOV to segment register 6", {0x8e, 0xf0}
        undefined "SDM 2B PUSH ES in 64-bit mode", {0x06}
        undefined "SDM 2A CALL ptr16:32 in 64-bit mode", {0x9a, 0, 0, 0, 0, 8, 0}
        undefined "SDM 2A AAA in 64-bit mode", {0x37}
        undefined "SALC in 64-bit mode", {0xd6}
        undefined "SDM 2A INTO in 64-bit mode", {0xce}
        undefined "SDM 2A LOCK MOV", {0xf0, 0x89, 0x00}
        undefined "SDM 2A LOCK ADD to a register", {0xf0, 0x01, 0xc0}
        undefined "SDM 2A CMPXCHG16B of a register", {0x48, 0x0f, 0xc7, 0xc8}
        undefined "SDM 2A group 4, /7", {0xfe, 0xf8}
        undefined "SDM 2A group 5, /7", {0xff, 0xf8}
        undefined "SDM 2A CALL far of a register", {0xff, 0xd8}
        undefined "SDM 2A UD0", {0x0f, 0xff, 0xc0}
        undefined "SDM 2A UD1", {0x0f, 0xb9, 0xc0}
        mov     ebx, cell
        runs    "SDM 2A CLFLUSH", {clflush [rbx]}
        runs    "SDM 2A CLFLUSHOPT", {db 0x66, 0x0f, 0xae, 0x3b}
        runs    "SDM 2A CLWB", {db 0x66, 0x0f, 0xae, 0x33}
        runs    "SDM 2B SFENCE, LFENCE, MFENCE", {db 0x0f, 0xae, 0xf8, 0x0f, 0xae, 0xe8, 0x0f, 0xae, 0xf0}
        runs    "SDM 2B MFENCE with another R/M field", {db 0x0f, 0xae, 0xf7}
        runs    "SDM 2B NOP with an operand", {db 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}
        runs    "SDM 2B ENDBR64 is a NOP without CET", {db 0xf3, 0x0f, 0x1e, 0xfa}
        runs    "SDM 2B XCHG AX, AX with REPNE", {db 0xf2, 0x90}

        ; --- #MF at an instruction of MMX that comes behind an unmasked exception (SDM 3A 6.15, #MF)
        mov     rax, cr0
        and     eax, ~14
        or      eax, 0x20
        mov     cr0, rax
        fninit
        mov     word [cell], 0x300
        fldcw   [cell]
        fldz
        fldz
        fdivp
        faults  16, 0xdead, "SDM 2B MOVQ: #MF", {movq [cell], mm0}
        fnclex
        runs    "SDM 2B MOVQ: none once it is cleared", {movq [cell], mm0}
        fninit
        emms

        ; --- debug registers
        xor     eax, eax
        mov     dr6, rax
        mov     rax, dr6
        expect  eax, 0xffff0ff0, "SDM 3B 18.2.3: DR6 after a write of 0"
        mov     rsi, 0x100000000
        faults  13, 0, "SDM 3B 18.2.6: bit 32 of DR6", {mov dr6, rsi}
        faults  13, 0, "SDM 3B 18.2.6: bit 32 of DR7", {mov dr7, rsi}
        mov     rsi, 0x1111111111111111
        runs    "SDM 3B 18.2.6: any value in DR0", {mov dr0, rsi}
        xor     eax, eax
        mov     dr0, rax
        ; The mode field of MOV from and to CR and DR is ignored (SDM 2B MOV CR)
        mov     eax, 0xaced
        mov     dr0, rax
        db      0x0f, 0x21, 0x01        ; MOV RCX, DR0
        expect  ecx, 0xaced, "SDM 2B MOV DR: the mode field is ignored"
        db      0x0f, 0x20, 0x01        ; MOV RCX, CR0
        and     ecx, 1
        expect  ecx, 1, "SDM 2B MOV CR: the mode field is ignored"
        xor     eax, eax
        mov     dr0, rax

        ; --- addresses that are not canonical
        mov     rsi, 0x1111111111111111
        faults  13, 0, "SDM 2A JMP r64 to one", {jmp rsi}
        faults  13, 0, "SDM 2A CALL r64 to one", {call rsi}
        mov     [cell], rsi
        faults  13, 0, "SDM 2A JMP m64 to one", {jmp [cell]}
        push    rsi
        faults  13, 0, "SDM 2B RET to one", {ret}
        mov     esp, STACK0
        mov     rbp, rsi
        faults  12, 0, "SDM 2A MOV by RBP", {mov ecx, [rbp]}
        faults  13, 0, "SDM 2A MOV by RSI", {mov ecx, [rsi]}
        mov     rcx, 0x7fffffffffff
        faults  13, 0, "SDM 2A MOV that begins below and ends there", {mov edx, [rcx - 1]}
        runs    "SDM 2A INVLPG of one does nothing", {invlpg [rsi]}
        runs    "SDM 2B PREFETCHT0 of one", {prefetcht0 [rsi]}
        faults  13, 0, "SDM 2A CLFLUSH of one", {clflush [rsi]}
        mov     rax, 0x8000000000000000
        mov     [descriptor_table + 2], rax
        faults  13, 0, "SDM 2A LGDT of one", {lgdt [descriptor_table]}
        faults  13, 0, "SDM 2A LIDT of one", {lidt [descriptor_table]}
        mov     rax, 0x12345678abcd
        mov     [descriptor_table + 2], rax
        mov     word [descriptor_table], 0xf234
        sgdt    [cell]
        lgdt    [descriptor_table]
        sgdt    [cell + 16]
        lgdt    [cell]
        expect  dword [cell + 16], 0xabcdf234, "SDM 2A LGDT of ten bytes: limit, base 15:0"
        expect  dword [cell + 20], 0x12345678, "SDM 2A LGDT of ten bytes: base 47:16"
        sidt    [cell]
        lidt    [descriptor_table]
        sidt    [cell + 16]
        lidt    [cell]
        expect  dword [cell + 20], 0x12345678, "SDM 2A LIDT of ten bytes"
        mov     eax, LDT
        lldt    ax
        sldt    eax
        expect  eax, LDT, "SDM 2A LLDT of a 16-byte descriptor"
        mov     dword [gdt + LDT + 8], 0x80000000 ; of 57 bits neither
        mov     eax, LDT
        faults  13, LDT, "SDM 2A LLDT of a base that is not canonical", {lldt ax}
        mov     dword [gdt + LDT + 8], 0
        xor     eax, eax
        lldt    ax

        ; --- the end of the lower half: the address behind it is saved, and #GP comes of it (SDM 1 3.3.7.1)
        mov     dword [PML4 + 255 * 8], PDPT | 7
        mov     dword [PDPT + 511 * 8], PD | 7
        mov     eax, [PD]
        mov     [PD + 511 * 8], eax     ; 7FFFFFE00000h: the first 2 MiB
        mov     rax, cr3
        mov     cr3, rax
        mov     rdi, 0x7fffffe00000 + PAGED
        mov     dword [rdi], 0x90909090
        ; 0x1ffffd.. is beyond this machine's memory: the instruction lies in a small page of its own
        mov     edi, TABLES
        xor     eax, eax
        mov     ecx, 4096 / 8
        rep     stosq
        mov     qword [TABLES + 511 * 8], PAGED | 7
        mov     qword [PD + 511 * 8], TABLES | 7
        mov     rax, cr3
        mov     cr3, rax
        mov     rdi, 0x7ffffffffffd
        mov     byte [rdi], 0x90
        mov     byte [rdi + 1], 0x90
        mov     byte [rdi + 2], 0x90
        catch   .edge
        jmp     rdi
.edge:  expect  dword [caught_vector], 13, "running into addresses that are not canonical: vector"
        expect  dword [caught_error], 0, "running into addresses that are not canonical: error code"
        mov     rcx, [caught_rip]
        expectq rcx, 0x800000000000, "running into addresses that are not canonical: saved RIP"
        mov     word [PAGED + 0xffe], 0xcdcd
        mov     rdi, 0x7ffffffffffe
        mov     word [rdi], 0x31cd      ; INT 31h: its frame holds the address behind it
        catch   .edge2
        jmp     rdi
.edge2: expect  dword [caught_vector], 0x31, "INT n at the end of the lower half: vector"
        mov     rcx, [caught_rip]
        expectq rcx, 0x800000000000, "INT n at the end of the lower half: saved RIP"
        mov     word [rdi], 0x0b0f      ; UD2
        catch   .edge3
        jmp     rdi
.edge3: mov     rcx, [caught_rip]
        expectq rcx, 0x7ffffffffffe, "UD2 at the end of the lower half: saved RIP"
        mov     byte [rdi + 1], 0xe8    ; CALL whose bytes end there
        inc     rdi
        catch   .edge4
        jmp     rdi
.edge4: expect  dword [caught_vector], 13, "an instruction that goes on behind the lower half"
        mov     rcx, [caught_rip]
        expectq rcx, 0x7fffffffffff, "an instruction that goes on behind the lower half: saved RIP"
        mov     qword [PML4 + 255 * 8], 0
        mov     rax, cr3
        mov     cr3, rax

        finish

TABLES          equ 0x26000
        align   16
cell:   times   4 dq 0
null:   dq      0
there:  dd      0
descriptor_table: dw 0xffff
        dq      0
ldt:    dq      0
ldt_end:
