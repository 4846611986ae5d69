#!/bin/sh
# Builds bench64.img and bench32.img here: NASM, GCC (with -m32) and binutils. S: how long each row runs (default 1).
set -e
cd "$(dirname "$0")"
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
FLAGS="-O2 -ffreestanding -nostdlib -fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables
  -fcf-protection=none -fno-tree-loop-distribute-patterns -fno-tree-vectorize -mgeneral-regs-only -DNOFPU -Wno-main"
for bits in 64 32; do
  if [ $bits = 64 ]; then arch="-m64 -mno-red-zone"; define=-DBITS64=1; ld=elf_x86_64; elf=elf64
  else arch="-m32 -march=i686"; define=; ld=elf_i386; elf=elf32; fi
  gcc $arch $FLAGS -DS=${S:-1} -c bench.c -o "$OUT/bench.o"
  nasm -f $elf -DNOFPU=1 $define boot.asm -o "$OUT/boot.o"
  ld -m $ld -n -z noexecstack --no-warn-rwx-segments -T link.ld -nostdlib "$OUT/boot.o" "$OUT/bench.o" -o "$OUT/bench.elf"
  objcopy -O binary "$OUT/bench.elf" "$OUT/bench.bin"
  sectors=$((($(stat -c %s "$OUT/bench.bin") + 511) / 512))
  nasm -f bin -DNSECT=$sectors disk.asm -o "$OUT/mbr.bin"
  cat "$OUT/mbr.bin" "$OUT/bench.bin" > "bench$bits.img"
  truncate -s $(((sectors + 1) * 512)) "bench$bits.img"
done
