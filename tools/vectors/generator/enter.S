# Loads the guest's registers and jumps; and the way back out of the signal that ends the case.
# Reaches `guest` relative to RIP: the program lies above 4 GiB, where 16- and 32-bit guests cannot get at it by accident.
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
        mov %rsp, guest+HOSTRSP(%rip)
        # IRET serializes: the code bytes were written through another linear address (SDM 3A 9.1.3).
        mov %rsp, %rax
        mov %ss, %ecx
        push %rcx
        push %rax
        pushfq
        mov %cs, %ecx
        push %rcx
        lea 1f(%rip), %rax
        push %rax
        iretq
1:      mov guest+SEG+0(%rip), %es
        mov guest+SEG+24(%rip), %ds
        mov guest+SEG+32(%rip), %fs
        mov guest+SEG+40(%rip), %gs
        cmpq $0, guest+FARJUMP(%rip)
        jne 2f
        mov guest+FSBASE(%rip), %rax
        wrfsbase %rax
        mov guest+GSBASE(%rip), %rax
        wrgsbase %rax
2:      mov guestComponents(%rip), %eax         # x87, SSE and AVX state, or nothing
        xor %edx, %edx
        xrstor guestState(%rip)
        pushq guest+RFLAGS(%rip)
        popfq
        mov guest+0(%rip), %rax
        mov guest+8(%rip), %rcx
        mov guest+16(%rip), %rdx
        mov guest+24(%rip), %rbx
        mov guest+40(%rip), %rbp
        mov guest+48(%rip), %rsi
        mov guest+56(%rip), %rdi
        mov guest+64(%rip), %r8
        mov guest+72(%rip), %r9
        mov guest+80(%rip), %r10
        mov guest+88(%rip), %r11
        mov guest+96(%rip), %r12
        mov guest+104(%rip), %r13
        mov guest+112(%rip), %r14
        mov guest+120(%rip), %r15
        # No flag may change from here on: choose the jump by address, not by comparison.
        mov guest+SEG+16(%rip), %ss
        mov guest+32(%rip), %rsp
        jmp *guest+ENTER(%rip)

        .globl enter_near, enter_far
enter_near:
        jmp *guest+JUMP(%rip)
enter_far:
        ljmpl *guest+JUMP(%rip)

signal_entry:
        pushq $0x202
        popfq
        mov %ds, %eax
        mov %eax, guest+OUTDS(%rip)
        mov %es, %eax
        mov %eax, guest+OUTES(%rip)
        mov %fs, %eax                     # not in the frame of a 64-bit signal
        mov %eax, guest+OUTFS(%rip)
        mov %gs, %eax
        mov %eax, guest+OUTGS(%rip)
        xor %eax, %eax
        mov %eax, %fs
        mov %eax, %gs
        mov guest+HOSTFS(%rip), %rax
        wrfsbase %rax
        mov $0x2b, %eax
        mov %eax, %ds
        mov %eax, %es
        and $-16, %rsp
        call signal_taken
        mov $0x2b, %eax
        mov %eax, %ss
        mov guest+HOSTRSP(%rip), %rsp
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

        .section .note.GNU-stack,"",@progbits
