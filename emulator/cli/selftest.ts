// `ringside selftest --native`: instructions on this computer's processor and on the emulated one, until the time is over
// (tools/vectors/README.md says how a case is run; the generator is compiled from sources that are part of this program).
import { execFile, execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { Bench } from '../core/vectors/compare'
import { type Header, type Vector, VectorFile } from '../core/vectors/reader'
import { type Case, caseOf, caseText, shrink } from '../core/vectors/shrink'
import { FileError, OK, UsageError } from './usage'

const HELP = `usage: ringside selftest --native [--seconds N] [--seed N] [--keep DIR] [SET...]

Runs random and corner-case instructions on this computer's processor and on the emulated one, and compares registers,
flags, memory and exceptions: every user-mode instruction form, in 64-, 32- and 16-bit code. Each case is one
instruction, so a difference is one, too: it is run again, on both, with less and less in registers and memory for as long as
the difference stays, and printed with what is left and what came out on both sides.

SET is integer, x87, sse or avx; all of them when left out. Needs x86-64 Linux with gcc, and the right to map
memory below 64 KiB (root, or vm.mmap_min_addr at most 4096).

--seconds N   go on for N seconds (default 10)
--count N     go on until N instructions are compared, instead
--seed N      begin with recording N (default: by the clock); the same seed is the same instructions
--show N      print the first N forms that differ in full, the others are counted (default 10)
--keep DIR    leave the recordings that had differences in DIR, and the cases that remained in DIR/found.txt

exit status: 0 when all agree, 1 when not, 2 when this computer cannot do it
`

const DIFFERS = 1
/** Cases between two looks at the clock. */
const STRIDE = 256

const SETS: readonly [set: string, mode: string, scale: string][] = [
  ['integer', '64', '1.5'],
  ['sse', '64', '1'],
  ['avx', '64', '1'],
  ['x87', '64', '1'],
  ['integer', '32', '1.5'],
  ['sse', '32', '1'],
  ['avx', '32', '1'],
  ['x87', '32', '1'],
  ['integer', '16', '1.5'],
]
/** What the processor must have (as /proc/cpuinfo names it) for a set to mean something. */
const NEEDS: Record<string, readonly string[]> = {
  integer: ['fsgsbase'],
  x87: ['fsgsbase', 'xsave'],
  sse: 'fsgsbase sse4_2 aes pclmulqdq sha_ni adx movbe popcnt abm bmi1 xsavec clflushopt clwb avx'.split(' '),
  avx: 'fsgsbase avx2 fma f16c bmi1 bmi2 aes pclmulqdq xsave'.split(' '),
}

const sources: Record<string, string> = import.meta.glob('../../tools/vectors/generator/*.{c,h,S}', {
  query: '?raw',
  import: 'default',
  eager: true,
})

interface Tally {
  cases: number
  different: number
  /** Form to number of differences. */
  forms: Map<string, number>
}

export async function selftest(args: string[]): Promise<number> {
  const { values, positionals } = parse(args)
  if (values.help) {
    process.stdout.write(HELP)
    return OK
  }
  if (!values.native) throw new UsageError('selftest wants --native: there is no other kind')
  const seconds = number(values.seconds ?? '10', '--seconds')
  const count = values.count === undefined ? Infinity : number(values.count, '--count')
  if (count !== Infinity && values.seconds !== undefined)
    throw new UsageError('selftest wants --seconds or --count, not both')
  const deadline = count === Infinity ? Date.now() + seconds * 1000 : Infinity
  const seed = values.seed === undefined ? Date.now() % 0x1_0000_0000 : number(values.seed, '--seed')
  const show = number(values.show ?? '10', '--show')
  const unknown = positionals.find((set) => !Object.hasOwn(NEEDS, set))
  if (unknown !== undefined)
    throw new UsageError(`there is no set ${unknown}; there are ${Object.keys(NEEDS).join(', ')}`)
  const sets = availableSets(positionals)
  const work = mkdtempSync(join(tmpdir(), 'ringside-selftest-'))
  try {
    const program = compile(work)
    return report(await compareUntil({ deadline, count, program, work, sets, seed, show, keep: values.keep }))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        native: { type: 'boolean' },
        seconds: { type: 'string' },
        count: { type: 'string' },
        seed: { type: 'string' },
        keep: { type: 'string' },
        show: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function number(text: string, option: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 0xffff_ffff)
    throw new UsageError(`${option} wants a number, not ${text}`)
  return value
}

/** The sets that this processor can run; names those it cannot. */
function availableSets(wanted: readonly string[]) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new FileError(
      `selftest runs instructions on the processor itself, which takes x86-64 Linux; this is ${process.arch} ${process.platform}`,
    )
  }
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.split(' '))
  const names = Object.keys(NEEDS).filter((set) => wanted.length === 0 || wanted.includes(set))
  const able = names.filter((set) => {
    const missing = NEEDS[set]!.filter((flag) => !flags.has(flag))
    if (missing.length)
      process.stderr.write(`${set} is left out: this processor has no ${missing.join(', ')}\n`)
    return missing.length === 0
  })
  if (able.length === 0) throw new FileError('this processor can run none of the sets')
  return SETS.filter(([set]) => able.includes(set))
}

