// Builds Seedling, the kernel in assets/guests/seedling: the kernel as an ELF file with DWARF, its programs, an initrd, an
// ext2 partition, and the disk images. The same sources and tools give the same bytes: no times, paths or host names get
// in. gcc and ld of another version make other (working) code, so whoever compares must look at `toolchain()` first.
import { spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { root } from './paths.mjs'
import { buildFonts } from './rom-font.mjs'

const SOURCE = join(root, 'assets/guests/seedling')

/** What the committed files were made with; Debian 12 has these. */
export const PINNED = { gcc: '12.2.0', ld: '2.40', nasm: '2.16.01', mke2fs: '1.47.0' }

/** @type {Record<keyof typeof PINNED, [string, string[], RegExp]>} */
const VERSIONS = {
  gcc: ['gcc', ['-dumpfullversion'], /^(\S+)/],
  ld: ['ld', ['--version'], /(\d+\.\d+(?:\.\d+)?)\s*$/m],
  nasm: ['nasm', ['-v'], /version (\S+)/],
  mke2fs: ['mke2fs', ['-V'], /mke2fs (\S+)/],
}
// e2fsprogs live where only root's PATH looks.
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: 'C', TZ: 'UTC' }

/**
 * What differs from the pinned tools, in words; empty: nothing, and a rebuild must give the committed bytes.
 * @returns {string[]}
 */
export function toolchain() {
  return Object.entries(VERSIONS).flatMap(([name, [command, args, pattern]]) => {
    const { stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env: environment })
    const wanted = PINNED[/** @type {keyof typeof PINNED} */ (name)]
    if (error) return [`${name} is not installed (wanted: ${wanted})`]
    const found = pattern.exec(stdout + stderr)?.[1] ?? '?'
    return found === wanted ? [] : [`${name} is ${found}, not ${wanted}`]
  })
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @param {string} [cwd]
 */
