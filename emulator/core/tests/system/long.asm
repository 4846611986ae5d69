; IA-32e mode: 64-bit gates, IST, IRETQ, SYSCALL and its kin, canonical addresses, compatibility mode, call gates.
%include "harness.inc"
%include "long.inc"
CODE32          equ $ - gdt
        descriptor 0, 0xfffff, 0xc09a
BAD_CODE        equ $ - gdt             ; L and D
        descriptor 0, 0xfffff, 0xe09a
CALL_GATE       equ $ - gdt
        dw      LINEAR(gate_target), CODE, 0xec00, 0
        dq      0
GATE_TO_32      equ $ - gdt
        dw      LINEAR(gate_target), CODE32, 0xec00, 0
        dq      0
GATE16          equ $ - gdt
        dw      LINEAR(gate_target), CODE, 0xe400, 0
        dq      0
GATE_HALF       equ $ - gdt             ; its upper half looks like a descriptor
        dw      LINEAR(gate_target), CODE, 0xec00, 0
        dw      0, 0, 0x1f00, 0
ABSENT          equ $ - gdt
        descriptor 0, 0xfffff, 0xa01a
gdt_end:

%macro check_fault 4                    ; vector, error, RIP, text
        expect  dword [caught_vector], %1, {%4, ": vector"}
        expect  dword [caught_error], %2, {%4, ": error code"}
        expect  dword [caught_rip], %3, {%4, ": saved RIP"}
%endmacro

%macro faults 4                         ; vector, error, text, instruction
        catch   %%after
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

%macro user_faults 4                    ; the same at CPL 3
        catch   %%after
        to_user %%at, USER_CODE, 0x202
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

bits 16
main:   enter_long
bits 64
        mov     ecx, 0xc0000080
        rdmsr
        expect  eax, 0xd01, "SDM 3A 9.8.5: LMA is set with paging"
        expect  dword [gdt + TSS + 4], 0x00008b00 | (LINEAR(tss) >> 16), "SDM 2A LTR: busy"

        ; --- frames (SDM 3A 6.14.2) -----------------------------------------------------------------------------
        catch   .int
        mov     esp, 0x6fff4            ; not aligned
        int     0x40
.int_next:
.int:   expect  dword [caught_vector], 0x40, "SDM 3A 6.14: INT n"
        expectq [caught_rip], LINEAR(.int_next), "SDM 3A 6.14.2: RIP"
        expect  dword [caught_rsp], 0x6fff0 - 40, "SDM 3A 6.14.2: RSP is aligned to 16, then five quadwords"
        expectq [caught_outer_rsp], 0x6fff4, "SDM 3A 6.14.2: the saved RSP is that from before"
        expectq [caught_outer_ss], DATA, "SDM 3A 6.14.2: SS is saved, too"
        expect  dword [caught_ss], DATA, "SDM 3A 6.14.4: SS stays without a change of privilege"
%macro not_canonical 0
        mov     rbx, 0x0000800000000000
%endmacro
        not_canonical
        catch   .gp
.gp_at: mov     rax, [rbx]
.gp:    check_fault 13, 0, .gp_at, "SDM 3A 3.3.7.1: 0000800000000000 is not canonical"
        expect  dword [caught_rsp], STACK0 - 48, "SDM 3A 6.14.2: six quadwords with an error code"
        not_canonical
        catch   .ss
.ss_at: mov     rax, [rbx + rsp]
.ss:    expect  dword [caught_vector], 12, "SDM 1 3.7.5: RSP is the base, so the segment is SS: #SS"
        mov     rbp, 0x0000800000000000
        faults  12, 0, "SDM 3A 3.3.7.1: base RBP is SS: #SS", {mov rax, [rbp]}
        not_canonical
        faults  13, 0, "SDM 2A JMP: target not canonical", {jmp rbx}
        mov     rbx, 0x00007fffffffffff
        faults  13, 0, "SDM 3A 3.3.7.1: an access that leaves the canonical half", {mov rax, [rbx - 3]}

        ; --- IST (SDM 3A 6.14.5) ----------------------------------------------------------------------------------
        mov     byte [idt + 0x41 * 16 + 4], 1
        catch   .ist
        int     0x41
