; Virtual-8086 mode: entry by IRETD, exits to ring 0, IOPL, VME with the redirection bitmap, PVI, I/O bitmap.
%include "harness.inc"
%include "protected.inc"
TRAP_GATE_CODE1 equ $ - gdt
        descriptor 0, 0xfffff, 0xc0ba
gdt_end:

IOPL3           equ 0x3000
VM              equ 0x20000
VIF             equ 0x80000
VIP             equ 0x100000

; Runs the 16-bit code at %1 in V86 mode with EFLAGS %2 until it comes back by an exception.
%macro v86 2
        catch   %%back
        push    dword 0x4444            ; GS
        push    dword 0x3333            ; FS
        push    dword 0x2222            ; DS
        push    dword 0                 ; ES
        push    dword 0                 ; SS
        push    dword 0x7000
        push    dword (%2) | VM | 2
        push    dword 0                 ; CS
        push    dword %1
        iretd
%%back:
%endmacro
%macro check_fault 4
        expect  dword [caught_vector], %1, {%4, ": vector"}
        expect  dword [caught_error], %2, {%4, ": error code"}
        expect  dword [caught_eip], %3, {%4, ": saved EIP"}
%endmacro
; One instruction of V86 code that faults; flags, vector, error, text, instruction
%macro v86_faults 5
        v86     %%at, %1
        jmp     %%check
bits 16
%%at:   %5
        hlt
bits 32
%%check:
        check_fault %2, %3, %%at, %4
%endmacro

bits 16
main:   enter_protected
        mov     byte [idt + 3 * 8 + 5], 0xee
        ; --- entry, and exit through an interrupt gate (SDM 3B 21.2.5, 21.3.1) -------------------------------
        v86     in_v86, IOPL3 | 0x200
        check_fault 3, 0xdead, in_v86_int3 + 1, "INT3 in V86 mode"
        expect  dword [caught_cs], 0, "CS is an 8086 selector"
        mov     eax, [caught_eflags]
        and     eax, VM | IOPL3 | 0x200
        expect  eax, VM | IOPL3 | 0x200, "the frame's EFLAGS"
        expect  dword [caught_esp], STACK_INNER - 36, "nine doublewords on the stack of ring 0"
        expect  dword [STACK_INNER - 24], 0x7000, "ESP"
        expect  dword [STACK_INNER - 16], 0, "ES"
        expect  dword [STACK_INNER - 12], 0x2222, "DS"
        expect  dword [STACK_INNER - 8], 0x3333, "FS"
        expect  dword [STACK_INNER - 4], 0x4444, "GS"
        movzx   eax, word [caught_ds]
        expect  eax, 0, "DS is null in the handler (SDM 3B 21.2.5)"
        expect  dword [v86_fs], 0x3333, "FS in V86 mode"
        expect  dword [v86_flags], 0x3202, "PUSHF with IOPL 3 shows the flags as they are"
        expect  dword [v86_linear], 0x12345678, "segments are paragraph numbers"

        ; --- instructions that belong to IOPL 3 (SDM 3B 21.2.7)
        v86_faults 0, 13, 0, {"CLI, IOPL 0"}, {cli}
        v86_faults 0, 13, 0, {"STI, IOPL 0"}, {sti}
        v86_faults 0, 13, 0, {"PUSHF, IOPL 0"}, {pushf}
        v86_faults 0, 13, 0, {"POPF, IOPL 0"}, {popf}
        v86_faults 0, 13, 0, {"IRET, IOPL 0"}, {iret}
        v86_faults 0, 13, 0, {"INT n, IOPL 0"}, {int 0x40}
        v86_faults 0, 13, 0, {"HLT at any IOPL"}, {hlt}
        v86_faults IOPL3, 13, 0, {"MOV CR0"}, {mov eax, cr0}
        v86_faults IOPL3, 6, 0xdead, {"LLDT is not recognised"}, {lldt ax}
        v86_faults IOPL3, 6, 0xdead, {"ARPL is not recognised"}, {arpl ax, ax}
        v86_faults IOPL3, 13, 0x40 * 8 + 2, {"INT n, IOPL 3, gate of DPL 0"}, {int 0x40}
        mov     byte [idt + 0x40 * 8 + 5], 0xee
        v86     .int, IOPL3
        check_fault 0x40, 0xdead, .int + 2, "INT n, IOPL 3, gate of DPL 3"
        jmp     .int_done
