; 32-bit protected mode: segment loads and their error codes, limits, far transfers, gates, rings, double fault.
%include "harness.inc"
%include "protected.inc"

ABSENT_CODE     equ $ - gdt
        descriptor 0, 0xfffff, 0xc01a
ABSENT_DATA     equ $ - gdt
        descriptor 0, 0xfffff, 0xc012
CONFORMING      equ $ - gdt
        descriptor 0, 0xfffff, 0xc09e
READ_ONLY       equ $ - gdt
        descriptor 0, 0xfffff, 0xc090
EXECUTE_ONLY    equ $ - gdt
        descriptor 0, 0xfffff, 0xc098
EXPAND_DOWN     equ $ - gdt
        descriptor 0, 0x00fff, 0x4096
SMALL           equ $ - gdt
        descriptor 0x90000, 0x0000f, 0x4092
SMALL_STACK     equ $ - gdt
        descriptor 0x90000, 0x00fff, 0x4092
CALL_GATE       equ $ - gdt
        gate    CODE, LINEAR(gate_target), 0xec | 2 << 8
ABSENT_GATE     equ $ - gdt
        gate    CODE, LINEAR(gate_target), 0x6c
CODE1           equ $ - gdt
        descriptor 0, 0xfffff, 0xc0ba
DATA1           equ $ - gdt
        descriptor 0, 0xfffff, 0xc0b2
GATE1           equ $ - gdt
        gate    CODE1, LINEAR(gate_target), 0xec
CONFORMING3     equ $ - gdt
        descriptor 0, 0xfffff, 0xc0fe
LDT             equ $ - gdt
        descriptor LINEAR(ldt), 15, 0x0082
GATE_TO_DATA    equ $ - gdt
        gate    DATA, 0, 0xec
KERNEL_GATE     equ $ - gdt
        gate    CODE, LINEAR(gate_target), 0x8c
ABSENT_USER     equ $ - gdt
        descriptor 0, 0xfffff, 0xc072
SHORT_CODE      equ $ - gdt
        descriptor 0, 0x00fff, 0x409a
gdt_end:
        align   8
ldt:    dq      0
        descriptor 0x90000, 0xfffff, 0xc092

%macro check_fault 4                    ; vector, error, address of the instruction, text
        expect  dword [caught_vector], %1, {%4, ": vector"}
        expect  dword [caught_error], %2, {%4, ": error code"}
        expect  dword [caught_eip], %3, {%4, ": saved EIP"}
%endmacro

; An instruction at CPL 0 that faults with an error code.
%macro faults 4                         ; vector, error, text, instruction
        catch   %%after
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

