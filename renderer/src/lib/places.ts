// What people type when they mean an address: hexadecimal digits, a register, a table, a sum of these.
import type { CpuSnapshot, MemorySpace } from '../../../preload/bridge'

export interface Place {
  address: bigint
  /** Where the address counts; CR3 and frames are guest-physical. */
  space: MemorySpace
}

const REGISTERS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']

/**
 * `rsp+20`, `ffff8000_0031fef8`, `0x7c00`, `idt`, `cr3`, `b800:0`. Numbers are hexadecimal. Names that no register has are
 * for `symbol` to know.
 * @returns undefined when it is none of these
 */
export function placeOf(
  text: string,
  cpu: CpuSnapshot | undefined,
  symbol: (name: string) => bigint | undefined = () => undefined,
): Place | undefined {
  const typed = text.trim().replace(/[_\u202f]/g, '')
  const far = /^([0-9a-f]{1,4}):([0-9a-f]{1,8})$/i.exec(typed)
  if (far) return { address: BigInt(`0x${far[1]}`) * 16n + BigInt(`0x${far[2]}`), space: 'linear' }
  const parts = typed.split(/([+-])/).map((part) => part.trim())
  let place: Place | undefined
  for (let i = 0; i < parts.length; i += 2) {
    const value = termOf(parts[i]!, cpu, symbol)
    if (!value) return undefined
    const sign = parts[i - 1] === '-' ? -1n : 1n
    place = place
      ? { address: BigInt.asUintN(64, place.address + sign * value.address), space: place.space }
      : value
  }
  return place
}

function termOf(
  text: string,
  cpu: CpuSnapshot | undefined,
  symbol: (name: string) => bigint | undefined,
): Place | undefined {
  const linear = (address: bigint | undefined): Place | undefined =>
    address === undefined ? undefined : { address: BigInt.asUintN(64, address), space: 'linear' }
  const name = text.toLowerCase()
  const register = cpu && registerOf(name, cpu)
  if (register) return register
  const digits = /^(?:0x)?([0-9a-f]{1,16})h?$/i.exec(text.replace(/\s/g, ''))
  // `add` and `dead` are numbers here; a symbol of that name is found by the list of symbols.
  if (digits) return linear(BigInt(`0x${digits[1]}`))
  return linear(symbol(text))
}

function registerOf(name: string, cpu: CpuSnapshot): Place | undefined {
  const linear = (address: bigint): Place => ({ address, space: 'linear' })
  switch (name) {
    case 'rip':
    case 'eip':
    case 'ip':
      return linear(cpu.ripLinear)
    case 'gdt':
    case 'gdtr':
      return linear(cpu.gdtr.base)
    case 'idt':
    case 'idtr':
      return linear(cpu.idtr.base)
    case 'ldt':
      return linear(cpu.segments.ldtr.base)
    case 'tss':
      return linear(cpu.segments.tr.base)
    case 'cr2':
      return linear(cpu.cr2)
    case 'cr3':
      return { address: cpu.cr3 & 0xf_ffff_ffff_f000n, space: 'physical' }
    case 'stack':
      return linear(stackOf(cpu))
  }
  const general = /^([re]?)([a-ds][xpi])$/.exec(name)
  const index = general ? REGISTERS.indexOf(general[2]!) : -1
  if (general && index >= 0) {
    const bits = general[1] === 'r' ? 64 : general[1] === 'e' ? 32 : 16
    return linear(BigInt.asUintN(bits, cpu.gpr[index]!))
  }
  const numbered = /^r(8|9|1[0-5])$/.exec(name)
  return numbered ? linear(cpu.gpr[Number(numbered[1])]!) : undefined
}

/** Linear address of the top of the stack. */
export function stackOf(cpu: CpuSnapshot): bigint {
  if (cpu.bits === 64) return cpu.gpr[4]!
  return cpu.segments.ss.base + (cpu.gpr[4]! & (cpu.segments.ss.big ? 0xffff_ffffn : 0xffffn))
}

/**
 * What somebody looks for: `"text"`, bytes as pairs of digits (`55 aa`), or a number (`0x1234`: as few bytes as a
 * processor would store it in, low first). Anything else is text.
 */
export function patternOf(text: string): Uint8Array | undefined {
  const typed = text.trim()
  if (typed === '') return undefined
  const quoted = /^"(.*)"?$/.exec(typed)
  if (quoted) {
    const content = quoted[1]!.replace(/"$/, '')
    return content === '' ? undefined : new TextEncoder().encode(content)
  }
  if (/^([0-9a-f]{2})(\s+[0-9a-f]{2})+$/i.test(typed))
    return Uint8Array.from(typed.split(/\s+/), (pair) => Number.parseInt(pair, 16))
  const number = /^0x([0-9a-f]{1,16})$|^([0-9][0-9a-f]{0,15})h$/i.exec(typed)
  if (number) {
    const digits = number[1] ?? number[2]!
    const needed = Math.ceil(digits.length / 2)
    const size = [1, 2, 4, 8].find((each) => each >= needed)!
    const value = BigInt(`0x${digits}`)
    return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
  }
  return new TextEncoder().encode(typed)
}