bits 16
.int:   int     0x40
bits 32
.int_done:
        v86     .int3, 0
        expect  dword [caught_vector], 3, "INT3 is not sensitive to IOPL"
        jmp     .int3_done
bits 16
.int3:  int3
bits 32
.int3_done:
        ; --- a gate must lead to ring 0 (SDM 2A INT n)
        mov     byte [idt + 0x41 * 8 + 5], 0xee
        mov     word [idt + 0x41 * 8 + 2], TRAP_GATE_CODE1 | 1
        v86_faults IOPL3, 13, TRAP_GATE_CODE1, {"a gate to ring 1"}, {int 0x41}

        ; --- the I/O bitmap decides whatever IOPL is (SDM 3B 21.2.8.1)
        v86_faults IOPL3, 13, 0, {"a port the bitmap refuses"}, {in al, 0x80}
        mov     byte [tss_io + 0x10], 0xfe
        v86     .port, 0
        check_fault 3, 0xdead, .port_end, "a port the bitmap allows"
        jmp     .port_done
bits 16
.port:  in      al, 0x80
        int3
.port_end:
bits 32
.port_done:
        v86_faults 0, 13, 0, {"a word across an allowed and a refused port"}, {in ax, 0x80}
        mov     byte [tss_io + 0x10], 0xff

        ; --- what V86 mode does not know, and what it does (SDM 2)
        v86_faults IOPL3, 6, 0xdead, {"SLDT is not recognised"}, {sldt ax}
        v86_faults IOPL3, 6, 0xdead, {"STR is not recognised"}, {str ax}
        v86_faults IOPL3, 6, 0xdead, {"LAR is not recognised"}, {lar ax, ax}
        v86_faults IOPL3, 6, 0xdead, {"VERR is not recognised"}, {verr ax}
        v86_faults IOPL3, 6, 0xdead, {"SYSCALL is not recognised"}, {db 0x0f, 0x05}
        v86_faults IOPL3, 13, 0, {"SYSENTER without IA32_SYSENTER_CS"}, {sysenter}
        v86_faults IOPL3, 13, 0, {"LGDT"}, {lgdt [0x7100]}
        v86_faults IOPL3, 13, 0, {"LMSW"}, {lmsw ax}
        v86_faults IOPL3, 13, 0, {"CLTS"}, {clts}
        v86_faults IOPL3, 13, 0, {"INVLPG"}, {invlpg [0x7100]}
        v86_faults IOPL3, 13, 0, {"MOV DR7"}, {mov eax, dr7}
        v86_faults IOPL3, 13, 0, {"RDMSR"}, {rdmsr}
        mov     dword [0x22220 + 0x7100], 0x00030002 ; DS:7100h: bounds 2 to 3
        v86_faults IOPL3, 5, 0xdead, {"BOUND"}, {bound ax, [0x7100]}
        v86     .tables, IOPL3
        check_fault 3, 0xdead, .tables_end, "SGDT, SIDT, SMSW are allowed"
        jmp     .tables_done
bits 16
.tables: sgdt   [0x7100]
        sidt    [0x7100]
        smsw    ax
        int3
.tables_end:
bits 32
.tables_done:
        movzx   eax, word [0x22220 + 0x7100]
        expect  eax, VECTORS * 8 - 1, "SIDT in V86 mode: the limit"
        mov     eax, cr4
        or      eax, 0x800
        mov     cr4, eax
        v86_faults IOPL3, 13, 0, {"SGDT under UMIP"}, {sgdt [0x7100]}
        v86_faults IOPL3, 13, 0, {"SIDT under UMIP"}, {sidt [0x7100]}
        v86_faults IOPL3, 13, 0, {"SMSW under UMIP"}, {smsw ax}
        v86_faults IOPL3, 6, 0xdead, {"SLDT under UMIP"}, {sldt ax}
        mov     eax, cr4
        and     eax, ~0x800
        mov     cr4, eax

        ; --- VME (SDM 3B 21.3): IOPL below 3
        mov     eax, cr4
        or      eax, 3
        mov     cr4, eax
        mov     word [tss + 102], 104 + 32
        v86     .vme, 0
        check_fault 3, 0xdead, .vme_end, "CLI, STI, PUSHF, POPF under VME"
        expect  dword [v86_flags], 0x3202, "PUSHF shows VIF as IF, and IOPL 3"
        expect  dword [v86_fs], 0x3002, "after CLI"
        mov     eax, [caught_eflags]
        and     eax, VM | IOPL3 | 0x200 | VIF
        expect  eax, VM | VIF, "POPF has set VIF; IF and IOPL stayed"
        jmp     .vme_done
