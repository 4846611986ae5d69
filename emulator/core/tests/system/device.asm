; Instructions whose memory operands are a device: each is carried out once in RAM and once in the test device's memory
; (FF000000h, chipset/test-device.ts; QEMU: -device pc-testdev) and must leave the same bytes, registers and flags. What a device
; sees is one access of the operand's size, and a locked one is read and written once.
%include "harness.inc"
%include "long.inc"
%include "checks64.inc"
gdt_end:

DEVICE          equ 0xc00000            ; through PD[6]
RAM             equ 0x30000
SIZE            equ 4096
PORT            equ 0xe0

TWICE_TABLE     equ 0x28000
TWICE           equ 7 * 0x200000

; begin, instructions with RBX = the memory's middle, RSI = RBX - 256, RDI = RBX + 256, same "text"
%macro begin 0
        %push   same
        jmp     %$start
%$do:
%endmacro
%macro same 1
        ret
%$start:
        mov     eax, %$do
        call    both
        expect  dword [unequal], 0, {%1}
        %pop
%endmacro

bits 16
main:   enter_long
bits 64
        mov     dword [PD + 6 * 8], 0xff000000 | 0x93
        mov     rax, cr3
        mov     cr3, rax
        mov     rax, cr4
        or      eax, 0x40600            ; OSXSAVE, OSXMMEXCPT, OSFXSR
        mov     cr4, rax
        xor     ecx, ecx
        xor     edx, edx
        mov     eax, 7
        xsetbv
        fninit
        catch   unexpected

        begin
        mov al, [rbx]
        same    "MOV"
        begin
        mov [rbx], al
        same    "MOV to memory, all sizes"
        begin
        mov cx, [rbx + 1]
        same    "MOV r16, m"
        begin
        mov [rbx + 1], edx
        same    "MOV m, r32 misaligned"
        begin
        mov [rbx + 3], rdx
        same    "MOV m, r64 misaligned"
        begin
        mov qword [rbx], -5
        same    "MOV m, imm32"
        begin
        mov eax, [qword DEVICE]
        same    "MOVABS"
        begin
        movzx ecx, byte [rbx]
        same    "MOVZX"
        begin
        movsxd rcx, dword [rbx + 5]
        same    "MOVSXD"
        begin
        add [rbx], rdx
        same    "ADD m, r"
        begin
        adc edx, [rbx]
        same    "ADC r, m"
        begin
        lock inc dword [rbx]
        same    "LOCK INC"
        begin
        lock dec qword [rbx + 3]
        same    "LOCK DEC, misaligned"
        begin
        lock neg byte [rbx]
        same    "LOCK NEG"
        begin
        lock not word [rbx + 1]
        same    "LOCK NOT"
        begin
        lock xadd [rbx], rdx
        same    "LOCK XADD"
        begin
        xadd [rbx], dl
        same    "XADD of bytes"
        begin
        xchg [rbx], rdx
        same    "XCHG"
        begin
        xchg [rbx + 1], dx
        same    "XCHG of words"
        begin
        cmpxchg [rbx], edx
        same    "CMPXCHG"
        begin
        mov rax, [rbx]
        lock cmpxchg [rbx], rdx
        same    "LOCK CMPXCHG that succeeds"
        begin
        cmpxchg8b [rbx]
        same    "CMPXCHG8B"
        begin
        lock cmpxchg16b [rbx]
        same    "LOCK CMPXCHG16B"
        begin
        btc dword [rbx], 32 + 7
        same    "BTC m, imm"
        begin
        mov ecx, -1
        bts     dword [rbx], ecx
        same    "BTS m, r before"
        begin
        mov ecx, 1000
        lock btr qword [rbx], rcx
        same    "LOCK BTR m, r far"
        begin
        bsf rcx, [rbx]
        same    "BSF"
        begin
        mov cl, 5
        shl     qword [rbx], cl
        same    "SHL m, CL"
        begin
        rcr word [rbx], 3
        same    "RCR m"
        begin
        shld [rbx], edx, 9
        same    "SHLD"
        begin
        mul qword [rbx]
        same    "MUL"
        begin
        imul ecx, [rbx], 77
        same    "IMUL r, m, imm"
        begin
        mov rcx, 0x7654321012345
        mov [rbx], rcx
        mov     edx, 5
        div     qword [rbx]
        same    "DIV"
        begin
        setc [rbx]
        same    "SETcc"
        begin
        cmovz ecx, [rbx]
        same    "CMOVcc"
        begin
        push qword [rbx]
        pop rcx
        same    "PUSH m"
        begin
        push rdx
        pop     qword [rbx]
        same    "POP m"
        begin
        mov rcx, rsp
        mov     rsp, rbx
        push    rdx
        push    -7
        push    qword [rsi]
        pushfq
        call    .call
        jmp     .called
