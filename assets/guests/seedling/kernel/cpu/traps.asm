; The ways into the kernel: 256 interrupt gates, SYSCALL, and the ways back.
BITS 64
extern trap_dispatch, syscall_dispatch

; Vectors whose exceptions push an error code (SDM 3A table 6-1); the others get a 0 so that all frames look alike.
%define HAS_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

%macro SAVE 0
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
%endmacro
%macro RESTORE 0
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
%endmacro

section .text
%assign v 0
%rep 256
stub %+ v:
%if !HAS_ERROR(v)
    push 0
%endif
    push v
%if v == 2 || v == 8 || v == 18
    jmp any_time
%else
    jmp trap
%endif
%assign v v + 1
%endrep

trap:
    cld
    test byte [rsp + 24], 3     ; RPL of the CS that was interrupted
    jz .kernel
    swapgs
.kernel:
    SAVE
    mov rdi, rsp
    call trap_dispatch
global trap_return
trap_return:
    cli
    test byte [rsp + 15 * 8 + 24], 3
    jz .kernel
    swapgs
.kernel:
    RESTORE
    add rsp, 16                 ; vector, error code
    iretq

; NMI, #DF and #MC can come between SYSCALL and its SWAPGS, where CS does not tell whose GS this is. The address does:
; the kernel's is negative.
any_time:
    cld
    SAVE
    mov ecx, 0xC0000101         ; IA32_GS_BASE
    rdmsr
    xor ebx, ebx
    test edx, edx
    js .ours
    swapgs
    inc ebx
.ours:
    mov rdi, rsp
    call trap_dispatch          ; keeps RBX
    test ebx, ebx
    jz .same
    swapgs
.same:
    RESTORE
    add rsp, 16
    iretq

; SYSCALL: RIP -> RCX, RFLAGS -> R11, CS and SS from STAR, RFLAGS masked by SFMASK (IF is off), and RSP still the user's
; (SDM 2B, SYSCALL). Builds the same frame as an interrupt, so that fork, exec and the scheduler need not care.
global syscall_entry
syscall_entry:
    swapgs
    mov [gs:8], rsp
    mov rsp, [gs:16]
    push 0x1B
    push qword [gs:8]
    push r11
    push 0x23
    push rcx
    push 0
    push 0x100                  ; no vector: came by SYSCALL
    SAVE
    mov rdi, rsp
    sti
    call syscall_dispatch
    cli
    ; SYSRET with a non-canonical RCX faults in ring 0 on Intel, with the user's RSP. Such a frame goes by IRETQ.
    mov rax, [rsp + 15 * 8 + 16]
    shr rax, 47
    jnz trap_return
    RESTORE
    add rsp, 16
    pop rcx                     ; RIP
    add rsp, 8
    pop r11                     ; RFLAGS
    pop rsp
    swapgs
    o64 sysret

section .rodata
global trap_stubs
trap_stubs:
%assign v 0
%rep 256
    dq stub %+ v
%assign v v + 1
%endrep
section .note.GNU-stack noalloc noexec nowrite progbits
