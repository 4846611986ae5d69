# Loads the guest's registers and jumps; and the way back out of the signal that ends the case.
# Linked at fixed addresses below 2 GiB, so that `guest` can be reached without a base register.
        .text
        .globl enter_guest, signal_entry
        .set RFLAGS, 128
        .set FSBASE, 136
        .set GSBASE, 144
        .set JUMP, 152
        .set SEG, 160
        .set FARJUMP, 208
        .set HOSTRSP, 216
        .set HOSTFS, 224
        .set OUTDS, 232
        .set OUTES, 240
        .set ENTER, 248
        .set OUTFS, 256
        .set OUTGS, 264

enter_guest:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        mov %rsp, guest+HOSTRSP
        # IRET serializes: the code bytes were written through another linear address (SDM 3A 9.1.3).
        mov %rsp, %rax
        mov %ss, %ecx
        push %rcx
        push %rax
        pushfq
        mov %cs, %ecx
        push %rcx
        push $1f
        iretq
1:      mov guest+SEG+0, %es
        mov guest+SEG+24, %ds
        mov guest+SEG+32, %fs
        mov guest+SEG+40, %gs
        cmpq $0, guest+FARJUMP
        jne 2f
        mov guest+FSBASE, %rax
        wrfsbase %rax
        mov guest+GSBASE, %rax
        wrgsbase %rax
2:      mov guestComponents, %eax         # x87, SSE and AVX state, or nothing
        xor %edx, %edx
        xrstor guestState
        pushq guest+RFLAGS
        popfq
        mov guest+0, %rax
        mov guest+8, %rcx
        mov guest+16, %rdx
        mov guest+24, %rbx
        mov guest+40, %rbp
        mov guest+48, %rsi
        mov guest+56, %rdi
        mov guest+64, %r8
        mov guest+72, %r9
        mov guest+80, %r10
        mov guest+88, %r11
        mov guest+96, %r12
        mov guest+104, %r13
        mov guest+112, %r14
        mov guest+120, %r15
        # No flag may change from here on: choose the jump by address, not by comparison.
        mov guest+SEG+16, %ss
        mov guest+32, %rsp
        jmp *guest+ENTER

        .globl enter_near, enter_far
enter_near:
        jmp *guest+JUMP
enter_far:
        ljmpl *guest+JUMP

signal_entry:
        pushq $0x202
        popfq
        mov %ds, %eax
        mov %eax, guest+OUTDS
        mov %es, %eax
        mov %eax, guest+OUTES
        mov %fs, %eax                     # not in the frame of a 64-bit signal
        mov %eax, guest+OUTFS
        mov %gs, %eax
        mov %eax, guest+OUTGS
        xor %eax, %eax
        mov %eax, %fs
        mov %eax, %gs
        mov guest+HOSTFS, %rax
        wrfsbase %rax
        mov $0x2b, %eax
        mov %eax, %ds
        mov %eax, %es
        and $-16, %rsp
        call signal_taken
        mov $0x2b, %eax
        mov %eax, %ss
        mov guest+HOSTRSP, %rsp
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

        .section .note.GNU-stack,"",@progbits