.call:  ret
.called:
        popfq
        pop     qword [rdi]
        pop     rdx
        pop     rax
        mov     rsp, rcx
        sub     rcx, rcx
        same    "stack in memory"
        begin
        mov rcx, rsp
        mov     rsp, rbx
        enter   16, 0
        leave
        mov     rsp, rcx
        sub     rcx, rcx
        same    "ENTER and LEAVE"
        begin
        movsb
        same    "MOVSB"
        begin
        mov ecx, 37
        rep     movsb
        same    "REP MOVSB"
        begin
        std
        mov     ecx, 9
        rep     movsq
        cld
        same    "REP MOVSQ down"
        begin
        mov ecx, 11
        rep     stosd
        same    "REP STOSD"
        begin
        lodsw
        same    "LODSW"
        begin
        mov ecx, 64
        repe    cmpsb
        same    "REPE CMPSB"
        begin
        mov ecx, 100
        repne   scasb
        same    "REPNE SCASB"
        begin
        smsw [rbx]
        same    "SMSW m"
        begin
        sgdt [rbx]
        same    "SGDT"
        begin
        sldt [rbx]
        same    "SLDT m"
        begin
        mov word [rbx], 1
        lmsw    [rbx]
        same    "LMSW m"
        begin
        sgdt [rbx]
        lgdt    [rbx]
        same    "LGDT"
        begin
        mov word [rbx], DATA
        mov     ds, [rbx]
        same    "MOV DS, m"
        begin
        mov [rbx], fs
        same    "MOV m, FS"
        begin
        mov qword [rbx], .jumped
        mov     word [rbx + 8], CODE
        jmp     far qword [rbx]
        ud2
.jumped:
        same    "JMP m64:16"
        begin
        mov qword [rbx], .there
        call    [rbx]
        jmp     .back
.there: ret
.back:
        same    "CALL m"
        begin
        fld tword [rsi]
        fstp    tword [rdi]
        same    "FLD, FSTP m80"
        begin
        fild qword [rsi]
        fistp   qword [rdi]
        same    "FILD, FISTP m64"
        begin
        fnstenv [rbx]
        same    "FNSTENV"
        begin
        fninit
        fnsave  [rbx]
        frstor  [rbx]
        same    "FSAVE, FRSTOR"
        begin
        and rbx, -16
        fxsave  [rbx]
        fxrstor [rbx]
        same    "FXSAVE, FXRSTOR"
        begin
        and rbx, -64
        push rdi
        lea rdi, [rbx + 512]
        xor eax, eax
        mov ecx, 16
        rep stosd
        pop rdi
        mov     eax, 7
        xor     edx, edx
        xsave   [rbx]
        xrstor  [rbx]
        same    "XSAVE"
        begin
        movdqu xmm0, [rsi + 1]
        movdqu  [rdi + 3], xmm0
        same    "MOVDQU"
        begin
        movdqa xmm1, [rsi]
        movntdq [rdi], xmm1
        same    "MOVNTDQ"
        begin
        movq mm0, [rsi]
        movq    [rdi], mm0
        emms
        same    "MOVQ MMX"
        begin
        movdqu xmm0, [rsi]
        paddd   xmm0, [rdi]
        movups  [rbx], xmm0
        same    "PADDD m"
        begin
        vmovdqu ymm0, [rsi + 5]
        vmovdqu [rdi + 5], ymm0
        same    "VMOVDQU ymm"
        begin
        vpcmpeqd ymm1, ymm1, ymm1
        vpxor   ymm2, ymm2, ymm2
        vpgatherdd ymm0, [rsi + ymm2 * 4], ymm1
        vmovdqu [rdi], ymm0
        same    "VPGATHERDD"
        begin
        vmovdqu ymm1, [rsi]
        vmaskmovps [rdi], ymm1, ymm1
        same    "VMASKMOVPS"
        begin
        movdqu xmm0, [rsi]
        maskmovdqu xmm0, xmm0
        same    "MASKMOVDQU"
        begin
        movbe rcx, [rsi]
        movbe   [rdi], ecx
        same    "MOVBE"
        begin
        crc32 ecx, dword [rbx]
        same    "CRC32"
        begin
        andn rcx, rdx, [rbx]
        bextr   rdx, [rsi], rcx
        same    "ANDN, BEXTR"
        begin
        adcx rdx, [rbx]
        same    "ADCX"
        begin
        stmxcsr [rbx]
        ldmxcsr [rbx]
        same    "LDMXCSR"
        begin
        invlpg [rbx]
        same    "INVLPG"
        begin
        clflush [rbx]
        same    "CLFLUSH"
        begin
        mov byte [rbx], 0x40
        mov     word [rbx + 1], 0xc0ff
        mov     byte [rbx + 3], 0xc3
        call    rbx
        same    "code there"

        ; --- string I/O
        cld
        mov     edx, PORT
        mov     esi, letters
        mov     ecx, 16
        rep     outsb
        in      al, PORT
        movzx   ecx, al
        expect  ecx, 'p', "REP OUTSB: the last byte is the last letter"
        std
        mov     esi, letters + 15
        mov     ecx, 16
        rep     outsb
        cld
        in      al, PORT
        movzx   ecx, al
        expect  ecx, 'a', "REP OUTSB down"
        mov     eax, 0x11223344
        out     PORT, eax
        mov     edi, DEVICE
        mov     ecx, 3
        rep     insd
        expect  dword [DEVICE + 8], 0x11223344, "REP INSD into a device"
        expect  edi, DEVICE + 12, "REP INSD: RDI"

        ; --- across the end of a page: both pages are the device's first one, so the halves come in this order
        mov     dword [TWICE_TABLE], 0xff000000 | 0x13
        mov     dword [TWICE_TABLE + 8], 0xff000000 | 0x13
        mov     dword [PD + 7 * 8], TWICE_TABLE | 3
        mov     rax, cr3
        mov     cr3, rax
        mov     ebx, TWICE + 4096
        mov     byte [rbx - 1], 0x99
        mov     byte [rbx], 0x77
        movzx   ecx, word [rbx - 1]
        expect  ecx, 0x7799, "a word across the end of a page: read"
        mov     word [rbx - 1], 0x88aa
        movzx   ecx, byte [rbx - 1]
        expect  ecx, 0xaa, "a word across the end of a page: its low byte"
        movzx   ecx, byte [rbx]
        expect  ecx, 0x88, "a word across the end of a page: its high byte"
        mov     rax, 0x1122334455667788
        mov     [rbx - 3], rax
        mov     rcx, [rbx - 3]
        expectq rcx, 0x1122334455667788, "a quadword across the end of a page"
        expect  dword [DEVICE], 0x22334455, "a quadword across the end of a page: where its upper half is"
        movdqu  xmm0, [rsp - 64]
        mov     rax, 0x0123456789abcdef
        movq    xmm0, rax
        movlhps xmm0, xmm0
        movdqu  [rbx - 8], xmm0
        mov     rcx, [DEVICE]
        expectq rcx, 0x0123456789abcdef, "16 bytes across the end of a page: upper half"
        mov     rcx, [DEVICE + 4088]
        expectq rcx, 0x0123456789abcdef, "16 bytes across the end of a page: lower half"
        mov     dword [rbx - 2], 0xffff
        mov     eax, 1
        lock xadd [rbx - 2], eax
        mov     ecx, [rbx - 2]
        expect  ecx, 0x10000, "LOCK XADD across the end of a page"
        cld
        mov     eax, 0x9999
        mov     edx, PORT
        out     dx, ax
        mov     edi, TWICE + 4032
        mov     ecx, 1024
        rep     insb
        movzx   ecx, byte [TWICE + 4032 + 1023]
        expect  ecx, 0x99, "REP INSB across the end of a page"
        expect  edi, TWICE + 4032 + 1024, "REP INSB across the end of a page: RDI"
        finish