bits 16
main:   enter_protected
bits 32
        expect  dword [gdt + TSS + 4], 0x00008b00 | (LINEAR(tss) >> 16), "SDM 2A LTR: the descriptor becomes busy"

        ; --- loading data segment registers (SDM 2B MOV, SDM 3A 5.6) ------------------------------------------
        mov     eax, 0x1000
        faults  13, 0x1000, "SDM 2B MOV: selector beyond the GDT", {mov ds, ax}
        mov     eax, 0x1004
        faults  13, 0x1004, "SDM 2B MOV: selector in the LDT without one", {mov ds, ax}
        mov     eax, EXECUTE_ONLY
        faults  13, EXECUTE_ONLY, "SDM 2B MOV: execute-only code in DS", {mov ds, ax}
        mov     eax, TSS
        faults  13, TSS, "SDM 2B MOV: a TSS in ES", {mov es, ax}
        mov     eax, ABSENT_DATA
        faults  11, ABSENT_DATA, "SDM 2B MOV: a segment that is not present in DS", {mov ds, ax}
        mov     eax, ABSENT_USER | 1
        faults  11, ABSENT_USER, "SDM 3A 6.13: RPL is not part of the error code", {mov fs, ax}
        mov     eax, DATA | 3
        faults  13, DATA, "SDM 3A 5.6: RPL 3 for a DPL 0 segment", {mov ds, ax}
        xor     eax, eax
        mov     fs, ax
        faults  13, 0, "SDM 3A 3.4.2: access through a null selector", {mov eax, [fs:0]}
        mov     eax, READ_ONLY
        mov     fs, ax
        movzx   ecx, word [fs:gdtr]
        expect  ecx, gdt_end - gdt - 1, "SDM 2B MOV: read-only data may be loaded and read"
        test    byte [gdt + READ_ONLY + 5], 1
        setnz   al
        movzx   eax, al
        expect  eax, 1, "SDM 3A 3.4.5.1: loading sets the accessed bit"
        expect  dword [gdt + ABSENT_DATA + 4], 0x00cf1200, "SDM 3A 3.4.5.1: a load that faults does not"

        ; --- SS (SDM 2B MOV) ----------------------------------------------------------------------------------
        xor     eax, eax
        faults  13, 0, "SDM 2B MOV: null selector in SS", {mov ss, ax}
        mov     eax, ABSENT_DATA
        faults  12, ABSENT_DATA, "SDM 2B MOV: SS not present is #SS", {mov ss, ax}
        mov     eax, READ_ONLY
        faults  13, READ_ONLY, "SDM 2B MOV: SS not writable", {mov ss, ax}
        mov     eax, DATA | 1
        faults  13, DATA, "SDM 2B MOV: SS with RPL other than CPL", {mov ss, ax}
        mov     eax, USER_DATA
        faults  13, USER_DATA & ~3, "SDM 2B MOV: SS with DPL other than CPL", {mov ss, ax}
        mov     eax, CODE
        faults  13, CODE, "SDM 2B MOV: code in SS", {mov ss, ax}

        ; --- limits and types (SDM 3A 5.3, 5.5) ---------------------------------------------------------------
        mov     eax, SMALL
        mov     es, ax
        mov     dword [es:12], 1
        mov     byte [es:15], 2
        expect  dword [0x9000c], 0x02000001, "SDM 3A 5.3: up to the limit"
        mov     ax, SMALL
        mov     es, ax
        faults  13, 0, "SDM 3A 5.3: a dword across the limit", {mov eax, [es:13]}
        mov     ax, SMALL
        mov     es, ax
        faults  13, 0, "SDM 3A 5.3: a byte behind the limit", {mov byte [es:16], 0}
        mov     ax, READ_ONLY
        mov     es, ax
        faults  13, 0, "SDM 3A 5.5: writing read-only data", {mov byte [es:0x9000], 0}
        faults  13, 0, "SDM 3A 5.5: writing through CS", {mov byte [cs:0x9000], 0}
        mov     ax, EXPAND_DOWN
        mov     es, ax
        mov     dword [es:0x91000], 0x77
        expect  dword [es:0x91000], 0x77, "SDM 3A 5.3: expand-down, above the limit"
        faults  13, 0, "SDM 3A 5.3: expand-down, at the limit", {mov al, [es:0xfff]}
        mov     ax, EXPAND_DOWN
        mov     es, ax
        faults  13, 0, "SDM 3A 5.3: expand-down, across the limit", {mov eax, [es:0xffd]}
        catch   .stack_limit
        mov     ax, SMALL_STACK
        mov     ss, ax
        mov     esp, 0x800
.stack_at:
        mov     eax, [esp + 0x7fd]
