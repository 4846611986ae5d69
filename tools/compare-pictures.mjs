// node tools/compare-pictures.mjs --out FOLDER [--cdrom FILE | --floppy FILE | --disk FILE]
//     [--type TEXT] [--after SECONDS] [--seconds SECONDS]
//
// Boots an image on Ringside and on QEMU (pc, stdvga), types TEXT into COM1 of both (\r and \e are understood) after a while,
// takes a picture of each screen, and says how many pixels differ and where. FOLDER gets ours.png, qemu.png and, where they
// differ, difference.png. Wants qemu-system-x86_64 and ImageMagick. Exit status 1 when the pictures differ.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './paths.mjs'

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'pictures' },
    cdrom: { type: 'string' },
    floppy: { type: 'string' },
    disk: { type: 'string' },
    type: { type: 'string', default: '' },
    after: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '16' },
  },
})
const out = resolve(values.out)
mkdirSync(out, { recursive: true })
const text = values.type.replaceAll('\\r', '\r').replaceAll('\\n', '\n').replaceAll('\\e', '\x1b')
const [after, seconds] = [Number(values.after) * 1000, Number(values.seconds) * 1000]

/** @param {number} milliseconds @returns {Promise<void>} */
const sleep = (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds))

/** @param {string} command @param {string[]} args @returns {Promise<import('node:child_process').ChildProcess>} */
async function run(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.on('error', (error) => {
    process.stderr.write(`compare-pictures: ${command}: ${error.message}\n`)
    process.exit(2)
  })
  return child
}

async function ours() {
  const images = ['cdrom', 'floppy', 'disk'].flatMap((kind) => {
    const path = values[/** @type {'cdrom'} */ (kind)]
    return path === undefined ? [] : [`--${kind}`, path]
  })
  const picture = join(out, 'ours.png')
  const time = String(seconds / 1000)
  const args = [join(root, 'tools/ringside.mjs'), 'run', ...images, '--memory', '256M', '--timeout', time]
  const child = await run(process.execPath, [...args, '--screenshot', picture])
  const ended = new Promise((wake) => child.once('close', wake))
  await Promise.race([sleep(after), ended])
  child.stdin?.write(text)
  await ended
  return picture
}

async function qemu() {
  const args = ['-accel', 'tcg', '-m', '256', '-display', 'none', '-vga', 'std', '-net', 'none']
  args.push(
    '-chardev',
    `socket,id=com1,path=${join(out, 'com1')},server=on,wait=off`,
    '-serial',
    'chardev:com1',
  )
  if (values.cdrom !== undefined) args.push('-cdrom', values.cdrom, '-boot', 'd')
  if (values.floppy !== undefined)
    args.push('-drive', `file=${values.floppy},format=raw,if=floppy,snapshot=on`)
  if (values.disk !== undefined) args.push('-drive', `file=${values.disk},format=raw,if=ide,snapshot=on`)
  const child = await run('qemu-system-x86_64', [...args, '-monitor', 'stdio'])
  const ended = new Promise((wake) => child.once('close', wake))
  await sleep(after)
  if (text) {
    const { connect } = await import('node:net')
    const line = connect(join(out, 'com1'))
    line.on('error', () => {})
    line.resume()
    line.write(text)
  }
  await sleep(seconds - after)
  const shot = join(out, 'qemu.ppm')
  child.stdin?.write(`screendump ${shot}\n`)
  for (let looks = 0; looks < 50 && !existsSync(shot); looks++) await sleep(100)
  await sleep(300)
  child.stdin?.write('quit\n')
  await ended
  const picture = join(out, 'qemu.png')
  magick(['convert', shot, picture])
  rmSync(shot, { force: true })
  rmSync(join(out, 'com1'), { force: true })
  return picture
}

/** @param {string[]} args @returns {Buffer} */
function magick([command = '', ...args]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { maxBuffer: 1 << 28 })
  if (error) {
    process.stderr.write(`compare-pictures: ${command} (ImageMagick): ${error.message}\n`)
    process.exit(2)
  }
  if (status !== 0 && command !== 'compare') throw new Error(stderr.toString())
  return stdout
}

/** @param {string} picture */
function pixels(picture) {
  const size = magick(['identify', '-format', '%w %h', picture])
  const [width = 0, height = 0] = size.toString().split(' ').map(Number)
  return { width, height, bytes: magick(['convert', picture, '-depth', '8', 'rgb:-']) }
}

const [a, b] = [pixels(await ours()), pixels(await qemu())]
if (a.width !== b.width || a.height !== b.height) {
  process.stdout.write(`ours is ${a.width} x ${a.height}, QEMU's ${b.width} x ${b.height}\n`)
  process.exit(1)
}
/** Six bits of the DAC become eight in more than one way: QEMU's are up to 3 less than those of equal steps. */
const ALIKE = 3
let different = 0
let box = [a.width, a.height, -1, -1]
for (let at = 0; at < a.bytes.length; at += 3) {
  if ([at, at + 1, at + 2].every((i) => Math.abs((a.bytes[i] ?? 0) - (b.bytes[i] ?? 0)) <= ALIKE)) continue
  different++
  const [x, y] = [(at / 3) % a.width, Math.floor(at / 3 / a.width)]
  const [left = 0, top = 0, right = 0, bottom = 0] = box
  box = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)]
}
const where = different === 0 ? '' : `, from (${box[0]}, ${box[1]}) to (${box[2]}, ${box[3]})`
process.stdout.write(`${a.width} x ${a.height}: ${different} pixels differ${where}\n`)
if (different > 0) {
  magick(['compare', join(out, 'ours.png'), join(out, 'qemu.png'), join(out, 'difference.png')])
  process.exitCode = 1
}
