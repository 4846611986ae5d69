// Runs a system test (harness.inc) on the core: the ROM is assembled with NASM when it is asked for.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as L from '../../layout'
import { TestCore } from '../../testing/core'

const here = dirname(fileURLToPath(import.meta.url))

/** Instructions after which a test is taken to hang. */
const LIMIT = 10_000_000n
const RUN_BUDGET = 0
const RUN_HALTED = 1
const NEVER = 0xffff_ffff_ffff_ffffn

interface RunExports {
  machinePowerOn(): void
  run(instructions: bigint): number
  haltedUntil(): bigint
  haltSkipTo(time: bigint): void
}

export interface GuestRun {
  core: TestCore
  /** STOP_*, STOP_NONE when it hung. */
  stopReason: number
  /** Lines of the debug console. */
  lines: string[]
}

/**
 * Assembles emulator/core/tests/system/`name`.asm.
 * @throws Error with NASM's messages; NASM is in every Linux distribution's `nasm` package
 */
export function assemble(name: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-system-'))
  const rom = join(folder, 'rom')
  try {
    execFileSync('nasm', ['-f', 'bin', '-Wall', '-Werror', '-o', rom, `${name}.asm`], {
      cwd: here,
      stdio: 'pipe',
    })
    return new Uint8Array(readFileSync(rom))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Power-on with `rom` in the last bytes below 1 MiB and 4 GiB, and run to the end. */
export function runRom(rom: Uint8Array): GuestRun {
  const core = new TestCore()
  const exports = core.exports as unknown as RunExports
  core.u8.set(rom, L.ROM + L.ROM_SIZE - rom.length)
  exports.machinePowerOn()
  let text = ''
  for (let done = 0n; done < LIMIT; done += 10_000n) {
    const result = exports.run(10_000n)
    text += new TextDecoder().decode(Uint8Array.from(core.takeOutput(L.RING_DEBUGCON)))
    const until = BigInt.asUintN(64, exports.haltedUntil())
    if (result === RUN_HALTED && until !== NEVER) exports.haltSkipTo(until)
    else if (result !== RUN_BUDGET) break
  }
  return {
    core,
    stopReason: core.header32(L.HDR_STOP_REASON),
    lines: text.split('\n').filter((line) => line),
  }
}