.stack_limit:
        check_fault 12, 0, .stack_at, "SDM 3A 6.15: an access beyond SS's limit"

        ; --- far JMP (SDM 2A JMP) -----------------------------------------------------------------------------
        faults  13, 0, "SDM 2A JMP: null selector", {jmp 0:0}
        faults  11, ABSENT_CODE, "SDM 2A JMP: code that is not present", {jmp ABSENT_CODE:0}
        faults  13, DATA, "SDM 2A JMP: data", {jmp DATA:0}
        faults  13, USER_CODE & ~3, "SDM 2A JMP: code of DPL 3 from CPL 0", {jmp USER_CODE:0}
        faults  13, CONFORMING3, "SDM 2A JMP: conforming code of DPL 3 from CPL 0", {jmp CONFORMING3:0}
        faults  13, LDT, "SDM 2A JMP: an LDT", {jmp LDT:0}
        faults  13, 0, "SDM 2A JMP: offset beyond the limit", {jmp SHORT_CODE:0x1000}
        faults  11, ABSENT_GATE, "SDM 2A JMP: a call gate that is not present", {jmp ABSENT_GATE:0}
        faults  13, DATA, "SDM 2A JMP: a call gate to data", {jmp GATE_TO_DATA:0}
        faults  13, 0xff8, "SDM 2A CALL: selector beyond the GDT", {call 0xff8:0}
        jmp     CONFORMING:.conforming
.conforming:
        mov     eax, cs
        expect  eax, CONFORMING, "SDM 3A 5.8.1.2: conforming code at the same CPL"
        jmp     CODE:.nonconforming
.nonconforming:

        ; --- call gate at the same level, far RET (SDM 2A CALL) -------------------------------------------------
        mov     esp, STACK0
        push    dword 0x11111111
        push    dword 0x22222222
        mov     dword [gate_return], 8
.call:  call    CALL_GATE:0xdeadbeef
.called:
        expect  dword [gate_esp], STACK0 - 16, "SDM 2A CALL: a gate to the same level pushes CS and EIP only"
        expect  dword [gate_eip], .called, "SDM 2A CALL: the return address"
        expect  esp, STACK0, "SDM 2B RET: RETF imm16"

        ; --- interrupt gates (SDM 2A INT n, SDM 3A 6.13) ----------------------------------------------------------
        faults  13, 0x60 * 8 + 2, "SDM 3A 6.13: INT n beyond the IDT's limit", {int 0x60}
        and     byte [idt + 0x40 * 8 + 5], 0x7f
        faults  11, 0x40 * 8 + 2, "SDM 3A 6.13: INT n through a gate that is not present", {int 0x40}
        mov     byte [idt + 0x40 * 8 + 5], 0x89
        faults  13, 0x40 * 8 + 2, "SDM 3A 6.13: INT n through what is no gate", {int 0x40}
        mov     byte [idt + 0x40 * 8 + 5], 0x8e
        mov     word [idt + 0x40 * 8 + 2], 0
        faults  13, 0, "SDM 2A INT n: a gate with a null selector", {int 0x40}
        mov     word [idt + 0x40 * 8 + 2], DATA
        faults  13, DATA, "SDM 2A INT n: a gate to data", {int 0x40}
        mov     word [idt + 0x40 * 8 + 2], ABSENT_CODE
        faults  11, ABSENT_CODE, "SDM 2A INT n: a gate to code that is not present", {int 0x40}
        mov     word [idt + 0x40 * 8 + 2], 0xff8
        faults  13, 0xff8, "SDM 2A INT n: a gate to beyond the GDT", {int 0x40}
        mov     word [idt + 0x40 * 8 + 2], CODE

        catch   .int_done
        push    dword 0x202
        popfd
        mov     esp, 0x6fff0
        int     0x40
.int_next:
.int_done:
        expect  dword [caught_vector], 0x40, "SDM 2A INT n: delivered"
        expect  dword [caught_eip], .int_next, "SDM 2A INT n: saves the next instruction"
        expect  dword [caught_esp], 0x6fff0 - 12, "SDM 3A 6.12.1: EFLAGS, CS, EIP on the same stack"
        expect  dword [caught_eflags], 0x202, "SDM 3A 6.12.1: EFLAGS as they were, RF clear"
        catch   .trap_done
.ud:    ud2
.trap_done:
        mov     eax, [caught_eflags]
        and     eax, 0x10000
        expect  eax, 0x10000, "SDM 3B 17.3.1.1: a fault saves RF set"

        ; --- exceptions of instructions: which are faults, which are traps (SDM 3A 6.15) --------------------------
        catch   .de
        xor     ecx, ecx