.ist:   expect  dword [caught_rsp], (STACK_IST & ~15) - 40, "SDM 3A 6.14.5: IST1, aligned"
        expect  dword [caught_outer_rsp], STACK0, "SDM 3A 6.14.5: the saved RSP"

        ; --- gates (SDM 3A 6.14.1, 6.13) ----------------------------------------------------------------------------
        faults  13, 0x60 * 8 + 2, "SDM 3A 6.13: beyond the IDT", {int 0x60}
        mov     byte [idt + 0x42 * 16 + 5], 0x86
        faults  13, 0x42 * 8 + 2, "SDM 3A 6.14.1: a 16-bit gate in long mode", {int 0x42}
        mov     byte [idt + 0x42 * 16 + 5], 0x85
        faults  13, 0x42 * 8 + 2, "SDM 3A 6.14.1: a task gate in long mode", {int 0x42}
        mov     byte [idt + 0x42 * 16 + 5], 0x0e
        faults  11, 0x42 * 8 + 2, "SDM 3A 6.13: a gate that is not present", {int 0x42}
        mov     byte [idt + 0x42 * 16 + 5], 0x8e
        mov     word [idt + 0x42 * 16 + 2], CODE32
        faults  13, CODE32, "SDM 3A 6.14.1: a gate to 32-bit code", {int 0x42}
        mov     word [idt + 0x42 * 16 + 2], ABSENT
        faults  11, ABSENT, "SDM 2A INT n: a gate to code that is not present", {int 0x42}
        mov     word [idt + 0x42 * 16 + 2], CODE

        ; --- segments (SDM 3A 3.4.4, 5.2.1) -----------------------------------------------------------------------
        xor     eax, eax
        mov     ss, eax
        mov     ds, eax
        mov     rbx, [gdtr]
        mov     eax, DATA
        mov     ss, eax
        mov     ds, eax
        movzx   ebx, bx
        expect  ebx, gdt_end - gdt - 1, "SDM 3A 3.4.4: null SS and DS may be used in 64-bit mode at CPL 0"
        mov     eax, 0x1000
        faults  13, 0x1000, "SDM 2B MOV: selector beyond the GDT", {mov ds, eax}

        ; --- CPL 3 and back (SDM 3A 6.14) ------------------------------------------------------------------------------
        mov     byte [idt + 0x43 * 16 + 5], 0xee
        catch   .user
        to_user .user_code, USER_CODE, 0x202
.user_code:
        mov     ecx, cs
        mov     edx, ss
        mov     rbx, rsp
        int     0x43
.user:  expect  dword [caught_vector], 0x43, "SDM 3A 6.14: INT n from CPL 3"
        expect  edx, USER_DATA, "SDM 2A IRET: SS at CPL 3"
        expect  ebx, STACK3, "SDM 2A IRET: RSP"
        expect  dword [caught_rsp], (STACK_INNER & ~15) - 40, "SDM 3A 6.14.2: RSP0, aligned"
        expect  dword [caught_ss], 0, "SDM 3A 6.14.4: SS becomes null with RPL = new CPL"
        expect  dword [caught_cs], USER_CODE, "SDM 3A 6.14: the saved CS"
        expect  dword [caught_outer_ss], USER_DATA, "SDM 3A 6.14: the saved SS"
        user_faults 13, 0x40 * 8 + 2, "SDM 3A 6.12.1.2: a DPL 0 gate from CPL 3", {int 0x40}
        user_faults 13, 0, "SDM 2A HLT: CPL 3", {hlt}
        user_faults 13, 0, "SDM 2B SWAPGS: CPL 3", {swapgs}
        user_faults 13, 0, "SDM 2B SYSRET: CPL 3", {o64 sysret}
        user_faults 13, 0, "SDM 2B WRMSR: CPL 3", {wrmsr}
        user_faults 13, 0, "SDM 1 19.5.2: IN without a map", {in al, 0x80}
        user_faults 6, 0xdead, "SDM 3A 6.15: #UD from CPL 3", {ud2}

        ; --- SYSCALL, SYSRET (SDM 2B) -----------------------------------------------------------------------------------
%macro write_msr 3                      ; index, high, low
        mov     ecx, %1
        mov     edx, %2
        mov     eax, %3
        wrmsr
%endmacro
        write_msr 0xc0000081, (USER_CODE32 << 16) | CODE, 0
        write_msr 0xc0000082, 0, syscall_entry
        write_msr 0xc0000084, 0, 0x204d5  ; IF stays out of it on purpose: AF, PF.. VM, DF
        catch   .syscall
        to_user .syscall_code, USER_CODE, 0x602 | 0x10
.syscall_code:
        stc
        mov     ecx, 0
        syscall
.syscall_next:
        pushfq
        pop     r10
        mov     ebx, cs
        mov     edx, ss
        int     0x43
