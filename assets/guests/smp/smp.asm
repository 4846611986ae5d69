; A kernel for 1 to 16 CPUs that does one of the jobs below and says on the debug console (port E9h) what came of it.
; Which one is in the boot sector, at 1A0h: job, variant, rounds, CPUs that take part (0: all), a free number.
; The last line is "END"; then it ends the run through port F4h.
bits 16
org 0x7c00

PML4            equ 0x70000
PDPT            equ 0x71000
PD0             equ 0x72000             ; 0-1 GiB, large pages
PD1             equ 0x73000             ; 1 GiB: a table of 4 KiB pages, for the shootdowns; the local APIC
PT1             equ 0x74000
STACKS          equ 0x300000            ; 16 KiB a CPU
DATA            equ 0x200000
FRAME_A         equ 0x400000
FRAME_B         equ 0x401000
WINDOW          equ 0x40000000          ; where the shootdown job maps them
LAPIC           equ 0x40200000          ; FEE00000h is mapped here, within reach of 32-bit displacements
MAX_CPUS        equ 16

start:  xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        mov     [drive], dl
        mov     si, packet
        mov     ah, 0x42
        int     0x13
        jc      .failed
        mov     ax, 0x2401
        int     0x15
        in      al, 0x92
        or      al, 2
        out     0x92, al
        jmp     0:begin
.failed: mov    al, '!'
        out     0xe9, al
        jmp     $
drive   db      0
align 4
packet  db      16, 0
        dw      (end - start - 1) / 512
        dw      0x7e00, 0
        dq      1

        times   0x1a0 - ($ - $$) db 0
job     dd      0
variant dd      0
rounds  dd      1000
wanted  dd      0
number  dd      0
        times   510 - ($ - $$) db 0
        dw      0xaa55

; --- into long mode, on every CPU ------------------------------------------------------------------------------------
begin:  cli
        ; Page tables: 1 GiB with large pages, the window with small ones.
        mov     ax, PML4 >> 4
        mov     es, ax
        xor     edi, edi
        xor     eax, eax
        mov     ecx, 0x5000 / 4
        rep     stosd
        mov     dword [es:0], PDPT | 3
        mov     dword [es:PDPT - PML4], PD0 | 3
        mov     dword [es:PDPT - PML4 + 8], PD1 | 3
        mov     dword [es:PD1 - PML4], PT1 | 3
        mov     dword [es:PD1 - PML4 + 8], 0xfee00093   ; uncached
        mov     dword [es:PT1 - PML4], FRAME_A | 3
        mov     di, PD0 - PML4
        mov     eax, 0x83
.low:   mov     [es:di], eax
        add     eax, 0x200000
        add     di, 8
        cmp     di, PD1 - PML4
        jb      .low
        ; The start-up code of the others, where a vector can point.
        mov     ax, 0x700
        mov     es, ax
        xor     di, di
        mov     si, trampoline
        mov     cx, trampoline_end - trampoline
        rep     movsb
        jmp     to_long

trampoline:
        cli
        jmp     0:to_long
trampoline_end:

to_long:
        xor     ax, ax
        mov     ds, ax
        lgdt    [gdtr]
        mov     eax, cr4
        or      eax, 0x620              ; PAE, OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        mov     eax, PML4
        mov     cr3, eax
        mov     ecx, 0xc0000080
        rdmsr
        or      eax, 0x100
        wrmsr
        mov     eax, 0x80000033         ; PG, NE, ET, MP, PE; caches on
        mov     cr0, eax
        jmp     8:in_long

align 8
gdt     dq      0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdtr    dw      23
        dd      gdt

bits 64
in_long: mov     ax, 16
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        xor     eax, eax
        mov     fs, ax
        mov     gs, ax
        ; r15: this CPU's number here, in the order of arrival.
        mov     r15d, 1
        lock xadd [arrived], r15d
        mov     eax, r15d
        shl     eax, 14
        lea     rsp, [rax + STACKS + 0x4000]
        lidt    [idtr]
        ; Local APIC on, spurious vector FFh.
        mov     dword [LAPIC + 0xf0], 0x1ff
        mov     dword [LAPIC + 0x80], 0
        mov     eax, [LAPIC + 0x20]
        shr     eax, 24
        mov     [apic_ids + r15], al
        test    r15d, r15d
        jz      first
        lock inc dword [ready]
        ; --- what the others do: wait for work --------------------------------------------------------------------
        xor     r14d, r14d              ; generation done
.wait:  cmp     [generation], r14d
        jne     .work
        pause
        jmp     .wait
.work:  mov     r14d, [generation]
        cmp     r15d, [taking]
        jae     .idle
        call    [work]
.idle:  lock inc dword [finished]
        jmp     .wait

