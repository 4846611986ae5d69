; Real mode: interrupts through the vector table, faults, IRET, what does not exist there.
%include "harness.inc"

%macro vector 2                         ; IVT entry
        mov     word [(%1) * 4], %2
        mov     word [(%1) * 4 + 2], 0
%endmacro

main:   vector  0, divide_error
        vector  6, any_fault
        vector  12, any_fault
        vector  13, any_fault
        vector  0x40, software

        ; INT n pushes FLAGS, CS, IP of the next instruction; clears IF, TF, AC (SDM 3B 20.1.4; SDM 2A INT n)
        mov     sp, 0x7000
        push    dword 0x40202           ; AC and IF
        popfd
        int     0x40
.after_int:
        movzx   eax, word [caught_ip]
        expect  eax, .after_int, "SDM 2A INT n: pushes the address of the next instruction"
        expect  dword [frame_sp], 0x7000 - 6, "SDM 3B 20.1.4: the real-mode frame has three words"
        movzx   eax, word [handler_flags]
        expect  eax, 0x0002, "SDM 3B 20.1.4: IF, TF (and AC) are clear in the handler"
        movzx   eax, word [caught_flags]
        expect  eax, 0x0202, "SDM 3B 20.1.4: FLAGS are pushed as they were"
        pushfd
        pop     eax
        and     eax, 0x40200
        expect  eax, 0x00200, "SDM 2A INT n, IRET: AC stays clear after a 16-bit IRET, IF comes back"
        cli

        ; #DE is a fault: the saved IP is that of the DIV (SDM 3A 6.15, interrupt 0)
        mov     word [resume], .after_div
        xor     cx, cx
        mov     ax, 5
.div:   div     cl
.after_div:
        movzx   eax, word [caught_ip]
        expect  eax, .div, "SDM 3A 6.15: #DE saves the address of the DIV"
        expect  dword [caught_vector], 0, "SDM 3A 6.15: division by zero is vector 0"

        ; INTO, UD2
        mov     word [resume], .after_ud
        mov     byte [expected_vector], 6
.ud:    ud2
.after_ud:
        movzx   eax, word [caught_ip]
        expect  eax, .ud, "SDM 3A 6.15: #UD saves the address of the instruction"

        ; Offset beyond the 64 KiB limit: #GP for DS, #SS for SS, no error code in real mode (SDM 3B 20.1.4)
        call    prepare
        mov     word [resume], .after_gp
        mov     bx, 0xffff
.gp:    mov     ax, [bx]
.after_gp:
        movzx   eax, word [caught_ip]
        expect  eax, .gp, "SDM 3B 20.1.4: a word at FFFF:.. crosses the limit: #GP"
        expect  dword [frame_sp], 0x7000 - 6, "SDM 3B 20.1.4: no error code in real mode"
        call    prepare
        mov     word [resume], .after_ss
        mov     bp, 0xffff
