// Text of the firmware itself on the active page: static strings (UTF-16 in AssemblyScript's data), numbers.
import { teletype } from './video-text'

export function print(text: string): void {
  const at = changetype<usize>(text)
  const length = text.length
  for (let i = 0; i < length; i++) {
    const character: u32 = load<u16>(at + ((<usize>i) << 1))
    if (character == 10) teletype(13, 7)
    teletype(character, 7)
  }
}

export function printDecimal(value: u32): void {
  if (value >= 10) printDecimal(value / 10)
  teletype(48 + (value % 10), 7)
}

export function printHex(value: u32, digits: u32): void {
  for (let shift = <i32>(digits - 1) * 4; shift >= 0; shift -= 4) {
    const digit = (value >> shift) & 15
    teletype(digit < 10 ? 48 + digit : 55 + digit, 7)
  }
}