.div:   div     ecx
.de:    expect  dword [caught_vector], 0, "SDM 3A 6.15: #DE"
        expect  dword [caught_eip], .div, "SDM 3A 6.15: #DE is a fault"
        catch   .bp
        int3
.bp_next:
.bp:    expect  dword [caught_vector], 3, "SDM 3A 6.15: #BP"
        expect  dword [caught_eip], .bp_next, "SDM 3A 6.15: #BP is a trap"
        catch   .of
        mov     al, 0x7f
        add     al, 1
        into
.of_next:
.of:    expect  dword [caught_vector], 4, "SDM 3A 6.15: #OF"
        expect  dword [caught_eip], .of_next, "SDM 3A 6.15: #OF is a trap"
        catch   .br
        mov     dword [bounds], 1
        mov     dword [bounds + 4], 2
        mov     eax, 3
.bound: bound   eax, [bounds]
.br:    expect  dword [caught_vector], 5, "SDM 3A 6.15: #BR"
        expect  dword [caught_eip], .bound, "SDM 3A 6.15: #BR is a fault"
        catch   .icebp
        db      0xf1
.icebp_next:
.icebp: expect  dword [caught_vector], 1, "SDM 2A INT1: #DB"
        expect  dword [caught_eip], .icebp_next, "SDM 2A INT1: a trap"
        catch   .db
        push    dword 0x102
        popfd
        nop
.db_next:
        nop
.db:    expect  dword [caught_vector], 1, "SDM 3B 17.3.1.4: single step"
        expect  dword [caught_eip], .db_next, "SDM 3B 17.3.1.4: after the instruction behind POPFD"

        ; --- double fault (SDM 3A 6.15, interrupt 8) --------------------------------------------------------------
        and     byte [idt + 13 * 8 + 5], 0x7f
        xor     eax, eax
        mov     fs, ax
        catch   .df
.df_at: mov     eax, [fs:0]
.df:    expect  dword [caught_vector], 8, "SDM 3A 6.15: #NP while delivering #GP makes #DF"
        expect  dword [caught_error], 0, "SDM 3A 6.15: #DF's error code is 0"
        or      byte [idt + 13 * 8 + 5], 0x80
        and     byte [idt + 6 * 8 + 5], 0x7f
        catch   .np
.np_at: ud2
.np:    check_fault 11, 6 * 8 + 3, .np_at, "SDM 3A 6.15, 6.13: #NP while delivering #UD is #NP with EXT"
        or      byte [idt + 6 * 8 + 5], 0x80

        jmp     rings

bounds: dd      0, 0

%macro user_faults 4                    ; vector, error, text, instruction at CPL 3
        catch   %%after
        to_user %%at, 0x202
%%at:   %4
%%after:
        check_fault %1, %2, %%at, %3
%endmacro

rings:  ; --- to CPL 3 and back (SDM 3A 6.12.1, 5.8.6) ---------------------------------------------------------------
        mov     byte [idt + 0x41 * 8 + 5], 0xee
        catch   .back
        mov     ax, USER_DATA
        mov     fs, ax
        to_user .user, 0x202
.user:  mov     ecx, cs
        mov     edx, ss
        mov     esi, ds
        mov     edi, fs
        mov     ebx, esp
        int     0x41
