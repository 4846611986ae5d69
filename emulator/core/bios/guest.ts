// The caller as a service sees it: registers, flags, memory.
import { cpu } from '../cpu/context'
import {
  CPU_CPL,
  CPU_MODE,
  CPU_RAX,
  CPU_RBP,
  CPU_RBX,
  CPU_RCX,
  CPU_RDI,
  CPU_RDX,
  CPU_RFLAGS,
  CPU_RSI,
  CPU_RSP,
  CPU_SEGMENTS,
  MODE_PAGING,
  SEG_SS,
  SEGMENT_BASE,
  SEGMENT_SELECTOR,
  SEGMENT_SIZE,
} from '../layout'
import { linearRead8, linearWrite8 } from '../memory/linear'
import {
  physicalRead8,
  physicalRead16,
  physicalRead32,
  physicalRead64,
  physicalWrite8,
  physicalWrite16,
  physicalWrite32,
  physicalWrite64,
} from '../memory/physical'
import { BDA } from './bda'

// ---------------------------------------------------------------------------------------------------------
// Registers

export function al(): u32 {
  return load<u8>(cpu, CPU_RAX)
}
export function ah(): u32 {
  return load<u8>(cpu, CPU_RAX + 1)
}
export function ax(): u32 {
  return load<u16>(cpu, CPU_RAX)
}
export function bl(): u32 {
  return load<u8>(cpu, CPU_RBX)
}
export function bh(): u32 {
  return load<u8>(cpu, CPU_RBX + 1)
}
export function bx(): u32 {
  return load<u16>(cpu, CPU_RBX)
}
export function cl(): u32 {
  return load<u8>(cpu, CPU_RCX)
}
export function ch(): u32 {
  return load<u8>(cpu, CPU_RCX + 1)
}
export function cx(): u32 {
  return load<u16>(cpu, CPU_RCX)
}
export function dl(): u32 {
  return load<u8>(cpu, CPU_RDX)
}
export function dh(): u32 {
  return load<u8>(cpu, CPU_RDX + 1)
}
export function dx(): u32 {
  return load<u16>(cpu, CPU_RDX)
}
export function si(): u32 {
  return load<u16>(cpu, CPU_RSI)
}
export function di(): u32 {
  return load<u16>(cpu, CPU_RDI)
}
export function bp(): u32 {
  return load<u16>(cpu, CPU_RBP)
}
export function sp(): u32 {
  return load<u16>(cpu, CPU_RSP)
}

export function setAl(value: u32): void {
  store<u8>(cpu, value, CPU_RAX)
}
export function setAh(value: u32): void {
  store<u8>(cpu, value, CPU_RAX + 1)
}
export function setAx(value: u32): void {
  store<u16>(cpu, value, CPU_RAX)
}
export function setBl(value: u32): void {
  store<u8>(cpu, value, CPU_RBX)
}
export function setBh(value: u32): void {
  store<u8>(cpu, value, CPU_RBX + 1)
}
export function setBx(value: u32): void {
  store<u16>(cpu, value, CPU_RBX)
}
export function setCx(value: u32): void {
  store<u16>(cpu, value, CPU_RCX)
}
export function setDx(value: u32): void {
  store<u16>(cpu, value, CPU_RDX)
}
export function setSi(value: u32): void {
  store<u16>(cpu, value, CPU_RSI)
}
export function setDi(value: u32): void {
  store<u16>(cpu, value, CPU_RDI)
}
export function setBp(value: u32): void {
  store<u16>(cpu, value, CPU_RBP)
}
/** 32-bit register at CPU_R.. */
export function register32(register: usize): u32 {
  return load<u32>(cpu + register)
}

/** Whole 32-bit register at CPU_R..; the upper half of the 64-bit one is cleared, as a 32-bit write does. */
export function setRegister32(register: usize, value: u32): void {
  store<u64>(cpu + register, value)
}

export function setCarry(on: bool): void {
  const flags = load<u64>(cpu, CPU_RFLAGS)
  store<u64>(cpu, on ? flags | 1 : flags & ~(<u64>1), CPU_RFLAGS)
}
export function setZero(on: bool): void {
  const flags = load<u64>(cpu, CPU_RFLAGS)
  store<u64>(cpu, on ? flags | 0x40 : flags & ~(<u64>0x40), CPU_RFLAGS)
}

