// node tools/seedling-peers.mjs [--boots N] [--cpus LIST] [--on qemu,bochs,ringside] [--line BOOTLINE] [--faults] [--image FILE]
//
// Boots Seedling's self-test on the emulators that are installed, and says how each run ended. For people who change
// the kernel; the project's own tests need none of this (emulator/machine/seedling.test.ts).
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './paths.mjs'

const { values } = parseArgs({
  options: {
    boots: { type: 'string', default: '1' },
    cpus: { type: 'string', default: '1,2,3,4' },
    on: { type: 'string', default: 'qemu,bochs,ringside' },
    line: { type: 'string', default: 'run=selftest panic=off' },
    faults: { type: 'boolean', default: false },
    timeout: { type: 'string', default: '300' },
    image: { type: 'string', default: join(root, 'assets/guests/seedling/seedling.img') },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'seedling-peers-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/**
 * What a fault must make the guest say, with one CPU and with several, and how the machine ends.
 * @type {Record<string, { says: string, saysWithOthers?: string, ends?: string }>}
 */
const FAULTS = JSON.parse(readFileSync(join(root, 'assets/guests/seedling/faults.json'), 'utf8'))

/** The image with a boot line of its own. @param {string} line */
function image(line) {
  const bytes = readFileSync(values.image)
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  const path = join(folder, 'disk.img')
  writeFileSync(path, bytes)
  return path
}

/** @param {string} disk @param {number} cpus @param {number} port */
function bochsrc(disk, cpus, port) {
  const path = join(folder, 'bochsrc')
  const lines = [
    'plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1',
    'display_library: rfb, options="timeout=0"',
    'megs: 64',
    `cpu: model=corei7_haswell_4770, count=${cpus}, ips=50000000, reset_on_triple_fault=0`,
    'romimage: file=/usr/share/bochs/BIOS-bochs-latest',
    'vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest',
    'ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14',
    `ata0-master: type=disk, path=${disk}, mode=flat, cylinders=1, heads=16, spt=63`,
    'boot: disk',
    'clock: sync=none',
    `com1: enabled=1, mode=socket-server, dev=127.0.0.1:${port}`,
    `log: ${join(folder, 'bochs.log')}`,
    'panic: action=fatal',
    'error: action=ignore',
    'info: action=ignore',
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  writeFileSync(join(folder, 'go'), 'c\n')
  return path
}

/** @param {string} peer @param {string} disk @param {number} cpus @param {number} port @returns {[string, string[]]} */
function command(peer, disk, cpus, port) {
  if (peer === 'qemu') {
    const drive = `file=${disk},format=raw,if=ide`
    return [
      'qemu-system-x86_64',
      [
        '-m',
        '64',
        '-smp',
        String(cpus),
        '-drive',
        drive,
        '-serial',
        'stdio',
        '-display',
        'none',
        '-monitor',
        'none',
        '-no-reboot',
      ],
    ]
  }
  if (peer === 'bochs') return ['bochs', ['-q', '-f', bochsrc(disk, cpus, port), '-rc', join(folder, 'go')]]
  return [join(root, 'ringside'), ['run', disk, '--smp', String(cpus), '--memory', '64M', '--no-pace']]
}

/** How long a guest that has said everything may take to switch the machine off. */
const PATIENCE = 30_000

/**
 * Boots, and is content when the guest has said what is expected and then ended the emulator: by power-off, or by a triple
 * fault (QEMU is told to end at one, Bochs does).
 * @param {string} peer @param {string} line @param {number} cpus @param {RegExp} expected
 * @returns {Promise<{ wrong: string | undefined, seconds: number, text: string }>}
 */
async function boot(peer, line, cpus, expected) {
  const port = 20000 + Math.floor(Math.random() * 20000)
  const [name, args] = command(peer, image(line), cpus, port)
  const start = Date.now()
  const child = spawn(name, args, { stdio: ['ignore', peer === 'bochs' ? 'ignore' : 'pipe', 'ignore'] })
  let text = ''
  /** @type {string | undefined} */
  const wrong = await new Promise((resolve) => {
    let heard = false
    /** @param {Buffer} data */
    const hear = (data) => {
      text += data.toString('latin1')
      if (/SEEDLING-FAILED/.test(text)) setTimeout(() => resolve('a test failed'), 200)
      if (heard || !expected.test(text)) return
      heard = true
      setTimeout(() => resolve('it did not switch itself off'), PATIENCE).unref()
    }
    child.stdout?.on('data', hear)
    child.on('error', (error) => resolve(error.message))
    // What is still in the pipe or socket comes first.
    child.on('close', () =>
      setTimeout(() => resolve(expected.test(text) ? undefined : 'it ended without having said it'), 300),
    )
    setTimeout(() => resolve('time is over'), Number(values.timeout) * 1000).unref()
    if (peer !== 'bochs') return
    const dial = () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('data', hear)
      socket.on('error', () => child.exitCode === null && setTimeout(dial, 200))
    }
    dial()
  })
  child.kill('SIGKILL')
  return { wrong, seconds: (Date.now() - start) / 1000, text }
}

/** @param {number} cpus @returns {{ line: string, expected: RegExp, what: string }[]} */
function jobs(cpus) {
  if (!values.faults)
    return Array.from({ length: Number(values.boots) }, (_, i) => ({
      line: values.line,
      expected: /SEEDLING-OK/,
      what: `boot ${i + 1}`,
    }))
  return Object.entries(FAULTS).map(([kind, { says, saysWithOthers, ends }]) => ({
    line: `run=fault,${kind};off panic=off timer=pit`,
    // A machine that goes on after a triple fault would say that it switches itself off, or start again.
    expected: new RegExp(`${(cpus > 1 && saysWithOthers) || says}${ends ? '\\s*$' : ''}`),
    what: kind,
  }))
}

let failed = 0
for (const peer of values.on.split(',')) {
  if (
    peer !== 'ringside' &&
    spawnSync('sh', ['-c', `command -v ${peer === 'qemu' ? 'qemu-system-x86_64' : peer}`]).status !== 0
  ) {
    console.log(`${peer} is not installed`)
    continue
  }
  for (const cpus of values.cpus.split(',').map(Number))
    for (const { line, expected, what } of jobs(cpus)) {
      const { wrong, seconds, text } = await boot(peer, line, cpus, expected)
      console.log(
        `${wrong ? 'FAILED' : 'ok    '} ${peer}, ${cpus} CPU(s), ${what}, ${seconds.toFixed(1)} s${wrong ? `: ${wrong}` : ''}`,
      )
      if (!wrong) continue
      failed++
      const lines = text.split('\n')
      console.log(
        [...lines.slice(0, -12).filter((line) => /FAILED|BUG|PANIC/.test(line)), ...lines.slice(-12)].join(
          '\n',
        ),
      )
    }
}
console.log(failed ? `${failed} failed` : 'all good')
process.exitCode = failed ? 1 : 0