.user_next:
.back:  expect  ecx, USER_CODE, "SDM 2A IRET: CS at CPL 3"
        expect  edx, USER_DATA, "SDM 2A IRET: SS at CPL 3"
        expect  esi, 0, "SDM 3A 5.8.6: DS of DPL 0 becomes null on the way out"
        expect  edi, USER_DATA, "SDM 3A 5.8.6: FS of DPL 3 stays"
        expect  ebx, STACK3, "SDM 2A IRET: ESP"
        expect  dword [caught_vector], 0x41, "SDM 3A 6.12.1: INT n from CPL 3 through a DPL 3 gate"
        expect  dword [caught_esp], STACK_INNER - 20, "SDM 3A 6.12.1: SS, ESP, EFLAGS, CS, EIP on the inner stack"
        expect  dword [caught_ss], DATA, "SDM 3A 6.12.1: SS from the TSS"
        expect  dword [caught_eip], .user_next, "SDM 3A 6.12.1: EIP"
        expect  dword [caught_cs], USER_CODE, "SDM 3A 6.12.1: CS"
        expect  dword [caught_outer_esp], STACK3, "SDM 3A 6.12.1: ESP"
        expect  dword [caught_outer_ss], USER_DATA, "SDM 3A 6.12.1: SS"

        user_faults 13, 0x40 * 8 + 2, "SDM 3A 6.12.1.2: INT n from CPL 3 through a DPL 0 gate", {int 0x40}
        user_faults 13, 0, "SDM 2A HLT: CPL 3", {hlt}
        user_faults 13, 0, "SDM 2A CLI: CPL 3, IOPL 0", {cli}
        user_faults 13, 0, "SDM 2B STI: CPL 3, IOPL 0", {sti}
        user_faults 13, 0, "SDM 2B MOV CR: CPL 3", {mov eax, cr0}
        user_faults 13, 0, "SDM 2A LGDT: CPL 3", {lgdt [gdtr]}
        user_faults 13, 0, "SDM 2A INVLPG: CPL 3", {invlpg [0]}
        user_faults 13, 0, "SDM 2B RDMSR: CPL 3", {rdmsr}
        user_faults 13, 0, "SDM 1 19.5.2: a port that the TSS refuses", {in al, 0x80}
        user_faults 13, 0, "SDM 1 19.5.2: a port beyond the map", {in al, dx}
        user_faults 13, DATA, "SDM 3A 5.6: DPL 0 data at CPL 3", {mov ds, [ss:data_selector]}
        user_faults 13, CODE, "SDM 2A JMP: DPL 0 code from CPL 3", {jmp CODE:0}
        user_faults 13, KERNEL_GATE, "SDM 3A 5.8.4: a DPL 0 call gate from CPL 3", {call KERNEL_GATE:0}

        ; the I/O permission bit map (SDM 1 19.5.2)
        mov     byte [tss_io + 0x80 / 8], 0xfe
        catch   .io
        to_user .io_user, 0x202
.io_user:
        in      al, 0x80
        int     0x41
.io:    expect  dword [caught_vector], 0x41, "SDM 1 19.5.2: a port that the TSS allows"
        user_faults 13, 0, "SDM 1 19.5.2: two ports of which one is refused", {in ax, 0x80}

        ; IOPL and IF (SDM 2B POPF)
        catch   .popf
        to_user .popf_user, 0x202
.popf_user:
        push    dword 0x3002
        popfd
        int     0x41
.popf:  mov     eax, [caught_eflags]
        and     eax, 0x3202
        expect  eax, 0x0202, "SDM 2B POPF: neither IOPL nor IF change at CPL 3 with IOPL 0"
        catch   .iopl
        to_user .iopl_user, 0x3202
.iopl_user:
        cli
        in      al, 0x70
        int     0x41
.iopl:  mov     eax, [caught_eflags]
        and     eax, 0x3202
        expect  eax, 0x3002, "SDM 2A CLI: IOPL 3 allows CLI and IN"

        ; conforming code keeps CPL (SDM 3A 5.8.1.2)
        catch   .conforming
        to_user .conforming_user, 0x202
.conforming_user:
        jmp     CONFORMING:.conforming_at
.conforming_at:
        mov     ecx, cs
        int     0x41
.conforming:
        expect  ecx, CONFORMING | 3, "SDM 3A 5.8.1.2: CS.RPL stays 3 in conforming code of DPL 0"
        expect  dword [caught_cs], CONFORMING | 3, "SDM 3A 5.8.1.2: and so does CPL"

        ; --- call gate from CPL 3: stack switch, parameters, return (SDM 3A 5.8.5) --------------------------------
        catch   .gate_back
        mov     dword [gate_return], 8
        to_user .gate_user, 0x202