// ---------------------------------------------------------------------------------------------------------
// Segments and memory

function segment(index: u32): usize {
  return cpu + CPU_SEGMENTS + index * SEGMENT_SIZE
}

export function selector(index: u32): u32 {
  return load<u16>(segment(index), SEGMENT_SELECTOR)
}

/** Gives a segment register a real-mode value. The limits stay: a program may have made them large (SDM 3A 20.1.1). */
export function setSelector(index: u32, value: u32): void {
  const s = segment(index)
  store<u16>(s, value, SEGMENT_SELECTOR)
  store<u64>(s, value << 4, SEGMENT_BASE)
}

/** Linear address of segment:offset. Past the 64 KiB it goes on upwards, as in firmware that copies with 32 bits. */
export function linear(index: u32, offset: u32): u64 {
  return load<u64>(segment(index), SEGMENT_BASE) + offset
}

// With paging on (a V86 monitor's guest) the accesses take the caller's translation and rights. A page fault stays
// pending; it is delivered in front of the firmware-call instruction, which then asks for the service again.
function paging(): bool {
  return (load<u32>(cpu, CPU_MODE) & MODE_PAGING) != 0
}
function user(): bool {
  return load<u32>(cpu, CPU_CPL) == 3
}

export function guestRead8(address: u64): u32 {
  return paging() ? linearRead8(address, user()) : physicalRead8(address)
}
export function guestRead16(address: u64): u32 {
  return guestRead8(address) | (guestRead8(address + 1) << 8)
}
export function guestRead32(address: u64): u32 {
  return guestRead16(address) | (guestRead16(address + 2) << 16)
}
export function guestRead64(address: u64): u64 {
  return <u64>guestRead32(address) | ((<u64>guestRead32(address + 4)) << 32)
}
export function guestWrite8(address: u64, value: u32): void {
  if (paging()) linearWrite8(address, <u8>value, user())
  else physicalWrite8(address, <u8>value)
}
export function guestWrite16(address: u64, value: u32): void {
  guestWrite8(address, value)
  guestWrite8(address + 1, value >> 8)
}
export function guestWrite32(address: u64, value: u32): void {
  guestWrite16(address, value)
  guestWrite16(address + 2, value >> 16)
}
export function guestWrite64(address: u64, value: u64): void {
  guestWrite32(address, <u32>value)
  guestWrite32(address + 4, <u32>(value >> 32))
}

/** Copies from the host's side of the memory into the guest's. */
export function guestWriteBlock(address: u64, source: usize, length: u32): void {
  let done: u32 = 0
  if (!paging()) {
    for (; done + 8 <= length; done += 8) physicalWrite64(address + done, load<u64>(source + done))
  }
  for (; done < length; done++) guestWrite8(address + done, load<u8>(source + done))
}

/** Copies from the guest's memory to the host's side. */
export function guestReadBlock(target: usize, address: u64, length: u32): void {
  let done: u32 = 0
  if (!paging()) {
    for (; done + 8 <= length; done += 8) store<u64>(target + done, physicalRead64(address + done))
  }
  for (; done < length; done++) store<u8>(target + done, guestRead8(address + done))
}

/** Word `index` above the stack pointer: IP, CS, FLAGS of the INT that led here are 0, 1, 2. */
export function stackWord(index: u32): u32 {
  return guestRead16(linear(SEG_SS, (sp() + index * 2) & 0xffff))
}

// ---------------------------------------------------------------------------------------------------------
// BIOS data area, offsets from bda.ts

export function bda8(offset: u32): u32 {
  return physicalRead8(BDA + offset)
}
export function bda16(offset: u32): u32 {
  return physicalRead16(BDA + offset)
}
export function bda32(offset: u32): u32 {
  return physicalRead32(BDA + offset)
}
export function setBda8(offset: u32, value: u32): void {
  physicalWrite8(BDA + offset, <u8>value)
}
export function setBda16(offset: u32, value: u32): void {
  physicalWrite16(BDA + offset, <u16>value)
}
export function setBda32(offset: u32, value: u32): void {
  physicalWrite32(BDA + offset, value)
}