; --- CPU 0 -----------------------------------------------------------------------------------------------------------
first:  ; The 8259s are silent.
        mov     al, 0xff
        out     0x21, al
        out     0xa1, al
        call    make_idt
        cmp     dword [job], JOB_ORDER
        je      start_ordered
        ; INIT, SIPI, SIPI to all but self (MP specification B.4; nobody here is so old that it needs the delays).
        mov     dword [LAPIC + 0x310], 0
        mov     dword [LAPIC + 0x300], 0xc4500
        call    icr_idle
        call    short_delay
        mov     dword [LAPIC + 0x300], 0xc4607
        call    icr_idle
        call    short_delay
        mov     dword [LAPIC + 0x300], 0xc4607
        call    icr_idle
        ; As many as `number` says in bits 24-31, or who comes within a while.
        mov     ecx, 0x100000
        movzx   eax, byte [number + 3]
        dec     eax
.come:  cmp     [ready], eax
        je      .here
        pause
        test    eax, eax
        jns     .come
        dec     ecx
        jnz     .come
.here:  mov     eax, [ready]
        inc     eax
        mov     [count], eax
        mov     ecx, [wanted]
        jecxz   .all
        cmp     ecx, eax
        ja      .all
        mov     eax, ecx
.all:   mov     [taking], eax
        mov     esi, cpus_said
        call    print
        mov     eax, [count]
        call    print_hex
        call    print_end
        mov     eax, [job]
        cmp     eax, JOBS
        jae     finish
        call    [jobs + rax * 8]
finish: mov     esi, end_said
        call    print
        xor     eax, eax
        out     0xf4, al
        cli
        hlt
        jmp     finish
cpus_said: db   "cpus ", 0
end_said: db    "END", 10, 0

jobs:   dq      litmus, locks, pingpong, shootdown, modify, fair, timer, alu, finish_order, watch, nmi, smash, shot
JOBS            equ ($ - jobs) / 8
JOB_ORDER       equ 8

icr_idle:
        pause
        test    dword [LAPIC + 0x300], 0x1000
        jnz     icr_idle
        ret

short_delay:
        mov     ecx, 2000
.more:  dec     ecx
        jnz     .more
        ret

; --- printing --------------------------------------------------------------------------------------------------------
print:  lodsb                           ; rsi: text
        test    al, al
        jz      .done
        out     0xe9, al
        jmp     print
.done:  ret

print_hex:                              ; rax, 16 digits and a space
        push    rcx
        push    rdx
        mov     rdx, rax
        mov     ecx, 16
.digit: rol     rdx, 4
        mov     eax, edx
        and     eax, 15
        add     al, '0'
        cmp     al, '9'
        jbe     .out
        add     al, 'a' - '0' - 10
.out:   out     0xe9, al
        dec     ecx
        jnz     .digit
        mov     al, ' '
        out     0xe9, al
        pop     rdx
        pop     rcx
        ret

print_end:
        mov     al, 10
        out     0xe9, al
        ret

; --- all who take part do `work` ------------------------------------------------------------------------------------
together:                               ; rax: routine
        mov     [work], rax
        mov     dword [finished], 0
        lock inc dword [generation]
        call    [work]
        mov     ecx, [count]
        dec     ecx
.wait:  cmp     [finished], ecx
        je      .done
        pause
        jmp     .wait
.done:  ret

; Until all who take part are here. Clobbers rax, rbx, rdx, r13.
barrier:
        mov     r13d, 1
        lock xadd [meeting], r13d
        mov     eax, r13d
        xor     edx, edx
        mov     ebx, [taking]
        div     ebx
        inc     eax
        mul     ebx                     ; the count at which this meeting is complete
        mov     ebx, 64
.wait:  cmp     [meeting], eax
        jge     .done
        dec     ebx
        jnz     .wait
        pause
        mov     ebx, 64
        jmp     .wait
.done:  ret

; --- job 0: litmus tests. variant: bits 0-7 which, 8-15 what is between the two accesses -----------------------------
X               equ DATA
Y               equ DATA + 0x100
R0              equ DATA + 0x200
R1              equ DATA + 0x300
R2              equ DATA + 0x400
R3              equ DATA + 0x500
HISTOGRAM       equ DATA + 0x1000

litmus: mov     rax, litmus_cpu
        call    together
        mov     esi, .said
        call    print
        xor     ecx, ecx
.line:  mov     rax, [HISTOGRAM + rcx * 8]
        call    print_hex
        inc     ecx
        cmp     ecx, 16
        jb      .line
        jmp     print_end
.said:  db      "outcomes ", 0

%macro between 0
        cmp     r10d, 1
        jb      %%plain
        je      %%mfence
        cmp     r10d, 3
        jb      %%locked
        je      %%serial
        jmp     %%plain
%%mfence: mfence
        jmp     %%plain
%%locked: lock add dword [rsp - 64], 0
        jmp     %%plain
%%serial: xor   eax, eax
        cpuid
%%plain:
%endmacro

litmus_cpu:
        mov     r12d, [rounds]
        movzx   r11d, byte [variant]
        movzx   r10d, byte [variant + 1]
        mov     r9d, r15d
