; What is left of the 80286 in protected mode: 16-bit gates, TSS, stacks and code.
%include "harness.inc"
%include "protected.inc"
TSS16           equ $ - gdt
        descriptor LINEAR(tss16), 43, 0x0081
CODE16          equ $ - gdt
        descriptor 0, 0x0ffff, 0x009a
STACK16         equ $ - gdt
        descriptor 0, 0x0ffff, 0x0092
CALL_GATE16     equ $ - gdt
        gate    CODE, LINEAR(gate_target), 0xe4 | 2 << 8
CODE_LIMIT      equ $ - gdt
        descriptor 0, 0x08fff, 0x409a
gdt_end:

tss16:  dw      0
        dw      0x6000, DATA            ; SP0, SS0
        dw      0x5000, 0
        times   17 dw 0

%macro install 3                        ; vector, label, access byte
        mov     eax, %2
        mov     word [idt + (%1) * 8], ax
        mov     byte [idt + (%1) * 8 + 5], %3
        mov     word [idt + (%1) * 8 + 6], 0
%endmacro

bits 16
main:   enter_protected
bits 32
        mov     ax, TSS16
        ltr     ax
        movzx   eax, byte [gdt + TSS16 + 5]
        expect  eax, 0x83, "SDM 2A LTR: a 16-bit TSS becomes busy"

        ; --- 16-bit gates (SDM 3A 6.12.1, 21.4) --------------------------------------------------------------------
        install 0x45, handler16, 0x86
        mov     esp, 0x6f000
        push    dword 0x202
        popfd
        mov     dword [go_on], .same
        int     0x45
.next:
.same:  expect  dword [frame_esp], 0x6f000 - 6, "SDM 3A 6.12.1: a 16-bit gate pushes three words"
        expect  dword [frame_ip], .next, "SDM 3A 6.12.1: IP"
        expect  dword [frame_cs], CODE, "SDM 3A 6.12.1: CS"
        expect  dword [frame_flags], 0x202, "SDM 3A 6.12.1: FLAGS"
        expect  dword [handler_flags], 0x002, "SDM 3A 6.12.1.3: an interrupt gate clears IF"
        install 0x45, handler16, 0x87
        push    dword 0x202
        popfd
        mov     dword [go_on], .trap
        int     0x45
.trap:  expect  dword [handler_flags], 0x202, "SDM 3A 6.12.1.3: a trap gate does not"
        cli

        ; error code of 16 bits
        install 13, error16, 0x86
        mov     esp, 0x6f000
        mov     dword [go_on], .error
        mov     eax, 0x1000
        mov     fs, ax
.error: expect  dword [frame_esp], 0x6f000 - 8, "SDM 3A 6.13: through a 16-bit gate the error code is a word"
        expect  dword [frame_error], 0x1000, "SDM 3A 6.13: its value"

        ; --- the stack of a 16-bit TSS (SDM 3A 7.2.1, 21.4) ---------------------------------------------------------
        install 0x45, handler16, 0xe6
        mov     dword [go_on], .inner
        mov     esp, STACK0
        to_user .user, 0x202
.user:  int     0x45
.user_next:
.inner: expect  dword [frame_esp], 0x6000 - 10, "SDM 3A 6.12.1: SP0 of the 16-bit TSS, five words"
        expect  dword [frame_ss], DATA, "SDM 3A 6.12.1: SS0"
        expect  dword [frame_ip], .user_next, "SDM 3A 6.12.1: IP of the interrupted code"
        expect  dword [frame_cs], USER_CODE, "SDM 3A 6.12.1: its CS"
        expect  dword [frame_outer_sp], STACK3 & 0xffff, "SDM 3A 6.12.1: the low word of its ESP"
        expect  dword [frame_outer_ss], USER_DATA, "SDM 3A 6.12.1: its SS"

        ; --- a 16-bit call gate with parameters of a word (SDM 3A 5.8.5) ----------------------------------------------
        mov     esp, STACK0
        mov     dword [go_on], .gate
        to_user .gate_user, 0x202
.gate_user:
        push    word 0x1111
        push    word 0x2222
        call    CALL_GATE16:0
.gate_next:
.gate:  expect  dword [frame_esp], 0x6000 - 12, "SDM 3A 5.8.5: SS, SP, two parameters, CS, IP as words"
        expect  dword [frame_ip], .gate_next, "SDM 3A 5.8.5: IP"
        expect  dword [frame_flags], 0x11112222, "SDM 3A 5.8.5: the parameters"
        expect  dword [frame_outer_sp], (STACK3 - 4) & 0xffff, "SDM 3A 5.8.5: SP"

        ; --- 16-bit code and stack ----------------------------------------------------------------------------------------
        mov     ax, DATA
        mov     ss, ax
        mov     esp, STACK0
        jmp     CODE16:.code16
