// The system architecture as guests see it, each expectation citing its manual section (the .asm files). The same
// ROMs run on QEMU by hand; README.md has the differences.
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import * as L from '../../layout'
import { assemble, runRom } from './guest'

const nasm = (() => {
  try {
    execFileSync('nasm', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe.skipIf(!nasm)('system tests', () => {
  it.each(['real', 'control', 'protected', 'long'])('%s', (name) => {
    const { lines, stopReason } = runRom(assemble(name))
    expect(lines.filter((line) => !line.startsWith('ok '))).toEqual([expect.stringMatching(/^DONE [0-9A-F]{8} 0{8}$/)])
    expect(stopReason).toBe(L.STOP_DEBUG_EXIT)
  })
})