.syscall:
        expectq [entry_rcx], LINEAR(.syscall_next), "SDM 2B SYSCALL: RCX is the next instruction"
        expect  dword [entry_r11], 0x613, "SDM 2B SYSCALL: R11 is RFLAGS"
        expect  dword [entry_rflags], 0x202, "SDM 2B SYSCALL: IA32_FMASK clears flags"
        expect  dword [entry_cs], CODE, "SDM 2B SYSCALL: CS from STAR[47:32]"
        expect  dword [entry_ss], DATA, "SDM 2B SYSCALL: SS = CS + 8"
        expect  dword [entry_rsp], STACK3, "SDM 2B SYSCALL: RSP stays"
        expect  ebx, USER_CODE, "SDM 2B SYSRET: CS = STAR[63:48] + 16, RPL 3"
        expect  edx, USER_DATA, "SDM 2B SYSRET: SS = STAR[63:48] + 8, RPL 3"
        expect  r10d, 0x613, "SDM 2B SYSRET: RFLAGS from R11"
        not_canonical
        mov     rcx, rbx
        mov     r11d, 2
        faults  13, 0, "SDM 2B SYSRET: RCX not canonical, at CPL 0", {o64 sysret}
        expect  dword [caught_cs], CODE, "SDM 2B SYSRET: the fault is taken before CPL changes"

        ; SYSRET to compatibility mode; SYSCALL there: #UD
        catch   .sysret32
        mov     ecx, .compat
        mov     r11d, 0x202
        mov     rsp, STACK3
        sysret
.sysret32:
        expect  dword [caught_vector], 6, "SDM 2B SYSCALL: #UD in compatibility mode"
        expect  dword [caught_rip], .compat_syscall, "SDM 2B SYSRET: reached 32-bit code"
        expect  dword [caught_cs], USER_CODE32, "SDM 2B SYSRET: CS = STAR[63:48], RPL 3"
        expect  ebx, 0x89abcdef, "SDM 3A 2.2: 32-bit code ran"
        jmp     .after_compat
bits 32
.compat:
        mov     ebx, 0x89abcdee
        inc     ebx                     ; 43h: a REX prefix in 64-bit code
.compat_syscall:
        syscall
bits 64
.after_compat:
        ; without EFER.SCE
        mov     ecx, 0xc0000080
        rdmsr
        and     eax, ~1
        wrmsr
        faults  6, 0xdead, "SDM 2B SYSCALL: #UD without EFER.SCE", {syscall}
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 1
        wrmsr

        ; --- SYSENTER, SYSEXIT (SDM 2B) ---------------------------------------------------------------------------------
        write_msr 0x174, 0, 0
        faults  13, 0, "SDM 2B SYSENTER: null IA32_SYSENTER_CS", {sysenter}
        write_msr 0x174, 0, CODE
        write_msr 0x175, 0, 0x60000
        write_msr 0x176, 0, sysenter_entry
        catch   .sysenter
        to_user .sysenter_code, USER_CODE, 0x202
.sysenter_code:
        mov     rcx, rsp
        mov     edx, .sysenter_next
        sysenter
.sysenter_next:
        mov     ebx, cs
        mov     r10, rsp
        int     0x43
.sysenter:
        expect  dword [entry_cs], CODE, "SDM 2B SYSENTER: CS"
        expect  dword [entry_ss], DATA, "SDM 2B SYSENTER: SS = CS + 8"
        expect  dword [entry_rsp], 0x60000, "SDM 2B SYSENTER: RSP from the MSR"
        expect  dword [entry_rflags], 0x2, "SDM 2B SYSENTER: IF is clear"
        expect  ebx, USER_CODE, "SDM 2B SYSEXIT: CS = IA32_SYSENTER_CS + 32"
        expect  r10d, STACK3, "SDM 2B SYSEXIT: RSP from RCX"
        user_faults 13, 0, "SDM 2B SYSEXIT: CPL 3", {o64 sysexit}

        ; --- FS, GS, SWAPGS (SDM 3A 3.4.4.1) ---------------------------------------------------------------------------
        write_msr 0xc0000101, 0, 0x90000
        write_msr 0xc0000102, 0, 0x91000
        mov     dword [0x90010], 0x1111
        mov     dword [0x91010], 0x2222
        expect  dword [gs:0x10], 0x1111, "SDM 3A 3.4.4.1: GS base"
        swapgs
        expect  dword [gs:0x10], 0x2222, "SDM 2B SWAPGS: GS base and KERNEL_GS_BASE change places"
        swapgs
        write_msr 0xc0000100, 0xffff8000, 0
        mov     ecx, 0xc0000100
        rdmsr
        expect  edx, 0xffff8000, "SDM 3A 3.4.4.1: FS base takes 64 bits"

        ; --- compatibility mode: INT enters 64-bit code (SDM 3A 6.14) ----------------------------------------------------
        catch   .from32
        to_user .code32, USER_CODE32, 0x202