.ss:    mov     ax, [bp]
.after_ss:
        movzx   eax, word [caught_ip]
        expect  eax, .ss, "SDM 3A 6.15: the same through SS is #SS"

        ; Instructions that real mode does not know (SDM 2A LLDT, VERR, ARPL, SLDT: #UD in real-address mode)
%macro undefined 2
        call    prepare
        mov     word [resume], %%after
%%at:   %1
%%after:
        movzx   eax, word [caught_ip]
        expect  eax, %%at, %2
        mov     word [caught_ip], 0
%endmacro
        undefined {lldt ax}, "SDM 2A LLDT: #UD in real mode"
        undefined {ltr ax}, "SDM 2A LTR: #UD in real mode"
        undefined {sldt ax}, "SDM 2B SLDT: #UD in real mode"
        undefined {str ax}, "SDM 2B STR: #UD in real mode"
        undefined {verr ax}, "SDM 2B VERR: #UD in real mode"
        undefined {lar ax, ax}, "SDM 2A LAR: #UD in real mode"
        undefined {arpl ax, ax}, "SDM 2A ARPL: #UD in real mode"
        undefined {db 0x8e, 0xc8}, "SDM 2B MOV: #UD for MOV CS"
        undefined {db 0x0f, 0x05}, "SDM 2B SYSCALL: #UD outside 64-bit mode"
        undefined {db 0x0f, 0x01, 0xf8}, "SDM 2B SWAPGS: #UD outside 64-bit mode"

        ; Beyond IDTR's limit: #GP (SDM 2A INT n, real-address mode exceptions)
        call    prepare
        lidt    [short_ivt]
        mov     word [resume], .after_limit
.limit: int     0x40
.after_limit:
        movzx   eax, word [caught_ip]
        expect  eax, .limit, "SDM 2A INT n: a vector beyond IDTR's limit is #GP at the INT"
        lidt    [full_ivt]

        ; IRETD in real mode loads bits 257FD5h (SDM 2A IRET)
        pushfd
        pop     ebx
        call    prepare
        push    dword 0x00240ed7        ; ID, AC and status; VM, RF, VIF, VIP not
        push    dword 0
        push    dword .after_iretd
        iretd
.after_iretd:
        pushfd
        pop     ecx
        push    dword 2
        popfd
        and     ecx, 0x3c0fff
        expect  ecx, 0x00240ed7, "SDM 2A IRET: IRETD loads AC and ID in real mode"

        ; Far CALL and RETF, 16 and 32 bits
        call    prepare
        mov     ax, 0x1111
        call    0:far16
        expect  eax, 0x2222, "SDM 2A CALL: far call and return, 16-bit"
        expect  dword [frame_sp], 0x7000 - 4, "SDM 2A CALL: pushes CS and IP"
        movzx   eax, sp
        expect  eax, 0x7000, "SDM 2B RET: far return releases what the call pushed"
        push    word 0x1234
        o32 call dword 0:far32
        movzx   eax, sp
        expect  eax, 0x7000, "SDM 2B RET: RETF imm16 releases the parameters"
        expect  dword [frame_sp], 0x7000 - 10, "SDM 2A CALL: pushes 32-bit CS and EIP"

        ; Unreal mode: limits loaded in protected mode stay (SDM 3A 9.9.2)
        call    prepare
        lgdt    [gdtr]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 8
        mov     ds, bx
        and     al, 0xfe
        mov     cr0, eax
        xor     bx, bx
        mov     ds, bx
        mov     ebx, 0x90000
        mov     dword [ebx], 0x600df00d
        mov     bx, 0x9000
        mov     es, bx
        expect  dword [es:0], 0x600df00d, "SDM 3A 9.9.2: a 4 GiB limit survives the return to real mode"
        mov     eax, cr0
        and     eax, 1
        expect  eax, 0, "SDM 2B MOV CR: PE is clear again"

        ; SMSW, LMSW: PE can be set but not cleared (SDM 2A LMSW)
        smsw    ax
        and     eax, 1
        expect  eax, 0, "SDM 2B SMSW: PE"
        mov     ax, 1
        lmsw    ax
        xor     ax, ax
        lmsw    ax
        smsw    bx
        and     ebx, 1
        expect  ebx, 1, "SDM 2A LMSW: cannot clear PE"
        mov     eax, cr0
        and     al, 0xfe
        mov     cr0, eax

        ; Single step: #DB after the instruction that follows POPF (SDM 3A 6.15, interrupt 1)
        vector  1, single_step
        push    word 0x0102
        popf
        nop
.step1: nop
.step2: push    word 2
        popf
.step3:
        movzx   eax, word [step_first]
        expect  eax, .step1, "SDM 3B 17.3.1.4: the first trap is after the instruction behind POPF"
        expect  dword [step_count], 4, "SDM 3B 17.3.1.4: one trap per instruction, that which clears TF included"
        mov     eax, dr6
        and     eax, 0x4000
        expect  eax, 0x4000, "SDM 3B 17.2.3: DR6.BS"
        finish

; What the vectors do: note the frame, then go on at [resume] with a fresh stack.
prepare:
        pop     ax
        mov     sp, 0x7000
        mov     word [caught_ip], 0
        jmp     ax

divide_error:
        mov     dword [caught_vector], 0
any_fault:
        mov     [frame_sp], sp
        pop     word [caught_ip]
        pop     word [caught_cs]
        pop     word [caught_flags]
        mov     sp, 0x7000
        jmp     [resume]

software:
        mov     [frame_sp], sp
        pushf
        pop     word [handler_flags]
        mov     bp, sp
        mov     ax, [bp]
        mov     [caught_ip], ax
        mov     ax, [bp + 4]
        mov     [caught_flags], ax
        iret

single_step:
        push    bp
        mov     bp, sp
        push    ax
        inc     dword [step_count]
        cmp     dword [step_count], 1
        jne     .more
        mov     ax, [bp + 2]
        mov     [step_first], ax
.more:  pop     ax
        pop     bp
        iret

far16:  mov     [frame_sp], sp
        mov     eax, 0x2222
        retf
bits 16
far32:  mov     [frame_sp], sp
        o32 retf 2

        align   4
caught_vector:  dd 0xff
frame_sp:       dd 0
step_count:     dd 0
step_first:     dw 0
resume:         dw 0
caught_ip:      dw 0
caught_cs:      dw 0
caught_flags:   dw 0
handler_flags:  dw 0
expected_vector: db 0
short_ivt:      dw 0x40 * 4 - 1
                dd 0
full_ivt:       dw 0x3ff
                dd 0
                align 8
gdtr:           dw 15
                dd gdt
                align 8
gdt:            dq 0
                dq 0x00cf92000000ffff
