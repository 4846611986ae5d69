// The rows of the bare-metal benchmark (assets/guests/bench) and what they say on COM1.

/** What each row computes, as QEMU 7.2 does: the same in 64 and 32 bits. */
export const CHECKSUMS: Record<string, number> = {
  'a1-sieve': 0xe5f98,
  'a2-crc32': 0x10,
  'a3-sha256': 0xbc1b8e68,
  'a4-alu64': 0xdb7254bf,
  'a5-collatz': 0x15e03a7,
  'b1-chase-page': 1,
  'b2-chase-line': 1,
  'c1-copy-words': 0x400,
  'c2-rep-movsd': 0,
  'c3-rep-movsb': 0,
  'c4-rep-stosd': 0,
  'd1-fib24': 0x71340,
  'd2-interp-icall': 0xe97ded88,
  'd3-interp-goto': 0xed2761a,
  'e1-mm-packed': 0xccdb2,
  'e2-mm-scalar': 0xccdb2,
  'e3-x87': 0xc48,
  'f1-map-invlpg': 0x7a333810,
  'f2-cr3-flush': 0x8d40bd00,
  'g1-int3': 0x7a120,
  'g2-pagefault': 0x493e0,
  'g3-timer-hlt': 1,
  'h1-smc-imm': 0x5076adb8,
  'h2-smc-jit16': 0x913b4900,
  'h3-smc-samepage': 0x2a0fdd10,
  'i1-out80': 0xf4240,
  'i2-in3fd': 0,
  'j1-vga-text': 0x1f4,
}

/** Rows that halt: the clock they count by is skipped, not executed. */
export const IDLE = new Set(['g3-timer-hlt'])

/** A row's name at its begin. The first line stands behind what a firmware wrote to the same port. */
export function rowBegins(line: string): boolean {
  return /(?:^|\s)B [a-j]\d-/.test(line)
}

export interface RowEnd {
  name: string
  /** Of the guest's TSC, which counts instructions on this machine. */
  ticks: number
  correct: boolean
}

export function rowEnds(line: string): RowEnd | undefined {
  const [, name, ticks, checksum] = /(?:^|\s)E (\S+) n=\S+ tsc=(\S+) chk=(\S+)/.exec(line) ?? []
  if (name === undefined || !Object.hasOwn(CHECKSUMS, name)) return undefined
  return {
    name,
    ticks: Number.parseInt(ticks!, 16),
    correct: Number.parseInt(checksum!, 16) === CHECKSUMS[name],
  }
}