bits 32
.code32:
        mov     ebx, 0x89abcdee
        inc     ebx
        push    dword 0x1234
        int     0x43
bits 64
.from32:
        expect  dword [caught_vector], 0x43, "SDM 3A 6.14: INT n from compatibility mode"
        expect  dword [caught_cs], USER_CODE32, "SDM 3A 6.14: its CS"
        expect  dword [caught_outer_rsp], STACK3 - 4, "SDM 3A 6.14: pushes of 32 bits in compatibility mode"
        expect  ebx, 0x89abcdef, "SDM 3A 2.2: 43h is INC EBX there"
        ; far jump to 32-bit code at CPL 0, and back
        mov     dword [far_pointer], .ring0_32
        mov     word [far_pointer + 4], CODE32
        jmp     far dword [far_pointer]
bits 32
.ring0_32:
        mov     ebx, 0x89abcdee
        inc     ebx
        jmp     CODE:.back64
bits 64
.back64:
        expect  ebx, 0x89abcdef, "SDM 2A JMP: to compatibility mode and back"
        catch   .compat_limit
        mov     dword [far_pointer], .compat_access
        jmp     far dword [far_pointer]
bits 32
.compat_access:
        xor     eax, eax
        mov     ds, eax
.compat_at:
        mov     eax, [0x9000]
bits 64
.compat_limit:
        check_fault 13, 0, .compat_at, "SDM 3A 3.4.4: a null DS cannot be used in compatibility mode"

        ; --- call gates (SDM 3A 5.8.3.1, 5.8.5.1) -------------------------------------------------------------------------
%macro far_call 2                       ; selector, label: sets the pointer, leaves the call to the caller
        mov     dword [far_pointer], 0
        mov     word [far_pointer + 4], %1
%endmacro
        far_call GATE16, 0
        faults  13, GATE16, "SDM 3A 5.8.3.1: a 16-bit call gate in long mode", {call far dword [far_pointer]}
        far_call GATE_TO_32, 0
        faults  13, CODE32, "SDM 3A 5.8.3.1: a call gate to 32-bit code", {call far dword [far_pointer]}
        far_call GATE_HALF, 0
        faults  13, GATE_HALF, "SDM 3A 5.8.3.1: type bits in the upper half", {call far dword [far_pointer]}
        catch   .gate
        far_call CALL_GATE, 0
        to_user .gate_user, USER_CODE, 0x202
.gate_user:
        call    far dword [far_pointer]
.gate_next:
        mov     ebx, cs
        mov     r10, rsp
        int     0x43
.gate:  expect  dword [entry_rsp], STACK_INNER - 32, "SDM 3A 5.8.5.1: four quadwords on RSP0, not aligned"
        expect  dword [entry_ss], 0, "SDM 3A 5.8.5.1: SS becomes null"
        expect  dword [entry_rcx], .gate_next, "SDM 3A 5.8.5.1: the return address"
        expect  ebx, USER_CODE, "SDM 2B RET: back at CPL 3"
        expect  r10d, STACK3, "SDM 2B RET: RSP"

        ; --- IRETQ's checks (SDM 2A IRET) -------------------------------------------------------------------------------------
%macro iret_faults 5                    ; vector, error, text, CS, SS
        catch   %%after
        push    %5
        push    STACK3
        push    0x202
        push    %4
        push    %%after
%%at:   iretq
%%after:
        check_fault %1, %2, %%at, %3
%endmacro
        iret_faults 13, 0, "SDM 2A IRET: null CS", 0, USER_DATA
        iret_faults 13, 0, "SDM 2A IRET: null SS for CPL 3", USER_CODE, 0
        iret_faults 13, DATA, "SDM 2A IRET: SS of DPL 0 for CPL 3", USER_CODE, DATA | 3
        iret_faults 11, ABSENT, "SDM 2A IRET: CS not present", ABSENT, DATA
        catch   .nt
        push    0x4002
        popfq
.nt_at: iretq
.nt:    check_fault 13, 0, .nt_at, "SDM 2A IRET: NT in long mode"
        ; at the same level IRETQ pops SS:RSP, null SS allowed
        push    0
        push    0x6f000
        push    2
        push    CODE
        push    .same
        iretq