.round: call    barrier
        ; A little later or earlier each time.
        imul    r9d, r9d, 1103515245
        add     r9d, 12345
        mov     ecx, r9d
        shr     ecx, 28
.late:  sub     ecx, 1
        jnc     .late
        mov     eax, r11d
        shl     eax, 2
        or      eax, r15d
        cmp     eax, LITMUS_ROUTINES
        jae     .nothing
        cmp     r15d, 4
        jae     .nothing
        call    [litmus_routines + rax * 8]
.nothing:
        call    barrier
        test    r15d, r15d
        jnz     .next
        call    [litmus_outcomes + r11 * 8]
        inc     qword [HISTOGRAM + rax * 8]
        mov     dword [X], 0
        mov     dword [Y], 0
.next:  dec     r12d
        jnz     .round
        ret

align 8
litmus_routines:
        dq      sb0, sb1, none, none
        dq      mp0, mp1, none, none
        dq      lb0, lb1, none, none
        dq      ww0, ww1, none, none
        dq      ir0, ir1, ir2, ir3
        dq      sx0, sx1, none, none    ; store buffering with XCHG for the stores
LITMUS_ROUTINES equ ($ - litmus_routines) / 8
litmus_outcomes:
        dq      of_two, of_two, of_two, of_memory, of_four, of_two
none:   ret

sb0:    mov     dword [X], 1
        between
        mov     eax, [Y]
        mov     [R0], eax
        ret
sb1:    mov     dword [Y], 1
        between
        mov     eax, [X]
        mov     [R1], eax
        ret
sx0:    mov     eax, 1
        xchg    [X], eax
        mov     eax, [Y]
        mov     [R0], eax
        ret
sx1:    mov     eax, 1
        xchg    [Y], eax
        mov     eax, [X]
        mov     [R1], eax
        ret
mp0:    mov     dword [X], 1
        mov     dword [Y], 1
        ret
mp1:    mov     eax, [Y]
        mov     edx, [X]
        mov     [R0], eax
        mov     [R1], edx
        ret
lb0:    mov     eax, [X]
        mov     dword [Y], 1
        mov     [R0], eax
        ret
lb1:    mov     eax, [Y]
        mov     dword [X], 1
        mov     [R1], eax
        ret
ww0:    mov     dword [X], 1
        mov     dword [Y], 2
        ret
ww1:    mov     dword [Y], 1
        mov     dword [X], 2
        ret
ir0:    mov     dword [X], 1
        ret
ir1:    mov     dword [Y], 1
        ret
ir2:    mov     eax, [X]
        mov     edx, [Y]
        mov     [R0], eax
        mov     [R1], edx
        ret
ir3:    mov     eax, [Y]
        mov     edx, [X]
        mov     [R2], eax
        mov     [R3], edx
        ret

of_two: mov     eax, [R1]               ; r0 | r1 << 1
        lea     eax, [rax * 2]
        or      eax, [R0]
        ret
of_memory:                              ; x - 1 | (y - 1) << 1
        mov     eax, [Y]
        dec     eax
        lea     eax, [rax * 2 - 1]
        add     eax, [X]
        ret
of_four:
        mov     eax, [R3]
        lea     eax, [rax * 2]
        or      eax, [R2]
        lea     eax, [rax * 2]
        or      eax, [R1]
        lea     eax, [rax * 2]
        or      eax, [R0]
        ret

; --- job 1: locked instructions. variant: which; the sum is printed -------------------------------------------------
CELL            equ DATA + 0x2000
CELL2           equ DATA + 0x2080

locks:  mov     rax, locks_cpu
        call    together
        mov     esi, .said
        call    print
        mov     eax, [variant]
        mov     edx, [lock_cells + rax * 8]
        mov     rax, [rdx]
        call    print_hex
        mov     rax, [rdx + 8]
        call    print_hex
        jmp     print_end
.said:  db      "sum ", 0

locks_cpu:
        mov     r12d, [rounds]
        mov     eax, [variant]
        mov     r11, [lock_routines + rax * 8]
        call    barrier
        xor     eax, eax
.round: call    r11
        dec     r12d
        jnz     .round
        ret

align 8
lock_routines:
        dq      l_inc, l_inc1, l_inc6, l_line, l_page, l_cas, l_cas8, l_cas16, l_xchg, l_bts, l_mixed, l_mixed16
        dq      l_split_xchg, l_byte, l_word, l_code, l_xadd8, l_cas8split
lock_cells:
        dq      CELL, CELL + 1, CELL + 6, CELL + 60, CELL + 0xffe, CELL, CELL, CELL, CELL2, CELL2, CELL + 4, CELL
        dq      CELL2, CELL + 3, CELL + 7, code_cell, CELL, CELL + 4

l_inc:  lock inc dword [CELL]
        ret
l_inc1: lock inc dword [CELL + 1]
        ret
l_inc6: lock inc dword [CELL + 6]
        ret
l_line: lock add qword [CELL + 60], 1
        ret
