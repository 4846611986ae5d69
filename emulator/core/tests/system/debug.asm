; Debug registers, single step, RF, INT1, MOV SS, general detect.
%include "harness.inc"
%include "protected.inc"
gdt_end:

%macro check_fault 4
        expect  dword [caught_vector], %1, {%4, ": vector"}
        expect  dword [caught_error], %2, {%4, ": error code"}
        expect  dword [caught_eip], %3, {%4, ": saved EIP"}
%endmacro
; #DB at %1 with DR6 (bits 0-3, 13-15) %2, text
%macro check_debug 3
        check_fault 1, 0xdead, %1, %3
        mov     eax, dr6
        and     eax, 0xe00f
        expect  eax, %2, {%3, ": DR6"}
%endmacro
; DR0 = %1, DR7 = %2, DR6 = 0
%macro watch 2
        mov     eax, %1
        mov     dr0, eax
        xor     eax, eax
        mov     dr6, eax
        mov     eax, %2
        mov     dr7, eax
%endmacro
EXEC            equ 0x00000402
WRITE4          equ 0x000d0402
WRITE1          equ 0x00010402
ACCESS2         equ 0x00070402
IO1             equ 0x00020402
TF              equ 0x100

bits 16
main:   enter_protected
        ; --- execution: a fault before the instruction, RF in the image (SDM 3B 18.3.1.1)
        catch   .exec_done
        watch   .exec, EXEC
.exec:  mov     ebx, 1
.exec_done:
        check_debug .exec, 1, "execution breakpoint"
        mov     eax, [caught_eflags]
        and     eax, 0x10000
        expect  eax, 0x10000, "RF in the image of a fault"
        ; RF lets the instruction pass, and is cleared by it
        catch   .rf_done
        watch   .rf, EXEC
        xor     ecx, ecx
        pushfd
        or      dword [esp], 0x10000
        push    dword CODE
        push    dword .rf
        iretd
.rf:    inc     ecx
        jmp     .rf
.rf_done:
        check_debug .rf, 1, "RF holds for one instruction"
        expect  ecx, 1, "which was executed"
        ; --- data (SDM 3B 18.2.5): traps behind the instruction
        catch   .write_done
        watch   data, WRITE4
        mov     eax, [data]
        mov     byte [data - 1], 1
        mov     byte [data + 4], 1
.write: mov     byte [data + 3], 1
.write_after:
        hlt
.write_done:
        check_debug .write_after, 1, "data write breakpoint"
        catch   .read_done
        watch   data, ACCESS2
        mov     al, [data + 2]
.read:  mov     al, [data + 1]
.read_after:
        hlt
.read_done:
        check_debug .read_after, 1, "data access breakpoint"
        catch   .dword_done
        watch   data + 2, WRITE1
        mov     dword [data], 5
.dword_after:
        hlt
.dword_done:
        check_debug .dword_after, 1, "an access that covers the breakpoint"
        expect  dword [data], 5, "was made"
        catch   .push_done
        watch   0x6effc, WRITE4
        mov     esp, 0x6f000
        push    eax
.push_after:
        hlt
.push_done:
        check_debug .push_after, 1, "PUSH onto a breakpoint"
        ; REP: behind the iteration, EIP at the instruction (SDM 3B 18.2.5)
        catch   .rep_done
        watch   data + 2, WRITE1
        mov     edi, data
        mov     ecx, 8
        xor     eax, eax
.rep:   rep     stosb
        hlt
.rep_done:
        check_debug .rep, 1, "REP STOSB stops in between"
        expect  ecx, 5, "after the iteration that hit"
        ; --- I/O, with CR4.DE (SDM 3B 18.2.4)
        mov     eax, cr4
        or      al, 8
        mov     cr4, eax
        catch   .io_done
        watch   0x80, IO1
        out     0x81, al
        out     0x80, al
.io_after:
        hlt
.io_done:
        check_debug .io_after, 1, "I/O breakpoint"
        ; --- MOV SS defers to the next instruction (SDM 3A 6.8.3)
        catch   .ss_done
        watch   ss_value, WRITE1 | 0x30000 | 0x40000
        mov     ss, [ss_value]
        nop
.ss_after:
        hlt
.ss_done:
        check_debug .ss_after, 1, "breakpoint on MOV SS's operand"
        ; --- single step
        catch   .step_done
        watch   0, 0x400
        pushfd
        or      dword [esp], TF
        popfd
        nop
.step_after:
        hlt
.step_done:
        check_debug .step_after, 0x4000, "single step"
        catch   .stepss_done
        watch   0, 0x400
        mov     ecx, DATA
        pushfd
        or      dword [esp], TF
        popfd
        mov     ss, cx
        nop
.stepss_after:
        hlt
.stepss_done:
        check_debug .stepss_after, 0x4000, "single step over MOV SS"
        catch   .steprep_done
        watch   0, 0x400
        mov     edi, data
        mov     ecx, 4
        pushfd
        or      dword [esp], TF
        popfd
.steprep:
        rep     stosb
        hlt
.steprep_done:
        check_debug .steprep, 0x4000, "single step: one iteration of REP"
        expect  ecx, 3, "is done"
        ; step and breakpoint at once
        catch   .both_done
        watch   data, WRITE4
        pushfd
        or      dword [esp], TF
        popfd
        mov     [data], eax
.both_after:
        hlt
.both_done:
        check_debug .both_after, 0x4001, "single step and data breakpoint together"
        ; --- INT1, general detect
        catch   .icebp_done
        watch   0, 0x400
.icebp: db      0xf1
.icebp_after:
        hlt
.icebp_done:
        check_debug .icebp_after, 0, "INT1"
        catch   .gd_done
        watch   0, 0x2400
.gd:    mov     eax, dr0
.gd_done:
        check_debug .gd, 0x2000, "general detect"
        mov     eax, dr7
        and     eax, 0x2000
        expect  eax, 0, "GD is cleared on entry (SDM 3B 18.2.4)"
        ; --- DR4 and DR5
        catch   .de_done
.de:    mov     eax, dr4
.de_done:
        check_fault 6, 0xdead, .de, "DR4 with CR4.DE (SDM 3B 18.2.2)"
        xor     eax, eax
        mov     dr7, eax
        finish
        align   8
        dd      0
data:   dd      0, 0
ss_value: dd    DATA