.gate_user:
        push    dword 0x11111111
        push    dword 0x22222222
        call    CALL_GATE:0
.gate_next:
        mov     ebx, esp
        mov     esi, ds
        mov     ecx, cs
        int     0x41
.gate_back:
        expect  dword [gate_esp], STACK_INNER - 24, "SDM 3A 5.8.5: SS, ESP, two parameters, CS, EIP"
        expect  dword [gate_eip], .gate_next, "SDM 3A 5.8.5: the return address"
        expect  dword [gate_parameter1], 0x22222222, "SDM 3A 5.8.5: the last parameter lies above CS"
        expect  dword [gate_parameter2], 0x11111111, "SDM 3A 5.8.5: the first above it"
        expect  dword [gate_outer_esp], STACK3 - 8, "SDM 3A 5.8.5: the caller's ESP"
        expect  dword [gate_cs], CODE, "SDM 3A 5.8.4: CS with RPL = the new CPL"
        expect  ebx, STACK3, "SDM 2B RET: RETF imm16 releases on both stacks"
        expect  ecx, USER_CODE, "SDM 2B RET: back at CPL 3"
        expect  esi, 0, "SDM 3A 5.8.6: DS of DPL 0 becomes null"

        ; --- #TS: a bad stack for level 1 (SDM 3A 5.8.5, 6.15) -----------------------------------------------------
        user_faults 10, 0, "SDM 3A 6.15: #TS for a null SS1", {call GATE1:0}
        mov     dword [tss_ss1], DATA1
        user_faults 10, DATA1, "SDM 3A 6.15: #TS for SS1 with RPL other than the new CPL", {call GATE1:0}
        mov     dword [tss_ss1], READ_ONLY | 1
        user_faults 10, READ_ONLY, "SDM 3A 6.15: #TS for SS1 that is not writable or of another DPL", {call GATE1:0}
        mov     dword [tss_ss1], 0xff8 | 1
        user_faults 10, 0xff8, "SDM 3A 6.15: #TS for SS1 beyond the GDT", {call GATE1:0}
        mov     dword [tss_ss1], DATA1 | 1
        and     byte [gdt + DATA1 + 5], 0x7f
        user_faults 12, DATA1, "SDM 3A 6.15: #SS for SS1 that is not present", {call GATE1:0}
        or      byte [gdt + DATA1 + 5], 0x80
        catch   .ring1
        mov     dword [gate_int], 1
        to_user .ring1_user, 0x202
.ring1_user:
        call    GATE1:0
.ring1: expect  dword [caught_cs], CODE1 | 1, "SDM 3A 5.8.4: a call gate to level 1"
        expect  dword [caught_outer_esp], STACK1 - 16, "SDM 3A 5.8.5: ESP1"
        expect  dword [caught_outer_ss], DATA1 | 1, "SDM 3A 5.8.5: SS1"
        mov     dword [gate_int], 0

        ; --- IRET's checks (SDM 2A IRET) ----------------------------------------------------------------------------
%macro iret_faults 5                    ; vector, error, text, CS, SS
        catch   %%after
        push    dword %5
        push    dword STACK3
        push    dword 0x202
        push    dword %4
        push    dword rings
%%at:   iretd
%%after:
        check_fault %1, %2, %%at, %3