l_page: mov     eax, 1
        lock xadd [CELL + 0xffe], eax
        ret
l_xadd8:
        mov     eax, 1
        lock xadd [CELL], rax
        ret
l_cas:  mov     rax, [CELL]
.again: lea     rdx, [rax + 1]
        lock cmpxchg [CELL], rdx
        jnz     .again
        ret
l_cas8: mov     eax, [CELL]
        mov     edx, [CELL + 4]
.again: lea     ebx, [rax + 1]
        lea     ecx, [rdx + 1]
        lock cmpxchg8b [CELL]
        jnz     .again
        ret
l_cas8split:
        mov     eax, [CELL + 4]
        mov     edx, [CELL + 8]
.again: lea     ebx, [rax + 1]
        lea     ecx, [rdx + 1]
        lock cmpxchg8b [CELL + 4]
        jnz     .again
        ret
l_cas16:
        mov     rax, [CELL]
        mov     rdx, [CELL + 8]
.again: lea     rbx, [rax + 1]
        lea     rcx, [rdx + 1]
        lock cmpxchg16b [CELL]
        jnz     .again
        ret
l_xchg: mov     eax, 1
        xchg    [CELL], eax
        test    eax, eax
        jz      .mine
        pause
        jmp     l_xchg
.mine:  inc     dword [CELL2]
        mov     dword [CELL], 0
        ret
l_split_xchg:
        mov     eax, 1
        xchg    [CELL + 62], eax
        test    eax, eax
        jz      .mine
        pause
        jmp     l_split_xchg
.mine:  inc     dword [CELL2]
        xor     eax, eax
        xchg    [CELL + 62], eax
        ret
l_bts:  lock bts dword [CELL], 5
        jnc     .mine
        pause
        jmp     l_bts
.mine:  inc     dword [CELL2]
        lock btr dword [CELL], 5
        ret
l_byte: lock inc byte [CELL + 3]
        ret
l_word: lock inc word [CELL + 7]
        ret
; One in three adds to all eight bytes across the boundary, the others to one aligned half each.
l_mixed:
        mov     eax, r15d
        cmp     eax, 1
        je      .low
        ja      .high
        lock add qword [CELL + 4], 1
        ret
.low:   lock inc dword [CELL + 4]
        ret
.high:  lock inc dword [CELL + 8]
        ret
l_mixed16:
        cmp     r15d, 1
        jb      l_cas16
        ja      .high
        lock inc qword [CELL]
        ret
.high:  lock inc qword [CELL + 8]
        ret
l_code: lock inc dword [code_cell]
        ret
align 4
code_cell: dq   0, 0

; --- job 2: IPI ping-pong between CPU 0 and CPU 1. variant 1: the waiting one halts --------------------------------
pingpong:
        mov     rax, pingpong_cpu
        call    together
        mov     esi, .said
        call    print
        mov     rax, [ticks]
        call    print_hex
        mov     eax, [pings]
        call    print_hex
        mov     eax, [pongs]
        call    print_hex
        jmp     print_end
.said:  db      "pingpong ", 0

pingpong_cpu:
        cmp     r15d, 1
        ja      .done
        je      .second
        call    barrier2
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        mov     r12, rax
        sti
        mov     r11d, [rounds]
        xor     ecx, ecx
.ping:  inc     ecx
        movzx   eax, byte [apic_ids + 1]
        shl     eax, 24
        mov     [LAPIC + 0x310], eax
        mov     dword [LAPIC + 0x300], 0x4040
.wait:  cmp     [pongs], ecx
        je      .next
        cmp     dword [variant], 0
        je      .wait
        cli
        cmp     [pongs], ecx
        je      .open
        sti
        hlt
        jmp     .wait
.open:  sti
.next:  cmp     ecx, r11d
        jb      .ping
        cli
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        sub     rax, r12
        mov     [ticks], rax
        ret
.second:
        call    barrier2
        mov     r11d, [rounds]
        sti
.serve: cmp     [pings], r11d
        jae     .served
        cmp     dword [variant], 0
        je      .serve
        cli
        cmp     [pings], r11d
        jae     .served
        sti
        hlt
        jmp     .serve
.served:
        cli
.done:  ret

; barrier of CPUs 0 and 1
barrier2:
        lock inc dword [meeting]
.wait:  cmp     dword [meeting], 2
        jge     .met
        pause
        jmp     .wait
.met:   ret

ping:   push    rax
        inc     dword [pings]
        mov     dword [LAPIC + 0xb0], 0
        movzx   eax, byte [apic_ids]
        shl     eax, 24
        mov     [LAPIC + 0x310], eax
        mov     dword [LAPIC + 0x300], 0x4041
        pop     rax
        iretq
pong:   inc     dword [pongs]
        mov     dword [LAPIC + 0xb0], 0
        iretq

