// What the window costs the guest: a guest that only computes (and writes one character of the screen in between),
// with every panel sent at its full rate, and with nothing sent, in turns.
//
//   node e2e/measure-cost.mjs [ROUNDS]      after a build; needs a screen (or xvfb-run -a)
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron as electron } from '@playwright/test'
import { electronExecutable } from '../tools/electron-runtime.mjs'
import { root } from '../tools/paths.mjs'
import { NOTHING } from './interest.mjs'

const rounds = Number(process.argv[2] ?? 8)
const SECONDS = 1.5

/*  next: mov cx, 60000
    .sum: add eax, ecx / xor ebx, eax / mov [5000h], ebx / add edx, [5000h] / dec cx / jnz .sum
          inc word [6000h] / mov di, [6000h] / and di, 0ffeh / mov es:[di], al / jmp next      ; ES = B800h */
const BOOT =
  'fa 31 c0 8e d8 b8 00 b8 8e c0 b9 60 ea 66 01 c8 66 31 c3 66 89 1e 00 50 ' +
  '66 03 16 00 50 49 75 ed ff 06 00 60 8b 3e 00 60 81 e7 fe 0f 26 88 05 eb ' +
  'd9 '

const folder = await mkdtemp(join(tmpdir(), 'ringside-cost-'))
const image = join(folder, 'compute.img')
const sector = Buffer.alloc(512)
sector.set(Buffer.from(BOOT.replace(/\s/g, ''), 'hex'))
sector.set([0x55, 0xaa], 510)
await writeFile(image, sector)

const began = performance.now()
const app = await electron.launch({
  executablePath: electronExecutable(),
  args: ['--no-sandbox', `--user-data-dir=${folder}`, root, image],
  env: { .../** @type {Record<string, string>} */ (process.env), NODE_ENV: 'production' },
})
const page = await app.firstWindow()
await page.getByTestId('instructions').waitFor()
console.log(
  `from the command to the first figures in the window: ${Math.round(performance.now() - began)} ms`,
)
await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1440, 900))

const on = { ...NOTHING, screen: true, serial: 0, cpu: true, memory: true, code: { lines: 20, before: 6 } }
const off = NOTHING

/** @param {unknown} interest what is sent meanwhile. @returns {Promise<number>} MIPS */
async function speed(interest) {
  await page.evaluate((value) => window.ringside.call('interest', /** @type {any} */ (value)), interest)
  await page.waitForTimeout(250)
  const read = async () => Number((await page.getByTestId('instructions').textContent())?.replace(/\D/g, ''))
  const [first, start] = [await read(), performance.now()]
  await page.waitForTimeout(SECONDS * 1000)
  return ((await read()) - first) / (performance.now() - start) / 1000
}

/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
/** @type {number[]} */
const watched = []
/** @type {number[]} */
const alone = []
for (let round = 0; round < rounds; round++) {
  watched.push(await speed(on))
  alone.push(await speed(off))
}
await app.close()
await rm(folder, { recursive: true, force: true })
const show = (/** @type {number[]} */ values) => values.map((value) => value.toFixed(0)).join(' ')
console.log(`all panels, MIPS: ${show(watched)}; median ${median(watched).toFixed(1)}`)
console.log(`no panel, MIPS:   ${show(alone)}; median ${median(alone).toFixed(1)}`)
console.log(`cost: ${(100 * (1 - median(watched) / median(alone))).toFixed(1)} %`)
