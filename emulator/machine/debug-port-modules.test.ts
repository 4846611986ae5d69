// The C header and the Rust module of the debug port (assets/debug-port): that they compile, and that what a kernel says
// through the Rust one arrives. Seedling says its own through the C header. Skipped where there is no compiler.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import * as L from '../core/layout'
import { openDirectBoot } from '../firmware/direct-boot/files'
import { defaultConfig, type Machine, MIB } from './api'
import { createMachine } from './machine'

const SOURCE = fileURLToPath(new URL('../../assets/debug-port/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'ringside-debug-port-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const runs = (command: string) => spawnSync(command, ['--version']).status === 0

test.each(['ringside.h', 'ringside.rs'])('%s has at most 60 lines', (name) => {
  expect(readFileSync(join(SOURCE, name), 'utf8').split('\n').length - 1).toBeLessThanOrEqual(60)
})

test.skipIf(!runs('gcc')).each([
  ['C11, 64 bits', ['-xc', '-std=c11', '-m64']],
  ['C11, 32 bits', ['-xc', '-std=c11', '-m32']],
  ['C++17', ['-xc++', '-std=c++17', '-m64']],
])('the header is clean as %s', (_name, args) => {
  const options = ['-ffreestanding', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-O2', '-S', '-o', '-']
  const main =
    '#include "ringside.h"\nint main(void) { ringside_allocate(1, 2, 3, 4); ringside_task(5, "x", 1); return ringside_present(); }\n'
  const { status, stderr, stdout } = spawnSync('gcc', [...args, ...options, '-I', SOURCE, '-'], {
    input: main,
    encoding: 'utf8',
  })
  // No compiler for that language, or no headers for that width, is no fault of the header's.
  if (/cannot execute|cc1plus|sorry, unimplemented|gnu\/stubs-32/.test(stderr)) return
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(stdout.match(/\boutl\b/g)).toHaveLength(2)
})

/** By the command in the head of example.rs. */
function buildExample(output: string) {
  const source = readFileSync(join(SOURCE, 'example.rs'), 'utf8')
  const command = /^\/\/! {5}(rustc[\s\S]*?example\.rs)$/m.exec(source)![1]!
  const line = command.replace(/\\\n\/\/!\s*/g, '').replace('-o example.elf', `-o '${output}'`)
  return spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd: SOURCE })
}

test.skipIf(!runs('rustc'))(
  'what a kernel says through the Rust module arrives',
  { timeout: 60_000 },
  async () => {
    const kernel = join(folder, 'example.elf')
    const built = buildExample(kernel)
    // A rustc without its own linker cannot make a kernel; the module has compiled then all the same.
    if (/linker `rust-lld` not found/.test(built.stderr)) return
    expect(built.stderr).toBe('')
    expect(built.status).toBe(0)

    const machine: Machine = await createMachine({
      ...defaultConfig(),
      memory: 4 * MIB,
      direct: openDirectBoot(kernel, [], ''),
    })
    try {
      machine.memory.setHeader32(L.HDR_EVENT_CLASSES, L.EVENT_CLASS_GUEST)
      machine.run()
      const end = await machine.whenStopped()
      expect(end).toMatchObject({ reason: 'debug-exit', value: 0x10 })
      expect(said(machine)).toEqual([
        { event: 3, c: 4n, s: 7n, d: 0n, name: 'rust' },
        { event: 1, b: 0x12345000n, c: 4096n, s: 0n, d: 0xffff800000001234n },
        { event: 2, b: 0xffff800012345678n, c: 0n, s: 7n, d: 0n },
        {
          event: 4,
          c: 45n,
          s: 1n,
          d: 0xffffffffffffffffn,
          name: 'an event with a name longer than twenty bytes',
        },
        { event: 5, c: 4n, s: 42n, d: 0n, name: 'idle' },
      ])
    } finally {
      await machine.dispose()
    }
  },
)

/** The events of the guest in CPU 0's ring (docs/debug-port.md, last section); a name's address is not told. */
function said({ memory }: Machine) {
  const events: { event: number; b?: bigint; c: bigint; s: bigint; d: bigint; name?: string }[] = []
  for (let i = 0; i < Number(memory.cpu64(0, L.CPU_EVENTS_NEXT)); i++) {
    const at = memory.cpuBlock(0) + L.CPU_EVENTS + (i % L.EVENT_COUNT) * L.EVENT_SIZE
    const [a, b, c] = [
      memory.view.getUint32(at + L.EVENT_A, true),
      memory.view.getBigUint64(at + L.EVENT_B, true),
      memory.view.getBigUint64(at + L.EVENT_C, true),
    ]
    const last = events.at(-1)
    switch (memory.view.getUint16(at + L.EVENT_KIND, true)) {
      case L.EVENT_KIND_GUEST:
        events.push(a >= 3 ? { event: a, c, s: 0n, d: 0n, name: '' } : { event: a, b, c, s: 0n, d: 0n })
        break
      case L.EVENT_KIND_GUEST_MORE:
        Object.assign(last!, { s: b, d: c })
        break
      case L.EVENT_KIND_GUEST_NAME: {
        const piece = Buffer.from(memory.u8.slice(at + L.EVENT_A, at + L.EVENT_A + 4))
        const rest = Buffer.alloc(16)
        rest.writeBigUInt64LE(b, 0)
        rest.writeBigUInt64LE(c, 8)
        last!.name += Buffer.concat([piece, rest]).toString('latin1').replace(/\0+$/, '')
      }
    }
  }
  return events
}