; --- job 3: a shootdown storm. CPU 0 moves the window between two frames while the others read and write it ---------
; variant bit 0: no IPI, bit 1: unmap in between, bit 2: write-protect and allow instead of moving, bit 3: no accesses
; of others until it is over (nothing can be stale)
shootdown:
        mov     rax, shootdown_cpu
        call    together
        mov     esi, .said
        call    print
        mov     eax, [acks]
        call    print_hex
        mov     rax, [accesses]
        call    print_hex
        mov     eax, [page_faults]
        call    print_hex
        jmp     print_end
.said:  db      "shootdown ", 0

shootdown_cpu:
        mov     rax, cr0
        or      eax, 0x10000            ; WP
        mov     cr0, rax
        call    barrier
        test    r15d, r15d
        jnz     .reader
        mov     r12d, [rounds]
        mov     r11d, [taking]
        dec     r11d                    ; acknowledgements a round
        mov     r10d, r11d
.round: test    dword [variant], 2
        jz      .move
        mov     dword [PT1], 0
        invlpg  [WINDOW]
        call    .tell
.move:  test    dword [variant], 4
        jnz     .protect
        mov     eax, FRAME_A | 0x63
        test    r12d, 1
        jz      .store
        mov     eax, FRAME_B | 0x63
.store: mov     [PT1], eax
        jmp     .moved
.protect:
        mov     eax, FRAME_A | 0x61
        mov     ecx, r12d
        and     ecx, 1
        lea     eax, [rax + rcx * 2]
        mov     [PT1], eax
.moved: invlpg  [WINDOW]
        call    .tell
        test    dword [variant], 4
        jnz     .unwritten
        inc     qword [WINDOW + 8]
.unwritten:
        dec     r12d
        jnz     .round
        mov     dword [stop], 1
        ret
.tell:  test    dword [variant], 1
        jnz     .told
        mov     dword [LAPIC + 0x300], 0xc4042
.acked: cmp     [acks], r10d
        je      .all
        pause
        jmp     .acked
.all:   add     r10d, r11d
.told:  ret
.reader:
        xor     r12d, r12d
        sti
.use:   cmp     dword [stop], 0
        jne     .over
        test    dword [variant], 8
        jnz     .use
        mov     rax, [WINDOW]
        inc     qword [WINDOW + 0x40 + r15 * 8]
        inc     r12
        jmp     .use
.over:  cli
        lock add [accesses], r12
        ret

flush:  invlpg  [WINDOW]
        lock inc dword [acks]
        mov     dword [LAPIC + 0xb0], 0
        iretq

; Of the window while it is unmapped or protected: tried again until it is not.
page_fault:
        lock inc dword [page_faults]
        sti
        pause
        add     rsp, 8
        iretq

; --- job 4: cross-modifying code (SDM 3A 8.1.3). variant 1: CPU 1 does not serialise, and sees old or new -----------
modify: mov     rax, modify_cpu
        call    together
        mov     esi, .said
        call    print
        mov     eax, [wrong]
        call    print_hex
        mov     eax, [seen_new]
        call    print_hex
        jmp     print_end
.said:  db      "modify ", 0

modify_cpu:
        cmp     r15d, 1
        ja      .done
        je      .runner
        mov     ecx, 1
.write: mov     [patched + 1], ecx      ; the immediate is aligned
        mov     [published], ecx
.wait:  cmp     [taken], ecx
        je      .next
        pause
        jmp     .wait
.next:  inc     ecx
        cmp     ecx, [rounds]
        jbe     .write
.done:  ret
.runner:
        mov     r12d, 1
.look:  cmp     [published], r12d
        je      .run
        cmp     dword [variant], 1
        jne     .look
        call    patched                 ; keeps the old code hot
        jmp     .look
.run:   cmp     dword [variant], 1
        je      .plain
        xor     eax, eax
        cpuid
.plain: mov     r11d, 1000000
.again: call    patched
        cmp     eax, r12d
        je      .right
        cmp     dword [variant], 1
        jne     .bad
        dec     r11d
        jnz     .again
.bad:   inc     dword [wrong]
.right: inc     dword [seen_new]
        mov     [taken], r12d
        inc     r12d
        cmp     r12d, [rounds]
        jbe     .look
        ret

        times   (3 - ($ - $$)) & 3 db 0x90
patched:
        mov     eax, 0
        ret
        align   64

; --- job 5: fairness. variant 0: ticket lock, 1: test-and-set; how often each CPU had it ----------------------------
fair:   mov     rax, fair_cpu
        call    together
        mov     esi, .said
        call    print
        xor     ecx, ecx
.cpu:   mov     eax, [turns_had + rcx * 4]
        call    print_hex
        inc     ecx
        cmp     ecx, [taking]
        jb      .cpu
        jmp     print_end
.said:  db      "fair ", 0

fair_cpu:
        call    barrier
.round: cmp     dword [variant], 0
        jne     .spin
        mov     eax, 1
        lock xadd [ticket], eax
.mine:  cmp     [serving], eax
        je      .have
        pause
        jmp     .mine