bits 16
.code16:
        mov     ax, STACK16
        mov     ss, ax
        mov     esp, 0xabcd0004
        mov     eax, esp
        push    word 0x7777
        mov     ebx, esp
        pop     cx
        mov     edx, esp
        jmp     dword CODE:.back32
bits 32
.back32:
        movzx   ecx, cx
        expect  ebx, 0xabcd0002, "SDM 1 6.2.3: a 16-bit stack changes SP only"
        expect  ecx, 0x7777, "SDM 1 6.2.3: push and pop"
        expect  edx, 0xabcd0004, "SDM 1 6.2.3: and back"
        ; a 32-bit gate on a 16-bit stack whose SP wraps between the values
        catch   .wrapped
        mov     ax, STACK16
        mov     ss, ax
        mov     esp, 0xabcd0004
        int     0x41
.wrapped:
        expect  dword [caught_vector], 0x41, "SDM 1 6.2.3: SP wraps at 64 KiB"
        expect  dword [caught_esp], 0xabcdfff8, "SDM 1 6.2.3: the frame after the wrap"
        ; IRET with 16-bit operands
        mov     esp, STACK0
        push    word 0x0ed7
        push    word CODE
        push    word .iret16
        o16 iret
.iret16:
        pushfd
        pop     ebx
        push    dword 2
        popfd
        and     ebx, 0xfff
        expect  ebx, 0x0ed7, "SDM 2A IRET: 16-bit operands"
        expect  esp, STACK0, "SDM 2A IRET: pops three words"
        ; the offset of a 32-bit gate beyond the limit of its code segment
        mov     dword [idt + 0x42 * 8], CODE_LIMIT << 16 | 0xf000
        catch   .limit
        ; vector 13 is the 16-bit handler's: take it back
        mov     eax, stubs + 13 * 8
        mov     [idt + 13 * 8], ax
        mov     word [idt + 13 * 8 + 4], 0x8e00
        mov     word [idt + 13 * 8 + 6], 0
.limit_at:
        int     0x42
.limit: expect  dword [caught_vector], 13, "SDM 2A INT n: a handler beyond its segment's limit"
        expect  dword [caught_error], 0, "SDM 2A INT n: error code 0"
        expect  dword [caught_eip], .limit_at, "SDM 2A INT n: at the INT"

        ; last: QEMU takes the upper half of the offset
        install 0x45, handler16, 0x86
        mov     word [idt + 0x45 * 8 + 6], 0xffff
        mov     dword [frame_ip], 0
        mov     dword [go_on], .upper
        int     0x45
.upper: expect  dword [frame_ip], .upper, "SDM 2A INT n: a 16-bit gate's offset has 16 bits"
        finish

error16:
        push    ds
        push    eax
        mov     ax, DATA
        mov     ds, ax
        lea     eax, [esp + 8]
        mov     [frame_esp], eax
        movzx   eax, word [eax]
        mov     [frame_error], eax
        jmp     resume16

gate_target:
        push    ds
        push    eax
        mov     ax, DATA
        mov     ds, ax
        lea     eax, [esp + 8]
        mov     [frame_esp], eax
        movzx   ebx, word [eax]
        mov     [frame_ip], ebx
        mov     ebx, [eax + 4]
        mov     [frame_flags], ebx
        movzx   ebx, word [eax + 8]
        mov     [frame_outer_sp], ebx
        jmp     resume16

handler16:
        push    ds
        push    eax
        mov     ax, DATA
        mov     ds, ax
        pushfd
        pop     dword [handler_flags]
        and     dword [handler_flags], 0x202
        lea     eax, [esp + 8]
        mov     [frame_esp], eax
        movzx   ebx, word [eax]
        mov     [frame_ip], ebx
        movzx   ebx, word [eax + 2]
        mov     [frame_cs], ebx
        movzx   ebx, word [eax + 4]
        mov     [frame_flags], ebx
        movzx   ebx, word [eax + 6]
        mov     [frame_outer_sp], ebx
        movzx   ebx, word [eax + 8]
        mov     [frame_outer_ss], ebx
        mov     ebx, ss
        mov     [frame_ss], ebx
resume16:
        mov     ax, DATA
        mov     ss, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
        mov     esp, STACK0
        jmp     [go_on]

        align   4
go_on:          dd 0
frame_esp:      dd 0
frame_ip:       dd 0
frame_cs:       dd 0
frame_ss:       dd 0
frame_flags:    dd 0
frame_error:    dd 0
frame_outer_sp: dd 0
frame_outer_ss: dd 0
handler_flags:  dd 0
