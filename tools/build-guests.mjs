// `npm run build:guests`: assembles the system ROM and the guest programs that ship with Ringside. The results are
// committed, so nobody needs an assembler to use or test Ringside. `-- --check` writes nothing and fails when a
// committed file is not what its source makes. `-- NAME...` limits it to targets whose path contains a NAME.
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { buildSeedling, toolchain } from './build-seedling.mjs'
import { root } from './paths.mjs'
import { buildFonts } from './rom-font.mjs'

const ROM_SOURCE = join(root, 'emulator/firmware/rom')
const GUESTS = join(root, 'assets/guests')

/**
 * Assembles one flat binary.
 * @param {string} source path of the .asm
 * @param {{ include?: string[], define?: Record<string, number> }} [options]
 * @returns {Promise<Buffer>}
 */
async function assemble(source, { include = [], define = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'ringside-nasm-'))
  try {
    const output = join(folder, 'out.bin')
    const { status, stderr, error } = spawnSync(
      'nasm',
      [
        '-f',
        'bin',
        '-Werror',
        ...[dirname(source), ...include].flatMap((path) => ['-I', `${path}/`]),
        ...Object.entries(define).map(([name, value]) => `-D${name}=${value}`),
        source,
        '-o',
        output,
      ],
      { encoding: 'utf8' },
    )
    if (error) {
      throw new Error(
        /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT'
          ? 'nasm is not installed. On Debian: apt-get install nasm'
          : `nasm did not run: ${error.message}`,
      )
    }
    if (status !== 0) throw new Error(`${relative(root, source)} does not assemble:\n${stderr.trim()}`)
    return await readFile(output)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The compiler whose output is committed: another version makes other code from the same source. */
const GCC = '12'

/** @returns {boolean} the C parts can be built here as they were for the committed files */
function haveGcc() {
  const { status, stdout } = spawnSync('gcc', ['-m32', '-dumpversion'], { encoding: 'utf8' })
  return status === 0 && stdout.trim().split('.')[0] === GCC && spawnSync('ld', ['-v']).status === 0
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function tool(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (error) throw new Error(`${command} did not run: ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr.trim()}`)
}

/**
 * A kernel that checks what a Multiboot loader hands it: ELF32 by Multiboot 1, or ELF64 by Multiboot 2.
 * @param {1 | 2} version
 */
async function buildMultiboot(version) {
  const source = join(GUESTS, 'tests/multiboot')
  const folder = await mkdtemp(join(tmpdir(), 'ringside-multiboot-'))
  /** @param {string} name */
  const out = (name) => join(folder, name)
  const [bits, base] = version === 1 ? [32, '0'] : [64, '0xFFFFFFFF80000000']
  try {
    // Debugging information in both forms that are about. All names in the files are relative to the project.
    const debug = version === 1 ? ['-gdwarf-4', '-gz=zlib'] : ['-gdwarf-5']
    const asm = relative(root, join(source, 'start.asm'))
    tool('nasm', ['-f', `elf${bits}`, `-DVERSION=${version}`, asm, '-o', out('start.o')])
    tool('gcc', [
      ...[`-m${bits}`, '-O1', '-std=c17', '-ffreestanding', '-fno-pic', '-fno-pie', '-fno-stack-protector'],
      ...[
        '-fno-asynchronous-unwind-tables',
        '-fcf-protection=none',
        '-mgeneral-regs-only',
        '-Wall',
        '-Werror',
      ],
      ...(bits === 64 ? ['-mcmodel=kernel', '-mno-red-zone'] : ['-march=i686']),
      ...[...debug, `-ffile-prefix-map=${root}=.`, `-DVERSION=${version}`],
      ...['-c', relative(root, join(source, 'kernel.c')), '-o', out('kernel.o')],
    ])
    tool('ld', [
      ...[
        '-m',
        bits === 64 ? 'elf_x86_64' : 'elf_i386',
        '-nostdlib',
        '-z',
        'noexecstack',
        '--no-warn-rwx-segments',
      ],
      ...[
        '-z',
        'max-page-size=4096',
        '--build-id=none',
        `--defsym=BASE=${base}`,
        `--compress-debug-sections=${version === 1 ? 'zlib' : 'none'}`,
        '-T',
        join(source, 'link.ld'),
      ],
      ...[out('start.o'), out('kernel.o'), '-o', out('kernel.elf')],
    ])
    return await readFile(out('kernel.elf'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * The bare-metal benchmark as a disk image.
 * @param {32 | 64} bits
 */
async function buildBench(bits) {
  const source = join(GUESTS, 'bench')
  const folder = await mkdtemp(join(tmpdir(), 'ringside-bench-'))
  /** @param {string} name */
  const out = (name) => join(folder, name)
  try {
    tool('gcc', [
      ...['-O2', '-ffreestanding', '-nostdlib', '-fno-pic', '-fno-pie', '-fno-stack-protector', '-Wno-main'],
      ...['-fno-asynchronous-unwind-tables', '-fcf-protection=none', '-fno-tree-loop-distribute-patterns'],
      '-fno-tree-vectorize',
      ...(bits === 64 ? ['-m64', '-mno-red-zone'] : ['-m32', '-march=pentium4', '-msse2', '-mfpmath=sse']),
      ...['-c', join(source, 'bench.c'), '-o', out('bench.o')],
    ])
    const define = bits === 64 ? ['-DBITS64=1'] : []
    tool('nasm', [
      '-f',
      `elf${bits}`,
      ...define,
      relative(root, join(source, 'boot.asm')),
      '-o',
      out('boot.o'),
    ])
    tool('ld', [
      ...['-m', bits === 64 ? 'elf_x86_64' : 'elf_i386', '-n', '-z', 'noexecstack', '--no-warn-rwx-segments'],
      ...['-T', join(source, 'link.ld'), '-nostdlib', out('boot.o'), out('bench.o'), '-o', out('bench.elf')],
    ])
    tool('objcopy', ['-O', 'binary', out('bench.elf'), out('bench.bin')])
    const kernel = await readFile(out('bench.bin'))
    const sectors = Math.ceil(kernel.length / 512)
    const image = Buffer.alloc((sectors + 1) * 512)
    ;(await assemble(join(source, 'disk.asm'), { define: { NSECT: sectors } })).copy(image)
    kernel.copy(image, 512)
    return image
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * A program of the scheduler lab. Its assembler is TypeScript, which this file cannot load before everything is installed;
 * emulator/insight/sched-lab/program.test.ts holds the two to each other.
 * @param {string} text
 */
function assembleLab(text) {
  const opcodes = ['NOP', 'PUSH', 'LOAD', 'ADD', 'SUB', 'PRINT', 'SLEEP', 'YIELD', 'HALT', 'WORK', 'SETPRIO']
  const bytes = text.split('\n').flatMap((line) => {
    const [name = '', count = '1'] = line
      .replace(/[;#].*/, '')
      .trim()
      .split(/\s+/)
    return name === '' ? [] : Array.from({ length: Number(count) }, () => opcodes.indexOf(name))
  })
  return Buffer.from(bytes)
}

/** The constants that the ROM shares with the services in the core. */
async function romConstants() {
  const text = await readFile(join(root, 'emulator/core/bios/rom-layout.ts'), 'utf8')
  const found = [...text.matchAll(/^export const (\w+) = (\w+)/gm)]
  return Object.fromEntries(found.map(([, name, value]) => [name, Number(value)]))
}

async function buildRom() {
  const folder = await mkdtemp(join(tmpdir(), 'ringside-rom-'))
  try {
    /** @param {string} name */
    const read = (name) => readFile(join(root, 'assets/fonts/rom', name), 'utf8')
    const fonts = buildFonts({ tall: await read('8x16.txt'), small: await read('8x8.txt') })
    for (const [size, bytes] of Object.entries(fonts))
      await writeFile(join(folder, `font-${size}.bin`), bytes)
    const rom = await assemble(join(ROM_SOURCE, 'bios.asm'), {
      include: [folder],
      define: await romConstants(),
    })
    if (rom.length !== 0x20000) throw new Error(`the ROM has ${rom.length} bytes instead of 131072`)
    // The bytes of the DSDT add up to 0 (mod 256).
    const dsdt = 0x10000 + (await romConstants()).ROM_DSDT
    const table = rom.subarray(dsdt, dsdt + rom.readUInt32LE(dsdt + 4))
    table[9] = (0x100 - (table.reduce((sum, byte) => sum + byte, 0) & 0xff)) & 0xff
    // So do those of the whole ROM, as programs that check ROMs expect.
    rom[0x1ffff] = (0x100 - (rom.reduce((sum, byte) => sum + byte, 0) & 0xff)) & 0xff
    return rom
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Every image: where it goes and what makes it. A guest's main file is named like its folder's image. */
async function targets() {
  /** @type {{ path: string, build: () => Promise<Buffer>, gcc?: boolean, skip?: string }[]} */
  const list = [
    { path: join(root, 'assets/firmware/ringside-bios.bin'), build: buildRom },
    {
      path: join(root, 'assets/firmware/direct-boot.bin'),
      build: () => assemble(join(root, 'emulator/firmware/direct-boot/start.asm')),
    },
    {
      path: join(root, 'assets/firmware/multiboot.bin'),
      build: () => assemble(join(root, 'emulator/firmware/direct-boot/multiboot.asm')),
    },
    {
      path: join(GUESTS, 'first-light/first-light.img'),
      build: () => assemble(join(GUESTS, 'first-light/first-light.asm')),
    },
    {
      path: join(GUESTS, 'kiln/kiln.img'),
      build: () => assemble(join(GUESTS, 'kiln/kiln.asm')),
    },
    {
      path: join(GUESTS, 'smp/smp.img'),
      build: () => assemble(join(GUESTS, 'smp/smp.asm')),
    },
  ]
  for (const version of /** @type {const} */ ([1, 2])) {
    list.push({
      path: join(GUESTS, `tests/multiboot${version}.elf`),
      build: () => buildMultiboot(version),
      gcc: true,
    })
  }
  // Made together, once; their bytes depend on the compiler's version, and where it is another nothing can be compared.
  /** @type {Promise<Map<string, Buffer>> | undefined} */
  let seedling
  const missing = toolchain()
  for (const name of ['seedling.elf', 'initrd.tar', 'seedling.img', 'seedling-selftest.img']) {
    list.push({
      path: join(GUESTS, 'seedling', name),
      build: async () => /** @type {Buffer} */ ((await (seedling ??= buildSeedling())).get(name)),
      skip: missing.length > 0 ? missing.join(', ') : undefined,
    })
  }
  for (const bits of /** @type {const} */ ([64, 32])) {
    list.push({ path: join(GUESTS, `bench/bench${bits}.img`), build: () => buildBench(bits), gcc: true })
  }
  const lab = join(GUESTS, 'sched-lab')
  for (const name of (await readdir(lab)).filter((file) => file.endsWith('.txt')).sort()) {
    list.push({
      path: join(lab, name.replace(/\.txt$/, '.bin')),
      build: async () => assembleLab(await readFile(join(lab, name), 'utf8')),
    })
  }
  const tests = join(GUESTS, 'tests')
  list.push({
    path: join(GUESTS, 'bench/disk-dma.img'),
    build: () => assemble(join(GUESTS, 'bench/disk-dma.asm'), { include: [tests] }),
  })
  for (const name of (await readdir(tests)).filter((file) => file.endsWith('.asm')).sort()) {
    const source = join(tests, name)
    list.push({ path: source.replace(/\.asm$/, '.img'), build: () => assemble(source) })
  }
  return list
}

const check = process.argv.includes('--check')
const force = process.argv.includes('--force')
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
let stale = 0
try {
  for (const { path, build, gcc, skip } of await targets()) {
    const name = relative(root, path)
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue
    if (gcc && !haveGcc()) {
      console.log(`skipped  ${name} (needs gcc ${GCC} with -m32, and binutils)`)
      continue
    }
    if (skip && (check || !force)) {
      console.log(`skipped  ${name} (another tool makes other bytes: ${skip}; --force builds all the same)`)
      continue
    }
    const bytes = await build()
    const before = await readFile(path).catch(() => undefined)
    const same = before?.equals(bytes) ?? false
    if (check) {
      if (!same) stale++
      console.log(`${same ? 'ok      ' : before ? 'DIFFERS ' : 'MISSING '} ${name}`)
    } else {
      await mkdir(dirname(path), { recursive: true })
      if (!same) await writeFile(path, bytes)
      console.log(`${same ? 'same    ' : 'written '} ${name} (${bytes.length} bytes)`)
    }
  }
  if (stale > 0)
    throw new Error(`${stale} committed file(s) are not what the sources make: npm run build:guests`)
} catch (error) {
  console.error(/** @type {Error} */ (error).message)
  process.exitCode = 1
}