function compile(work: string): string {
  const folder = join(work, 'generator')
  mkdirSync(folder)
  for (const [path, text] of Object.entries(sources))
    writeFileSync(join(folder, path.replace(/.*\//, '')), text)
  const files = Object.keys(sources)
    .map((path) => path.replace(/.*\//, ''))
    .filter((name) => /\.[cS]$/.test(name))
  const program = join(work, 'vectors')
  // As tools/vectors/build.mjs.
  const flags = ['-O1', '-fpie', '-pie', '-fno-stack-protector', '-fcf-protection=none']
  try {
    execFileSync('gcc', [...flags, '-o', program, ...files], { cwd: folder, stdio: 'pipe' })
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: Buffer }
    if (code === 'ENOENT')
      throw new FileError('selftest needs gcc to build what runs the instructions; it is not installed')
    throw new FileError(`gcc cannot build the generator: ${stderr?.toString().split('\n')[0]}`)
  }
  return program
}

interface Plan {
  /** Time to stop at, milliseconds. */
  deadline: number
  /** Instructions to stop after. */
  count: number
  program: string
  work: string
  sets: typeof SETS
  seed: number
  /** Forms that are printed in full. */
  show: number
  keep: string | undefined
}

interface Recording {
  path: string
  set: string
  name: string
  seed: number
}

async function record({ program, work, sets, seed }: Plan, n: number): Promise<Recording> {
  const [set, mode, scale] = sets[n % sets.length]!
  const round = (seed + Math.floor(n / sets.length)) >>> 0
  const path = join(work, `${n % 2}.bin`)
  await generate(program, [mode, path, scale, set, `${round}`])
  return { path, set, name: `${set}-${mode}`, seed: round }
}

async function generate(program: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args)
  } catch (error) {
    const { stderr, signal, code } = error as { stderr?: string; signal?: string; code?: number | string }
    const said = stderr?.trim().split('\n').join('; ')
    const end = signal ? `it was ended by ${signal}` : `it ended with ${code}`
    const [mode, , , set, seed] = args
    throw new FileError(`the generator gave up on ${set}-${mode} seed ${seed}: ${said || end}`)
  }
}

/** Records and compares in turn; the next recording is made while one is compared. */
async function compareUntil(plan: Plan): Promise<Tally> {
  const tally: Tally = { cases: 0, different: 0, forms: new Map() }
  const over = () => Date.now() >= plan.deadline || tally.cases >= plan.count
  let next = record(plan, 0)
  for (let n = 1; !over(); n++) {
    const recording = await next
    // Settled in any case before it is awaited, or its failure would end the process.
    next = record(plan, n)
    next.catch(() => {})
    const before = tally.different
    await compare(recording, plan, tally, over)
    if (plan.keep !== undefined && tally.different > before) {
      mkdirSync(plan.keep, { recursive: true })
      writeFileSync(join(plan.keep, `${recording.name}-${recording.seed}.bin`), readFileSync(recording.path))
    }
    process.stderr.write(
      `${recording.name} seed ${recording.seed}: ${tally.cases} instructions, ${tally.different} differences so far\n`,
    )
  }
  await next.catch(() => {})
  return tally
}

async function compare(recording: Recording, plan: Plan, tally: Tally, over: () => boolean): Promise<void> {
  const file = VectorFile.open(recording.path)
  const bench = new Bench(file.header)
  let count = 0
  for (const vector of file.vectors()) {
    tally.cases++
    const differences = bench.check(vector)
    if (differences.length) await note(tally, bench, vector, differences, recording, plan, file.header)
    if (++count % STRIDE) continue
    if (over()) return
    // Lets the recording that runs beside be heard.
    await new Promise((done) => setImmediate(done))
  }
}

async function note(
  tally: Tally,
  bench: Bench,
  vector: Vector,
  differences: readonly string[],
  recording: Recording,
  plan: Plan,
  header: Header,
): Promise<void> {
  const key = `${recording.name}: ${vector.form.name}`
  const before = tally.forms.get(key) ?? 0
  tally.forms.set(key, before + 1)
  tally.different++
  if (before !== 0 || tally.forms.size > plan.show) return
  const where = `${recording.name} seed ${recording.seed}`
  process.stdout.write(`\n${where}, ${bench.minimal(vector, differences)}\n`)
  const found = await smaller(vector, differences, recording, plan, header)
  if (found === undefined) {
    process.stdout.write('  It does not differ when it is run by itself.\n\n')
    return
  }
  process.stdout.write(
    `  what is left of it (tools/vectors/README.md, "Found"):\n${found.replace(/^/gm, '    ')}\n`,
  )
  if (plan.keep === undefined) return
  mkdirSync(plan.keep, { recursive: true })
  appendFileSync(join(plan.keep, 'found.txt'), `${found}\n`)
}

/** The text of the smallest case that differs in the same thing; undefined when the whole one does not. */
async function smaller(
  vector: Vector,
  differences: readonly string[],
  { set }: Recording,
  { program, work }: Plan,
  header: Header,
): Promise<string | undefined> {
  const kind = (list: readonly string[]) => list[0]?.split(/[: ]/)[0]
  const wanted = kind(differences)
  const cases = join(work, 'cases.txt')
  const out = join(work, 'cases.bin')
  const { name } = vector.form
  const differs = async (some: readonly Case[]) => {
    const texts = some.map((one, i) => caseText(one, header, set, `${i}`))
    writeFileSync(cases, texts.join('\n'))
    await generate(program, [`${header.mode}`, out, '0', set, '0', cases])
    const file = VectorFile.open(out)
    const again = new Bench(file.header)
    const answers = some.map(() => false)
    for (const one of file.vectors()) answers[Number(one.form.name)] = kind(again.check(one)) === wanted
    return answers
  }
  const whole = caseOf(vector)
  if (!(await differs([whole]))[0]) return undefined
  return caseText(await shrink(whole, differs), header, set, name)
}

function report({ cases, different, forms }: Tally): number {
  if (different === 0) {
    process.stdout.write(`${cases} instructions, the same on both\n`)
    return OK
  }
  for (const [form, count] of forms) process.stdout.write(`${form}: ${count}\n`)
  process.stdout.write(`${cases} instructions, ${different} differences in ${forms.size} forms\n`)
  return DIFFERS
}
