//! A whole kernel that does nothing but use the debug port's Rust module: by Multiboot to long mode, with the first 2 MiB
//! mapped to themselves, then Rust; it ends at isa-debug-exit. No crate and no target but the host's is needed:
//!
//!     rustc --edition 2021 -O -C panic=abort -C relocation-model=static -C linker=rust-lld -C linker-flavor=ld.lld \
//!         -C link-args="-nostdlib -static --image-base=0x100000 -e start" -o example.elf example.rs
//!     ./ringside run example.elf; echo $?          # 33: Ringside is there; 65: it is not
#![no_std]
#![no_main]
mod ringside;

core::arch::global_asm!(
    r#"
.section .boot, "ax"
.code32
    .long 0x1BADB002, 0, -0x1BADB002
.global start
start:
    movl $0x80000, %esp
    movl $0x71007, 0x70000          // PML4, PDPT, and a page of 2 MiB
    movl $0x72007, 0x71000
    movl $0x87, 0x72000
    movl $0x70000, %eax
    movl %eax, %cr3
    movl $0x20, %eax                // PAE
    movl %eax, %cr4
    movl $0xC0000080, %ecx          // EFER.LME
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    lgdt table
    ljmp $8, $wide
.code64
wide:
    call main
    hlt
    .align 8
gdt:
    .quad 0, 0x00209A0000000000
table:
    .word 15
    .quad gdt
"#,
    options(att_syntax)
);

#[no_mangle]
extern "C" fn main() {
    let code: u8 = if ringside::present() { 0x10 } else { 0x20 };
    ringside::pool(7, "rust");
    ringside::allocate(ringside::FRAMES, 0x12345000, 4096, 0xFFFF_8000_0000_1234);
    ringside::free(7, 0xFFFF_8000_1234_5678, 0, 0);
    ringside::named("an event with a name longer than twenty bytes", 1, u64::MAX);
    ringside::task(42, "idle");
    unsafe { core::arch::asm!("out 0xF4, al", in("al") code) };
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