.spin:  mov     eax, 1
        xchg    [spinlock], eax
        test    eax, eax
        jz      .have
.held:  pause
        cmp     dword [spinlock], 0
        jne     .held
        jmp     .spin
.have:  mov     ecx, [total]
        cmp     ecx, [rounds]
        jae     .full
        inc     ecx
        mov     [total], ecx
        inc     dword [turns_had + r15 * 4]
        mov     ecx, 20
.inside:
        dec     ecx
        jnz     .inside
        call    .give
        mov     ecx, 20
.outside:
        dec     ecx
        jnz     .outside
        jmp     .round
.full:  call    .give
        ret
.give:  cmp     dword [variant], 0
        jne     .free
        inc     dword [serving]
        ret
.free:  mov     dword [spinlock], 0
        ret

; --- job 6: local APIC timer. variant bit 0: periodic, bit 1: busy instead of halting, bit 2: TSC-deadline (SDM 3A 10.5.4.1);
; number, low 24 bits: the count. Periodic: afterwards the interrupts are compared with the periods that have passed ---
timer:  mov     rax, timer_cpu
        call    together
        test    dword [variant], 1
        jz      .plain
        mov     esi, .lost
        call    print
        xor     ecx, ecx
.miss:  mov     eax, [timer_lost + rcx * 4]
        call    print_hex
        inc     ecx
        cmp     ecx, [taking]
        jb      .miss
        call    print_end
.plain: mov     esi, .said
        call    print
        xor     ecx, ecx
.cpu:   mov     eax, [timer_count + rcx * 4]
        call    print_hex
        mov     rax, [timer_ticks + rcx * 8]
        call    print_hex
        inc     ecx
        cmp     ecx, [taking]
        jb      .cpu
        jmp     print_end
.said:  db      "timer ", 0
.lost:  db      "lost ", 0

timer_cpu:
        call    barrier
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        mov     r12, rax
        mov     dword [LAPIC + 0x3e0], 11       ; divide by 1
        mov     eax, [variant]
        and     eax, 5                  ; bits 17-18: 0 one-shot, 1 periodic, 2 TSC-deadline
        mov     edx, eax
        shr     edx, 1
        or      eax, edx
        and     eax, 3
        shl     eax, 17
        or      eax, 0x43
        mov     [LAPIC + 0x320], eax
        mfence                          ; the LVT before the first deadline
.again: rdtsc
        shl     rdx, 32
        or      rax, rdx
        mov     r10, rax
        call    arm
        rdtsc                           ; the first period begins between the two
        mov     r11d, eax
        sub     r11d, r10d
        mov     ecx, [number]
        and     ecx, 0xffffff
        shr     ecx, 4
        test    dword [variant], 1
        jz      .armed
        cmp     r11d, ecx
        jbe     .armed
        mov     dword [LAPIC + 0x380], 0        ; the host did something else between them
        sti                             ; a tick of that may be waiting
        nop
        nop
        cli
        mov     dword [timer_count + r15 * 4], 0
        jmp     .again
.armed: sti
        mov     eax, [rounds]
.wait:  cmp     [timer_count + r15 * 4], eax
        jae     .done
        test    dword [variant], 2
        jnz     .wait
        hlt
        jmp     .wait
.done:  test    dword [variant], 1
        jz      .stop
        ; One that is late is not lost: at some moment there are as many interrupts as periods have passed.
        mov     r9d, 0x7fffffff
        mov     ecx, 10000
.look:  rdtsc
        shl     rdx, 32
        or      rax, rdx
        sub     rax, r10
        xor     edx, edx
        mov     r8d, [number]
        and     r8d, 0xffffff
        div     r8
        mov     edx, [timer_count + r15 * 4]
        sub     eax, edx
        cmp     eax, r9d
        jge     .more
        mov     r9d, eax
        test    eax, eax
        jle     .looked
.more:  hlt
        dec     ecx
        jnz     .look
.looked: mov    [timer_lost + r15 * 4], r9d
.stop:  cli
        mov     dword [LAPIC + 0x380], 0
        mov     dword [LAPIC + 0x320], 0x10043
        rdtsc
        shl     rdx, 32
        or      rax, rdx
        sub     rax, r12
        mov     [timer_ticks + r15 * 8], rax
        ret

tick:   push    rax
        inc     dword [timer_count + r15 * 4]
        test    dword [variant], 1
        jnz     .last
        mov     eax, [timer_count + r15 * 4]
        cmp     eax, [rounds]
        jae     .last
        test    dword [variant], 1
        jnz     .last
        call    arm
.last:  mov     dword [LAPIC + 0xb0], 0
        pop     rax
        iretq

arm:    test    dword [variant], 4
        jnz     .deadline
        mov     eax, [number]
        and     eax, 0xffffff
        mov     [LAPIC + 0x380], eax
        ret
