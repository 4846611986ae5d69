// node tools/endurance.mjs [linux|deterministic|timers|litmus|fuzz]...
//     [--kernel FILE --initrd FILE --disk FILE] [--boots N] [--cpus LIST] [--schedules LIST]   (LIST may be empty)
//
// The long forms of tests that `npm test` runs short: ten boots of a Linux of yours in a row and every number of CPUs
// under both schedules; 200 deterministic runs of each SMP guest with equal hashes; a million timer interrupts on each CPU;
// litmus tests until store buffering is seen; ten million accesses to devices. Each takes minutes. Exit status 1 when
// something is not as it must be. The Linux wants an initramfs whose init says CPUS-ONLINE n, DATA-DISK-RW-OK and
// SELFTEST-OK and powers off when the command line says "selftest".
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bin, root } from './paths.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: 'string' },
    initrd: { type: 'string' },
    disk: { type: 'string' },
    boots: { type: 'string', default: '10' },
    cpus: { type: 'string', default: '1,2,4' },
    schedules: { type: 'string', default: 'deterministic,parallel' },
  },
})

/** What a kernel says when it does not like the machine. */
const COMPLAINTS = [
  /\b(ACPI|APIC|IOAPIC|IO-APIC|x2apic|MP-BIOS|TSC|tsc|HPET|hpet|PCI|pci|clocksource|calibrat\w*|time)\b.*\b(error|bug|fail\w*|unstable|warn\w*|invalid|bad|cannot|skew\w*|wrong|drop\w*|unexpected|spurious|lost|broken|mismatch\w*|stuck)/i,
  /firmware bug/i,
  /\bWARNING: CPU/,
  /soft lockup|rcu.*(stall|starved)|hung task|call trace|nobody cared|watchdog:/i,
]
/**
 * Said on every PC of this kind, QEMU's i440FX included: extended configuration space is of PCI Express; there are no
 * performance counters for the watchdog; and advice that every PC with ACPI gets.
 */
const KNOWN =
  /fail to add MMCONFIG information|Perf NMI watchdog permanently disabled|use "pci=nocrs" and report a bug/

let failures = 0

/** @param {string} what @param {boolean} right @param {string} [more] */
function tell(what, right, more = '') {
  if (!right) failures++
  process.stdout.write(`${right ? ' ok ' : 'NOT '} ${what}${more ? `: ${more}` : ''}\n`)
}

/** @param {number} cpus @param {string} schedule @param {string} name */
async function bootLinux(cpus, schedule, name) {
  const began = performance.now()
  const args = ['run', values.disk, '--kernel', values.kernel, '--initrd', values.initrd]
  args.push('--append', 'console=ttyS0 selftest', '--memory', '512M', '--timeout', '1200', '--no-pace')
  args.push('--smp', String(cpus), '--schedule', schedule, '--stats', 'json')
  const { status, out, err } = await ringside(args)
  const wanted = [`CPUS-ONLINE ${cpus}`, 'DATA-DISK-RW-OK', 'SELFTEST-OK']
  const lines = out.split(/\r?\n/)
  const missing = wanted.filter((text) => !lines.includes(text))
  const complaints = lines.filter((line) => COMPLAINTS.some((one) => one.test(line)) && !KNOWN.test(line))
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  const wrong = [
    ...(status === 0 ? [] : [`exit status ${status}`, err.trim()]),
    ...missing.map((text) => `never said ${text}`),
    ...complaints.map((line) => `complained: ${line}`),
  ]
  tell(`${name} (${seconds} s)`, wrong.length === 0, wrong.join('\n       '))
}

/** @param {(string | undefined)[]} args @returns {Promise<{ status: number | null, out: string, err: string }>} */
function ringside(args) {
  return new Promise((resolve, reject) => {
    const list = [join(root, 'tools/ringside.mjs'), ...args.map(String)]
    const child = spawn(process.execPath, list, { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (bytes) => {
      out += bytes
    })
    child.stderr.on('data', (bytes) => {
      err += bytes
    })
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, out, err }))
  })
}

async function linux() {
  if (!values.kernel || !values.initrd || !values.disk) {
    tell('linux', false, 'wants --kernel, --initrd and --disk')
    return
  }
  for (const schedule of values.schedules.split(','))
    for (const cpus of values.cpus.split(',').filter(Boolean).map(Number))
      await bootLinux(cpus, schedule, `Linux, ${cpus} CPUs, ${schedule}`)
  for (let boot = 1; boot <= Number(values.boots); boot++)
    await bootLinux(4, 'parallel', `Linux, 4 CPUs, parallel, boot ${boot} of ${values.boots}`)
}

/** Unit tests in their long form. @param {string} what @param {string[]} files @param {Record<string, string>} wishes */
function tests(what, files, wishes) {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(bin('vitest'), ['run', '--maxWorkers=1', ...files], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...wishes },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  // The compiler's warnings about the core come first; what failed is at the end of the one, why at the end of the other.
  const why = () => `${stdout.slice(-1500)}\n${stderr.slice(-3000)}`
  tell(`${what} (${seconds} s)`, status === 0, status === 0 ? '' : why())
}

/** @type {Record<string, () => void | Promise<void>>} */
const PARTS = {
  linux,
  deterministic: () =>
    tests('200 deterministic runs of each guest', ['emulator/machine/smp/deterministic.test.ts'], {
      RINGSIDE_SMP_RUNS: '200',
    }),
  timers: () =>
    tests('1,000,000 timer interrupts on each CPU', ['emulator/machine/smp/timers.test.ts'], {
      RINGSIDE_SMP_TICKS: '1000000',
    }),
  litmus: () =>
    tests('litmus tests, 200,000 rounds', ['emulator/machine/smp/litmus.test.ts'], {
      RINGSIDE_SMP_ROUNDS: '200000',
    }),
  fuzz: () =>
    tests('10,000,000 accesses to devices', ['emulator/core/chipset/fuzz.test.ts'], {
      RINGSIDE_FUZZ: '10000000',
    }),
}

const unknown = positionals.find((name) => !(name in PARTS))
if (unknown !== undefined) {
  process.stderr.write(`endurance: there is no part ${unknown}; there are ${Object.keys(PARTS).join(', ')}\n`)
  process.exit(2)
}
for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) await PARTS[name]?.()
process.exitCode = failures === 0 ? 0 : 1