%endmacro
        iret_faults 13, 0, "SDM 2A IRET: null CS", 0, USER_DATA
        iret_faults 13, DATA, "SDM 2A IRET: data in CS", DATA | 3, USER_DATA
        iret_faults 13, CODE, "SDM 2A IRET: RPL 3 for DPL 0 code", CODE | 3, USER_DATA
        iret_faults 11, ABSENT_CODE, "SDM 2A IRET: CS not present", ABSENT_CODE, USER_DATA
        iret_faults 13, 0, "SDM 2A IRET: null SS for an outer level", USER_CODE, 0
        iret_faults 13, DATA, "SDM 2A IRET: SS of another DPL", USER_CODE, DATA | 3
        iret_faults 13, USER_DATA & ~3, "SDM 2A IRET: SS of another RPL", USER_CODE, USER_DATA & ~3
        iret_faults 13, CODE1, "SDM 2A IRET: DPL 1 code with RPL 3", CODE1 | 3, USER_DATA

        ; --- LDT, LAR, LSL, VERR, VERW (SDM 2A, 2B) -------------------------------------------------------------------
        mov     eax, DATA
        faults  13, DATA, "SDM 2A LLDT: not an LDT", {lldt ax}
        mov     eax, TSS
        faults  13, TSS, "SDM 2A LTR: a busy TSS", {ltr ax}
        xor     eax, eax
        faults  13, 0, "SDM 2A LTR: null", {ltr ax}
        mov     ax, LDT
        lldt    ax
        mov     ax, 8 | 4
        mov     es, ax
        mov     dword [0x90000], 0xfeedface
        expect  dword [es:0], 0xfeedface, "SDM 3A 3.5.1: a segment of the LDT"
        test    byte [ldt + 8 + 5], 1
        setnz   al
        movzx   eax, al
        expect  eax, 1, "SDM 3A 3.4.5.1: accessed bit in the LDT"
        mov     eax, 16 | 4
        faults  13, 16 | 4, "SDM 2B MOV: beyond the LDT", {mov es, ax}
        mov     ecx, USER_DATA
        lar     eax, ecx
        setz    dl
        movzx   edx, dl
        expect  edx, 1, "SDM 2A LAR: ZF"
        mov     ecx, USER_DATA
        lar     ebx, ecx
        and     ebx, 0xf0ff00
        expect  ebx, 0x00c0f300, "SDM 2A LAR: access rights"
        mov     ecx, SMALL
        lsl     ebx, ecx
        expect  ebx, 0x0f, "SDM 2A LSL: limit"
        mov     ecx, DATA
        lsl     ebx, ecx
        expect  ebx, 0xffffffff, "SDM 2A LSL: limit in pages"
        mov     ecx, 0x1000
        mov     ebx, 0x5555
        lsl     ebx, ecx
        setz    al
        movzx   eax, al
        add     eax, ebx
        expect  eax, 0x5555, "SDM 2A LSL: beyond the table: ZF clear, destination unchanged"
        mov     ecx, CALL_GATE
        lsl     ebx, ecx
        setz    al
        movzx   eax, al
        expect  eax, 0, "SDM 2A LSL: not for a gate"
        mov     ecx, READ_ONLY
        verr    cx
        setz    al
        verw    cx
        setz    ah
        movzx   eax, ax
        expect  eax, 1, "SDM 2B VERR, VERW: read-only data"
        mov     ecx, EXECUTE_ONLY
        verr    cx
        setz    al
        movzx   eax, al
        expect  eax, 0, "SDM 2B VERR: execute-only code"
        finish

data_selector: dw DATA

; What the call gates lead to.
gate_target:
        cmp     dword [ss:gate_int], 0
        je      .note
        int     0x41
.note:  mov     [ss:gate_esp], esp
        mov     eax, [esp]
        mov     [ss:gate_eip], eax
        mov     ax, DATA
        mov     ds, ax
        mov     [gate_cs], cs
        mov     eax, [esp + 8]
        mov     [gate_parameter1], eax
        mov     eax, [esp + 12]
        mov     [gate_parameter2], eax
        mov     eax, [esp + 16]
        mov     [gate_outer_esp], eax
        retf    8

        align   4
gate_return:     dd 0
gate_int:        dd 0
gate_esp:        dd 0
gate_eip:        dd 0
gate_cs:         dd 0
gate_parameter1: dd 0
gate_parameter2: dd 0
gate_outer_esp:  dd 0