unexpected:
        expect  dword [caught_rip], 0, "an exception, at"
        finish
letters: db     "abcdefghijklmnop"

        align   16
; runs EAX on RAM and on the device; [unequal] = what differs: 1 memory, 2 registers, 4 flags
both:   mov     [routine], rax
        mov     edx, RAM
        mov     edi, result_ram
        call    one
        mov     edx, DEVICE
        mov     edi, result_device
        call    one
        mov     dword [unequal], 0
        mov     esi, RAM
        mov     edi, DEVICE
        mov     ecx, SIZE / 8
        repe    cmpsq
        je      .regs
        or      dword [unequal], 1
.regs:  mov     esi, result_ram
        mov     edi, result_device
        mov     ecx, 6
        repe    cmpsq
        je      .flags
        or      dword [unequal], 2
.flags: mov     eax, [result_ram + 48]
        cmp     eax, [result_device + 48]
        je      .end
        or      dword [unequal], 4
.end:   ret

; memory at RDX, results at RDI: RAX, RCX, RDX, RSI and RDI less the memory's address, XMM0, flags
one:    mov     [memory], rdx
        push    rdi
        mov     rdi, rdx
        mov     ecx, SIZE / 4
        mov     eax, 0x12345678
.fill:  stosd
        imul    eax, eax, 0x41c64e6d
        add     eax, 12345
        loop    .fill
        lea     rbx, [rdx + 2048]
        lea     rsi, [rdx + 2048 - 256]
        lea     rdi, [rdx + 2048 + 256]
        mov     rax, 0x1122334455667788
        mov     rdx, 0x99aabbccddeeff01
        xor     ebp, ebp
        mov     ebp, 0x6f000
        clc
        call    [routine]
        pushfq
        pop     r9
        pop     r8
        mov     [r8], rax
        mov     [r8 + 8], rcx
        mov     [r8 + 16], rdx
        sub     rsi, [memory]
        mov     [r8 + 24], rsi
        sub     rdi, [memory]
        mov     [r8 + 32], rdi
        movq    [r8 + 40], xmm0
        and     r9d, 0x8d5
        mov     [r8 + 48], r9
        ret
        align   8
routine: dq     0
memory: dq      0
unequal: dd     0
        align   8
result_ram: times 8 dq 0
result_device: times 8 dq 0