bits 16
.vme:   xor     ax, ax
        mov     ds, ax
        sti
        pushf
        pop     word [v86_flags]
        cli
        pushf
        pop     word [v86_fs]
        and     word [v86_flags], 0x3202
        and     word [v86_fs], 0x3202
        push    word 0x0202
        popf
        int3
.vme_end:
bits 32
.vme_done:
        v86_faults VIP, 13, 0, {"STI with VIP"}, {sti}
        mov     word [0x7000], 0x0202
        v86_faults VIP, 13, 0, {"POPF that sets VIF with VIP"}, {popf}
        mov     word [0x7000], 0x0302
        v86_faults 0, 13, 0, {"POPF that sets TF under VME"}, {popf}
        mov     word [0x7000], 0x0002
        v86     .popf, VIP
        check_fault 3, 0xdead, .popf_end, "POPF that leaves VIF clear with VIP"
        mov     eax, [caught_eflags]
        and     eax, VM | VIF | VIP
        expect  eax, VM | VIP, "VIF is still clear, VIP still set"
        jmp     .popf_done
bits 16
.popf:  popf
        int3
.popf_end:
bits 32
.popf_done:
        v86_faults 0, 13, 0, {"PUSHFD under VME"}, {pushfd}
        v86_faults 0, 13, 0, {"POPFD under VME"}, {popfd}
        v86_faults 0, 13, 0, {"a vector the bitmap does not redirect, IOPL 0"}, {int 0x42}
        ; redirected: bit clear, vector table at linear 0
        mov     byte [tss + 104 + 8], 0xfb
        mov     dword [0x42 * 4], .redirected
        v86     .redirect, VIF
        check_fault 3, 0xdead, .redirected_end, "a redirected INT n"
        mov     ax, [0x7000 - 6]
        movzx   eax, ax
        expect  eax, .redirect + 2, "redirected: IP"
        movzx   eax, word [0x7000 - 2]
        expect  eax, 0x3202, "redirected: FLAGS with VIF as IF and IOPL 3"
        mov     eax, [caught_eflags]
        and     eax, VM | VIF
        expect  eax, VM, "redirected: VIF is cleared"
        jmp     .redirect_done
bits 16
.redirect:
        int     0x42
.redirected:
        int3
.redirected_end:
bits 32
.redirect_done:
        v86_faults VIF | VIP, 13, 0, {"VIF and VIP at entry"}, {nop}
        ; --- PVI: CLI and STI at CPL 3 below IOPL 3 (SDM 3B 21.4)
        catch   .pvi_done
        to_user .pvi, 2
.pvi:   sti
        int3
.pvi_done:
        mov     eax, [caught_eflags]
        and     eax, VIF | 0x200
        expect  eax, VIF, "PVI: STI sets VIF"
        catch   .pvi2_done
        to_user .pvi2, 2 | VIP
.pvi2:  sti
.pvi2_done:
        check_fault 13, 0, .pvi2, "PVI: STI with VIP"
        catch   .pvi3_done
        to_user .pvi3, 2 | VIP | VIF
.pvi3:  nop
.pvi3_done:
        check_fault 13, 0, .pvi3, "PVI: VIF and VIP at entry"
        finish

bits 16
in_v86: pushf
        xor     ax, ax
        mov     ds, ax
        pop     word [v86_flags]
        mov     [v86_fs], fs
        mov     ax, (LINEAR(v86_data) >> 4)
        mov     ds, ax
        mov     eax, [LINEAR(v86_data) & 15]
        xor     bx, bx
        mov     ds, bx
        mov     [v86_linear], eax
        mov     bx, 0x2222
        mov     ds, bx
in_v86_int3:
        int3
        align   4
v86_data: dd    0x12345678
v86_flags: dd   0
v86_fs: dd      0
v86_linear: dd  0