async function run(command, args, env = {}, cwd = root) {
  const child = spawn(command, args, {
    cwd,
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (data) => (out += data))
  child.stderr.on('data', (data) => (err += data))
  const status = await new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${command} does not run: ${error.message}`)))
    child.on('close', resolve)
  })
  if (status !== 0) throw new Error(`${command} ${args.at(-1)}:\n${err.trim() || out.trim()}`)
  return out
}

/**
 * Runs jobs, three at a time.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => Promise<string>} job
 */
async function each(items, job) {
  /** @type {string[]} */
  const results = []
  /** @type {unknown} */
  let failure
  let next = 0
  // All come to rest before a failure goes up: whoever hears of it removes the folder they write to.
  await Promise.all(
    [0, 1, 2].map(async () => {
      while (next < items.length && !failure) {
        const mine = next++
        try {
          results[mine] = await job(/** @type {T} */ (items[mine]))
        } catch (error) {
          failure ??= error
        }
      }
    }),
  )
  if (failure) throw failure
  return results
}

/**
 * Files below a folder, sorted, as paths relative to the repository.
 * @param {string} folder
 * @param {RegExp} pattern
 */
async function sources(folder, pattern) {
  const entries = await readdir(join(SOURCE, folder), { recursive: true })
  return entries
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => relative(root, join(SOURCE, folder, name)))
}

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wno-unused-function']
const COMMON = [
  ...['-std=gnu17', '-ffreestanding', '-nostdinc', '-O2', '-g', ...WARNINGS],
  ...['-mgeneral-regs-only', '-fno-pic', '-fno-pie', '-fcf-protection=none', '-fno-strict-aliasing'],
  ...[
    '-fno-asynchronous-unwind-tables',
    '-fno-omit-frame-pointer',
    '-fno-common',
    '-fno-tree-loop-distribute-patterns',
  ],
  `-ffile-prefix-map=${root}=.`,
]
const KERNEL = [
  ...COMMON,
  '-mcmodel=kernel',
  '-mno-red-zone',
  '-fno-optimize-sibling-calls',
  '-fno-stack-protector',
]
const USER = [...COMMON, '-fno-stack-protector']

/** @param {string} folder @param {string} source */
const objectOf = (folder, source) => join(folder, `${source.replace(/[\\/]/g, '_')}.o`)

/**
 * @param {string} folder
 * @param {string[]} files
 * @param {string[]} flags
 */
async function compile(folder, files, flags) {
  const include = (await run('gcc', ['-print-file-name=include'])).trim()
  return each(files, async (source) => {
    const object = objectOf(folder, source)
    if (source.endsWith('.asm'))
      await run('nasm', ['-f', 'elf64', '-Werror', '-I', `${folder}/`, '-o', object, source])
    else {
      // `fault smash` wants a function that notices its stack being overwritten.
      const guarded = source.endsWith('/stack-smash.c')
        ? ['-fstack-protector-all', '-mstack-protector-guard=global']
        : []
      const kernel = ['-I', relative(root, join(SOURCE, 'kernel'))]
      await run('gcc', [...flags, ...guarded, '-isystem', include, ...kernel, '-c', '-o', object, source])
    }
    return object
  })
}

/**
 * The table of function names that the kernel carries for its back-traces, as assembly.
 * @param {string | undefined} kernel the kernel to take them from; none yet: an empty table
 */
async function symbolTable(kernel) {
  const lines = kernel ? (await run('nm', ['-n', kernel])).split('\n') : []
  const functions = lines.flatMap((line) => {
    const [address = '', type = '', name = ''] = line.split(' ')
    return /^[tT]$/.test(type) &&
      address.startsWith('ffffffff8') &&
      !/^(stub\d+|__text_.*|.*\..*)$/.test(name)
      ? [{ offset: Number.parseInt(address.slice(9), 16), name }]
      : []
  })
  const table = functions.map(({ offset }, i) => `    dd ${offset}, name${i} - symbol_names`)
  const names = functions.map(({ name }, i) => `name${i}: db '${name}', 0`)
  return [
    'section .symbols progbits alloc noexec nowrite align=16',
    'global symbol_count, symbol_table, symbol_names',
    `symbol_count: dd ${functions.length}, 0`,
    'symbol_table:',
    ...table,
    'symbol_names:',
    ...names,
    '    db 0',
    'section .note.GNU-stack noalloc noexec nowrite progbits',
    '',
  ].join('\n')
}

/** @param {string} folder @returns {Promise<string>} path of the kernel, with symbols and DWARF */
async function buildKernel(folder) {
  /** @param {string} name */
  const font = (name) => readFile(join(root, 'assets/fonts/rom', name), 'utf8')
  const fonts = buildFonts({ tall: await font('8x16.txt'), small: await font('8x8.txt') })
  await writeFile(join(folder, 'font-8x16.bin'), fonts['8x16'])
  const objects = await compile(folder, await sources('kernel', /\.(c|asm)$/), KERNEL)
  const script = relative(root, join(SOURCE, 'kernel/kernel.ld'))
  let kernel
  for (const pass of [1, 2]) {
    const source = `symbols${pass}.asm`
    await writeFile(join(folder, source), await symbolTable(kernel))
    // From within its folder: nasm puts the name it was called with into the symbol table.
    await run('nasm', ['-f', 'elf64', '-o', 'symbols.o', source], {}, folder)
    kernel = join(folder, `kernel${pass}.elf`)
    const options = [
      '-nostdlib',
      '-static',
      '-z',
      'max-page-size=4096',
      '-z',
      'noexecstack',
      '--build-id=none',
      '--no-warn-rwx-segments',
    ]
    await run('ld', [...options, '-T', script, '-o', kernel, ...objects, join(folder, 'symbols.o')])
  }
  return /** @type {string} */ (kernel)
}

/** @param {string} folder @returns {Promise<{ name: string, bytes: Buffer }[]>} */
async function buildPrograms(folder) {
  const all = await compile(folder, await sources('user', /\.(c|asm)$/), USER)
  const [crt0, library] = ['crt0.asm', 'lib.c'].map((name) =>
    objectOf(folder, relative(root, join(SOURCE, 'user', name))),
  )
  const programs = []
  for (const object of all.filter((path) => path !== crt0 && path !== library)) {
    const name = basename(object).replace(/^.*_user_|\.c\.o$/g, '')
    const output = join(folder, name)
    const script = relative(root, join(SOURCE, 'user/user.ld'))
    await run('ld', [
      '-nostdlib',
      '-static',
      '-s',
      '-z',
      'max-page-size=4096',
      '-z',
      'noexecstack',
      '--build-id=none',
      '-T',
      script,
      '-o',
      output,
      String(crt0),
      object,
      String(library),
    ])
    programs.push({ name, bytes: await readFile(output) })
  }
  return programs
}

/**
 * A ustar archive (POSIX.1-1988): owned by root, dated 1 January 2026.
 * @param {{ path: string, bytes?: Buffer }[]} entries without bytes: a directory
 */
function tar(entries) {
  const blocks = entries.flatMap(({ path, bytes }) => {
    const header = Buffer.alloc(512)
    /** @param {number} at @param {number} digits @param {number} value */
    const octal = (at, digits, value) =>
      header.write(`${value.toString(8).padStart(digits - 1, '0')}\0`, at, 'latin1')
    header.write(bytes ? path : `${path}/`, 0, 'latin1')
    octal(100, 8, bytes ? (path.startsWith('bin/') ? 0o755 : 0o644) : 0o755)
    octal(108, 8, 0)
    octal(116, 8, 0)
    octal(124, 12, bytes?.length ?? 0)
    octal(136, 12, 1767225600)
    header.write('        ', 148, 'latin1')
    header.write(bytes ? '0' : '5', 156, 'latin1')
    header.write('ustar\0' + '00root', 257, 'latin1')
    header.write('root', 297, 'latin1')
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return [header, ...(bytes ? [bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)] : [])]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/**
 * An ext2 file system of 256 KiB in 1 KiB blocks: a poem, a directory, and a file long enough to need a table of blocks.
 * @param {string} folder
 */
async function buildExt2(folder) {
  const content = join(folder, 'disk')
  await mkdir(join(content, 'deep/er'), { recursive: true })
  await writeFile(join(content, 'poem'), await readFile(join(SOURCE, 'disk/poem')))
  await writeFile(join(content, 'deep/er/treasure'), 'You have found it.\n')
  // 60 KiB: line n says n, so that whoever reads it knows what must come.
  const numbers = Array.from({ length: 7680 }, (_, n) => `${String(n).padStart(7)}\n`).join('')
  await writeFile(join(content, 'numbers'), numbers)
  const then = 1767225600
  for (const name of ['poem', 'deep/er/treasure', 'numbers', 'deep/er', 'deep', ''])
    await utimes(join(content, name), then, then)
  const image = join(folder, 'ext2.img')
  await writeFile(image, Buffer.alloc(256 * 1024))
  const uuid = '5eed1146-0000-4000-8000-000000000001'
  await run(
    'mke2fs',
    [
      '-q',
      '-F',
      '-t',
      'ext2',
      '-b',
      '1024',
      '-I',
      '128',
      '-N',
      '32',
      '-m',
      '0',
      '-U',
      uuid,
      '-L',
      'seedling',
      '-E',
      `hash_seed=${uuid},root_owner=0:0,no_copy_xattrs`,
      '-O',
      'none,filetype',
      '-d',
      content,
      image,
    ],
    { E2FSPROGS_FAKE_TIME: String(then), SOURCE_DATE_EPOCH: String(then), MKE2FS_CONFIG: '/dev/null' },
  )
  const bytes = await readFile(image)
  // mke2fs -d copies owner and times of change of each file: what the host says of them must not get in.
  const inodes = bytes.readUInt32LE(1024)
  const size = bytes.readUInt16LE(1024 + 88)
  const table = bytes.readUInt32LE(2048 + 8) * 1024
  for (let i = 0; i < inodes; i++) {
    const at = table + i * size
    if (bytes.readUInt16LE(at) === 0) continue
    bytes.writeUInt16LE(0, at + 2)
    bytes.writeUInt16LE(0, at + 24)
    for (const time of [8, 12, 16]) bytes.writeUInt32LE(then, at + time)
  }
  return bytes
}

/** @param {Buffer} bytes @param {number} unit */
const pad = (bytes, unit) => Buffer.concat([bytes, Buffer.alloc((unit - (bytes.length % unit)) % unit)])

/**
 * Everything there is to commit, by file name.
 * @returns {Promise<Map<string, Buffer>>}
 */
export async function buildSeedling() {
  const folder = await mkdtemp(join(tmpdir(), 'ringside-seedling-'))
  try {
    const kernel = await buildKernel(folder)
    const flat = join(folder, 'kernel.bin')
    await run('objcopy', ['-O', 'binary', '--set-section-flags', '.bss=alloc', kernel, flat])
    const debug = join(folder, 'seedling.elf')
    await run('objcopy', ['--compress-debug-sections=zlib', kernel, debug])

    const programs = await buildPrograms(folder)
    const initrd = tar([
      { path: 'README', bytes: await readFile(join(SOURCE, 'initrd/README')) },
      { path: 'bin' },
      ...programs.map(({ name, bytes }) => ({ path: `bin/${name}`, bytes })),
    ])
    const ext2 = await buildExt2(folder)

    /** @param {string} name @param {string[]} [options] */
    const assemble = async (name, options = []) => {
      const output = join(folder, `${name}.bin`)
      const boot = relative(root, join(SOURCE, 'boot'))
      await run('nasm', [
        '-f',
        'bin',
        '-Werror',
        '-I',
        `${boot}/`,
        ...options,
        '-o',
        output,
        join(boot, `${name}.asm`),
      ])
      return readFile(output)
    }
    const kernelBytes = pad(await readFile(flat), 512)
    const first = 18
    const initrdLba = first + kernelBytes.length / 512
    const initrdBytes = pad(initrd, 512)
    const partition = Math.ceil((initrdLba + initrdBytes.length / 512) / 64) * 64

    const bootSector = await assemble('boot-sector')
    bootSector.set([0, 254, 255, 255, 0x83, 254, 255, 255], 446) // CHS that says: look at the LBA
    bootSector.writeUInt32LE(partition, 446 + 8)
    bootSector.writeUInt32LE(ext2.length / 512, 446 + 12)
    const stage2 = await assemble('stage2')
    stage2.writeUInt32LE(first, 8)
    stage2.writeUInt32LE(kernelBytes.length, 12)
    stage2.writeUInt32LE(initrdLba, 16)
    stage2.writeUInt32LE(initrd.length, 20)

    /** @param {string} line @param {number} ticks */
    const image = async (line, ticks) => {
      const bootLine = await assemble('boot-line', [`-DLINE='${line}'`, `-DTICKS=${ticks}`])
      const front = Buffer.concat([bootSector, bootLine, stage2, kernelBytes, initrdBytes])
      return Buffer.concat([front, Buffer.alloc(partition * 512 - front.length), ext2])
    }
    return new Map([
      ['seedling.elf', await readFile(debug)],
      ['initrd.tar', initrd],
      ['seedling.img', await image('run=shell', 18)],
      ['seedling-selftest.img', await image('run=selftest panic=off', 0)],
    ])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