.deadline:
        push    rcx
        push    rdx
        rdtsc
        mov     ecx, [number]
        and     ecx, 0xffffff
        add     eax, ecx
        adc     edx, 0
        mov     ecx, 0x6e0              ; IA32_TSC_DEADLINE
        wrmsr
        pop     rdx
        pop     rcx
        ret

; --- job 7: arithmetic, every CPU for itself ---------------------------------------------------------------------------
alu:    mov     esi, .began
        call    print
        mov     rax, alu_cpu
        call    together
        mov     esi, .ended
        call    print
        ret
.began: db      "B alu", 10, 0
.ended: db      "E alu", 10, 0

alu_cpu:
        call    barrier
        mov     ecx, [rounds]
        mov     eax, 0x12345678
        mov     edx, r15d
.round:
        %rep 8
        add     eax, edx
        rol     eax, 5
        xor     edx, eax
        imul    edx, edx, 77
        %endrep
        dec     ecx
        jnz     .round
        mov     [alu_results + r15 * 4], edx
        ret

; --- job 8: the CPUs are started one by one, in the order of the APIC IDs in `number`, four bits each -------------------
start_ordered:
        mov     r12d, [number]
        movzx   r11d, byte [wanted]
        dec     r11d
        mov     r10d, r11d
.init:  mov     eax, r12d               ; INIT to all of them first
        and     eax, 15
        shl     eax, 24
        mov     [LAPIC + 0x310], eax
        mov     dword [LAPIC + 0x300], 0x4500
        call    icr_idle
        ror     r12d, 4
        dec     r10d
        jnz     .init
        mov     r12d, [number]
.start: mov     eax, r12d
        and     eax, 15
        shl     eax, 24
        mov     [LAPIC + 0x310], eax
        mov     dword [LAPIC + 0x300], 0x4607
        call    icr_idle
        inc     r10d
.come:  cmp     [ready], r10d
        je      .here
        pause
        jmp     .come
.here:  ; A second SIPI to one that runs does nothing.
        mov     dword [LAPIC + 0x300], 0x4607
        call    icr_idle
        shr     r12d, 4
        cmp     r10d, r11d
        jb      .start
        jmp     first.here
finish_order:
        mov     esi, .said
        call    print
        xor     ecx, ecx
.cpu:   movzx   eax, byte [apic_ids + rcx]
        call    print_hex
        inc     ecx
        cmp     ecx, [count]
        jb      .cpu
        jmp     print_end
.said:  db      "order ", 0

; --- job 9: MONITOR and MWAIT; CPU 0 stores into the line CPU 1 waits for ---------------------------------------------
watch:
        mov     rax, watch_cpu
        call    together
        mov     esi, .said
        call    print
        mov     eax, [woken]
        call    print_hex
        jmp     print_end
.said:  db      "woken ", 0

watch_cpu:
        cmp     r15d, 1
        ja      .done
        je      .waiter
        mov     r12d, 1
.tell:  call    short_delay
        mov     [Y], r12d
.wait:  cmp     [woken], r12d
        je      .next
        pause
        jmp     .wait
.next:  inc     r12d
        cmp     r12d, [rounds]
        jbe     .tell
.done:  ret
.waiter:
        mov     r12d, 1
.sleep: mov     eax, Y
        xor     ecx, ecx
        xor     edx, edx
        monitor
        cmp     [Y], r12d
        je      .awake
        xor     eax, eax
        mwait
        cmp     [Y], r12d
        jne     .sleep
.awake: mov     [woken], r12d
        inc     r12d
        cmp     r12d, [rounds]
        jbe     .sleep
        ret

; --- job 10: NMIs to CPU 1, which halts with interrupts off ------------------------------------------------------------
nmi:    mov     rax, nmi_cpu
        call    together
        mov     esi, .said
        call    print
        mov     eax, [nmis]
        call    print_hex
        jmp     print_end
.said:  db      "nmis ", 0

nmi_cpu:
        cmp     r15d, 1
        ja      .done
        je      .halts
        mov     r12d, 1
.send:  movzx   eax, byte [apic_ids + 1]
        shl     eax, 24
        mov     [LAPIC + 0x310], eax
        mov     dword [LAPIC + 0x300], 0x4400
.wait:  cmp     [nmis], r12d
        je      .next
        pause
        jmp     .wait
.next:  inc     r12d
        cmp     r12d, [rounds]
        jbe     .send
.done:  ret
.halts: mov     eax, [rounds]
.halt:  cmp     [nmis], eax
        jae     .done
        hlt
        jmp     .halt

take_nmi:
        inc     dword [nmis]
        iretq

; --- job 11: data beside code that all run, and code that all rewrite ------------------------------------------------
smash:  mov     rax, smash_cpu
        call    together
        mov     esi, .said
        call    print
        mov     eax, [wrong]
        call    print_hex
        jmp     print_end
.said:  db      "smash ", 0

; Each CPU has a routine of its own in one page, patches it, calls it, and counts in a cell between the routines.
smash_cpu:
        call    barrier
        mov     r12d, [rounds]
        mov     edi, r15d
        shl     edi, 6
        add     edi, SMASH
        mov     byte [rdi], 0xb8        ; mov eax, imm32
        mov     byte [rdi + 5], 0xc3
        xor     ecx, ecx
