; The switch from one kernel stack to another. What a C function may not keep across a call (psABI 3.2.1) the caller has
; saved; the rest is pushed here. Interrupts are off and the scheduler's lock is held, on both sides.
BITS 64
section .text
global switch_stacks, task_begin
extern task_started

; void switch_stacks(u64 *save_rsp, u64 new_rsp)
switch_stacks:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [rdi], rsp
    mov rsp, rsi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret                         ; into the new task: where it called from, or task_begin if it never ran

; A new task's first instructions: RBX is its function, R12 the argument (task_create).
task_begin:
    xor ebp, ebp                ; the end of its back-traces
    mov rdi, rbx
    mov rsi, r12
    call task_started           ; gives the lock back, turns interrupts on, calls the function; does not return
    ud2
section .note.GNU-stack noalloc noexec nowrite progbits