.same:  mov     ebx, ss
        mov     r10, rsp
        mov     eax, DATA
        mov     ss, eax
        mov     esp, STACK0
        expect  ebx, 0, "SDM 3A 6.14.3: IRETQ to CPL 0 takes a null SS"
        expect  r10d, 0x6f000, "SDM 3A 6.14.3: IRETQ always pops RSP"

        ; --- a page fault while pushing the frame: #PF, then #DF (SDM 3A 6.15) ------------------------------------------------
        mov     byte [idt + 8 * 16 + 4], 1
        catch   .df
        mov     rsp, 0x40001000         ; not mapped
.df_at: push    rax
.df:    expect  dword [caught_vector], 8, "SDM 3A 6.15: #PF while delivering #PF makes #DF"
        expect  dword [caught_error], 0, "SDM 3A 6.15: error code 0"
        expect  dword [caught_cr2], 0x40000ff8, "SDM 3A 6.14.2: CR2 of the second page fault, at the first push"

        ; --- control registers (SDM 2B MOV CR, SDM 3A 4.1) ---------------------------------------------------------
        xor     eax, eax
        faults  13, 0, "SDM 2B MOV CR: clearing PAE in long mode", {mov cr4, rax}
        mov     rax, cr0
        bts     rax, 32
        faults  13, 0, "SDM 2B MOV CR: upper bits of CR0", {mov cr0, rax}
        mov     rax, 0x0010000000000000 | PML4
        faults  13, 0, "SDM 2B MOV CR: CR3 above MAXPHYADDR", {mov cr3, rax}
        mov     eax, 16
        faults  13, 0, "SDM 2B MOV CR: reserved bits of CR8", {mov cr8, rax}
        mov     eax, 5
        mov     cr8, rax
        mov     rbx, cr8
        expect  ebx, 5, "SDM 2B MOV CR: CR8"
        xor     eax, eax
        mov     cr8, rax
        mov     ecx, 0xc0000080
        xor     edx, edx
        mov     eax, 0x801
        faults  13, 0, "SDM 3A 4.1.1: clearing LME while paging is on", {wrmsr}
        mov     ecx, 0xc0000082
        mov     edx, 0x40000000
        faults  13, 0, "SDM 2B WRMSR: LSTAR not canonical", {wrmsr}
        mov     rax, 0x100000000
        faults  13, 0, "SDM 3B 17.2.6: upper bits of DR7", {mov dr7, rax}

        ; --- last, because what a processor that takes it does then is anybody's guess
        mov     dword [idt + 0x42 * 16 + 8], 0x8000
        faults  13, 0, "SDM 2A INT n: a gate to an address that is not canonical", {int 0x42}
        mov     dword [idt + 0x42 * 16 + 8], 0
        mov     dword [tss_ist1 + 4], 0x8000
        faults  12, 0, "SDM 2A INT n: a stack that is not canonical", {int 0x41}
        mov     dword [tss_ist1 + 4], 0
        catch   .lcs
        push    BAD_CODE
        push    .lcs
.lcs_at:
        db      0x48                    ; REX.W
        retf
.lcs:   push    CODE                    ; in case it did not fault
        push    .lcs_back
        db      0x48
        retf
.lcs_back:
        check_fault 13, BAD_CODE, .lcs_at, "SDM 3A 5.2.1: L and D both set"
        mov     rax, cr0
        and     eax, 0x7fffffff
        faults  13, 0, "SDM 2B MOV CR: clearing PG in 64-bit mode", {mov cr0, rax}
        finish

gate_target:
        mov     [entry_rsp], rsp
        mov     eax, ss
        mov     [entry_ss], eax
        mov     rax, [rsp]
        mov     [entry_rcx], rax
        db      0x48
        retf

syscall_entry:
        mov     [entry_rcx], rcx
        mov     [entry_r11], r11
        call    note_entry
        o64 sysret

sysenter_entry:
        call    note_entry
        o64 sysexit

; A stack of its own: SYSCALL leaves RSP as it was.
note_entry:
        pop     qword [entry_return]
        mov     [entry_rsp], rsp
        mov     rsp, 0x5f000
        pushfq
        pop     qword [entry_rflags]
        mov     eax, cs
        mov     [entry_cs], eax
        mov     eax, ss
        mov     [entry_ss], eax
        mov     rsp, [entry_rsp]
        jmp     [entry_return]

        align   8
entry_rcx:      dq 0
entry_r11:      dq 0
entry_rsp:      dq 0
entry_rflags:   dq 0
entry_cs:       dq 0
entry_ss:       dq 0
entry_return:   dq 0
far_pointer:    dd 0
                dw 0