.round: inc     ecx
        mov     [rdi + 1], ecx
        call    rdi
        cmp     eax, ecx
        je      .right
        lock inc dword [wrong]
.right: inc     dword [rdi + 16]
        mov     eax, [rdi + 16]
        cmp     eax, ecx
        je      .counted
        lock inc dword [wrong]
.counted:
        dec     r12d
        jnz     .round
        ret
SMASH           equ 0x500000

; --- job 12: one change of the window's page, used by CPU 1 before it has heard of it, exactly `rounds` times ----------
; variant 0: moved, 1: unmapped, 2: made read-only, 3: only allowed more, 4: accessed and dirty flags only
shot:   mov     rax, shot_cpu
        call    together
        mov     esi, .said
        call    print
        mov     rax, [accesses]
        call    print_hex
        jmp     print_end
.said:  db      "shot ", 0

shot_cpu:
        mov     rax, cr0
        or      eax, 0x10000
        mov     cr0, rax
        cmp     r15d, 1
        ja      .done
        je      .user
        cmp     dword [variant], 3
        jne     .warm
        mov     dword [PT1], FRAME_A | 0x61     ; read-only first
        invlpg  [WINDOW]
.warm:  mov     dword [published], 1
.w1:    cmp     dword [taken], 1
        je      .change
        pause
        jmp     .w1
.change:
        mov     eax, [variant]
        mov     eax, [shot_entries + rax * 4]
        mov     [PT1], eax
        mov     dword [published], 2
.w2:    cmp     dword [taken], 2
        je      .done
        pause
        jmp     .w2
.done:  ret
.user:  cmp     dword [published], 1
        je      .first
        pause
        jmp     .user
.first: mov     rax, [WINDOW]
        cmp     dword [variant], 3
        je      .reads
        mov     [WINDOW], rax
.reads: mov     dword [taken], 1
.u2:    cmp     dword [published], 2
        je      .uses
        pause
        jmp     .u2
.uses:  mov     ecx, [rounds]
.use:   mov     rax, [WINDOW + 16]
        inc     qword [accesses]
        dec     ecx
        jnz     .use
        invlpg  [WINDOW]
        mov     dword [taken], 2
        ret
align 4
shot_entries:
        dd      FRAME_B | 0x63, 0, FRAME_A | 0x61, FRAME_A | 0x63, FRAME_A | 3

; --- interrupts --------------------------------------------------------------------------------------------------------
make_idt:
        xor     ecx, ecx
.gate:  mov     eax, unexpected
        call    .set
        inc     ecx
        cmp     ecx, 256
        jb      .gate
        mov     esi, handlers
.next:  movzx   ecx, byte [rsi]
        jecxz   .done
        mov     eax, [rsi + 1]
        call    .set
        add     esi, 5
        jmp     .next
.done:  ret
.set:   mov     edx, ecx
        shl     edx, 4
        add     edx, IDT
        mov     [rdx], ax
        mov     word [rdx + 2], 8
        mov     word [rdx + 4], 0x8e00
        shr     eax, 16
        mov     [rdx + 6], ax
        mov     qword [rdx + 8], 0
        ret

handlers:
        db      2
        dd      take_nmi
        db      14
        dd      page_fault
        db      0x40
        dd      ping
        db      0x41
        dd      pong
        db      0x42
        dd      flush
        db      0x43
        dd      tick
        db      0xff
        dd      spurious
        db      0

spurious:
        iretq

unexpected:
        mov     esi, .said
        call    print
        mov     rax, [rsp]
        call    print_hex
        mov     rax, [rsp + 8]
        call    print_hex
        mov     rax, r15
        call    print_hex
        call    print_end
        mov     al, 1
        out     0xf4, al
        hlt
.said:  db      "unexpected ", 0

idtr:   dw      0xfff
        dq      IDT
IDT             equ 0x60000

; --- variables: those of different CPUs in different lines -----------------------------------------------------------
%macro cell 1
        align   64
%1      dq      0
%endmacro
        cell    arrived
        cell    ready
        cell    count
        cell    taking
        cell    generation
        cell    finished
        cell    work
        cell    meeting
        cell    pings
        cell    pongs
        cell    ticks
        cell    acks
        cell    accesses
        cell    page_faults
        cell    stop
        cell    published
        cell    taken
        cell    wrong
        cell    seen_new
        cell    ticket
        cell    serving
        cell    spinlock
        cell    total
        cell    woken
        cell    nmis
        align   64
apic_ids times MAX_CPUS db 0
        align   64
turns_had times MAX_CPUS dd 0
timer_count times MAX_CPUS dd 0
timer_ticks times MAX_CPUS dq 0
timer_lost times MAX_CPUS dd 0
alu_results times MAX_CPUS dd 0
        align   512
end:
