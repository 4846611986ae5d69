// `npm run build:vectors`: records instruction vectors on this computer's processor (tools/vectors/README.md).
//   (nothing)   writes emulator/core/vectors/*.bin.br
//   --check     records again, compares with what is committed, and says which forms differ
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const committed = join(here, '../../emulator/core/vectors')
/**
 * The files: set, mode, and what the number of cases of every form is multiplied by.
 * @type {[set: string, mode: number, scale: string][]}
 */
const sets = [
  ['integer', 64, '1.5'],
  ['integer', 32, '1.5'],
  ['integer', 16, '1.5'],
  ['x87', 64, '1'],
  ['x87', 32, '0.2'],
  ['sse', 64, '1'],
  ['sse', 32, '1'],
  ['avx', 64, '1'],
  ['avx', 32, '1'],
]
/** Most bytes of one set's files. */
const limit = 3_000_000

/**
 * @param {string} set
 * @param {number} mode
 */
const fileOf = (set, mode) => join(committed, `${set}-${mode}.bin.br`)

/** @param {string} work a folder for what is built */
function compile(work) {
  const source = join(here, 'generator')
  const files = readdirSync(source).filter((name) => /\.[cS]$/.test(name))
  // Position-independent, so that it lies above 4 GiB, where 16- and 32-bit cases cannot reach it by accident; no stack protector, whose canary FS would be needed for.
  const flags = [
    '-O1',
    '-g',
    '-Wall',
    '-Wextra',
    '-fpie',
    '-pie',
    '-fno-stack-protector',
    '-fcf-protection=none',
  ]
  const program = join(work, 'vectors')
  execFileSync('gcc', [...flags, '-o', program, ...files.sort().map((name) => join(source, name))], {
    stdio: 'inherit',
  })
  return program
}

/**
 * The ROM page that the emulated machine runs the vectors with.
 * @param {string} work
 */
function assembleKernel(work) {
  const object = join(work, 'kernel.o')
  const out = join(work, 'kernel.bin')
  execFileSync('gcc', ['-c', '-o', object, join(here, 'kernel/kernel.S')], { stdio: 'inherit' })
  const place = ['-Ttext=0xffffffff800ff000', '-e', '0', '--oformat', 'binary']
  execFileSync('ld', [...place, '-o', out, object], { stdio: 'inherit' })
  return readFileSync(out)
}

/** @param {Buffer} raw */
function parse(raw) {
  const size = raw.readUInt32LE(8)
  const header = JSON.parse(raw.toString('utf8', 12, 12 + size))
  let at = 12 + size
  /** @type {Map<string, Buffer>} */
  const forms = new Map()
  for (const form of header.forms) {
    forms.set(`${form.group}: ${form.name}`, raw.subarray(at, (at += form.bytes)))
  }
  return { header, forms }
}

/**
 * @param {Buffer} before
 * @param {Buffer} now
 */
function compare(before, now) {
  const a = parse(before)
  const b = parse(now)
  const lines = []
  for (const [name, bytes] of a.forms) {
    const other = b.forms.get(name)
    if (!other) lines.push(`  gone: ${name}`)
    else if (!bytes.equals(other)) {
      let at = 0
      while (at < bytes.length && bytes[at] === other[at]) at++
      lines.push(`  differs: ${name} (${bytes.length} and ${other.length} bytes, first at ${at})`)
    }
  }
  for (const name of b.forms.keys()) if (!a.forms.has(name)) lines.push(`  new: ${name}`)
  return lines
}

const check = process.argv.includes('--check')
const work = mkdtempSync(join(tmpdir(), 'vectors-'))
/** @type {Map<string, number>} */
const totals = new Map()
try {
  const kernel = join(committed, 'kernel.bin')
  const assembled = assembleKernel(work)
  if (!check) writeFileSync(kernel, assembled)
  else if (!assembled.equals(readFileSync(kernel))) {
    console.log(`${relative(process.cwd(), kernel)}: differs from what kernel.S makes`)
    process.exitCode = 1
  }
  const program = compile(work)
  for (const [set, mode, scale] of sets) {
    const out = join(work, `${set}-${mode}.bin`)
    const found = join(here, 'found.txt')
    execFileSync(program, [`${mode}`, out, scale, set, '0', found], { stdio: 'inherit' })
    const raw = readFileSync(out)
    const file = fileOf(set, mode)
    const name = relative(process.cwd(), file)
    if (check) {
      const before = brotliDecompressSync(readFileSync(file))
      if (before.equals(raw)) console.log(`${name}: the same ${parse(raw).header.cases} vectors`)
      else {
        const lines = compare(before, raw)
        console.log(`${name}: ${lines.length} forms differ`)
        for (const line of lines) console.log(line)
        if (!lines.length) console.log('  (only the header)')
        process.exitCode = 1
      }
    } else {
      const packed = brotliCompressSync(raw, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
      })
      writeFileSync(file, packed)
      totals.set(set, (totals.get(set) ?? 0) + packed.length)
      console.log(
        `${name}: ${parse(raw).header.cases} vectors, ${packed.length} bytes (${raw.length} unpacked)`,
      )
    }
  }
  for (const [set, total] of totals) {
    if (total > limit) throw new Error(`the ${set} vectors take ${total} bytes, more than ${limit}`)
  }
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true })
}
