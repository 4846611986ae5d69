// Windows closed, machines reset and images swapped in the middle of anything, at random with a fixed seed, with every panel
// open: nothing of it may end in an error of the page or of the main process. RINGSIDE_SEED and RINGSIDE_SECONDS are for longer runs.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { PANEL_IDS, PANELS } from '../renderer/src/panels/info'
import { expect, guest, seed, test } from './application'

/** What a call is answered that comes too late: Electron tells it as well. */
const REFUSALS =
  /handler for 'call': (Range)?Error: (nothing is open|no machine is open|this machine (cannot|has)|no moment|pause the machine)/
const SECONDS = Number(process.env['RINGSIDE_SECONDS'] ?? 20)
/** Nothing of it takes longer, however busy the host is, ms. */
const STALL = 25_000
let folder: string
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-chaos-'))
  for (const name of ['seedling.img', 'seedling.elf', 'seedling.lens.json'])
    copyFileSync(guest(`seedling/${name}`), join(folder, name))
  copyFileSync(seed('p3.img'), join(folder, 'p3.img'))
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Numbers that are the same in every run (mulberry32). */
function numbers(from: number) {
  let state = from
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

test('nothing that is done in the middle of anything ends in an error', async ({ start }) => {
  test.setTimeout((SECONDS + 120) * 1000)
  const { app, page: first } = await start({
    files: [join(folder, 'seedling.img')],
    width: 1440,
    height: 900,
  })
  const errors: string[] = []
  app.process().stderr?.on('data', (text: Buffer) => {
    for (const line of String(text).split('\n'))
      if (/Ringside:|Error\b|Unhandled/.test(line) && !/^\[\d+:/.test(line) && !REFUSALS.test(line))
        errors.push(line)
  })
  const watched = new Set<Page>()
  const watch = (page: Page) => {
    if (watched.has(page)) return
    watched.add(page)
    page.on('pageerror', (error) => errors.push(`page: ${error.stack}`))
    page.on('console', (message) => message.type() === 'error' && errors.push(`console: ${message.text()}`))
  }
  watch(first)
  app.on('window', watch)
  const next = numbers(Number(process.env['RINGSIDE_SEED'] ?? 6))
  const seedling = join(folder, 'seedling.img')
  const images = [
    seedling,
    join(folder, 'p3.img'),
    join(folder, 'not-there.img'),
    join(folder, 'seedling.elf'),
  ]
  /** What is done to a page that may be gone, or show another document, is allowed to be refused, in words. */
  const call = (page: Page, name: string, ...args: unknown[]) =>
    page
      .evaluate(
        ([name, args]) =>
          (window.ringside.call as (name: string, ...args: unknown[]) => Promise<unknown>)(
            name as string,
            ...(args as unknown[]),
          ).then(
            () => '',
            (error: Error) => error.message,
          ),
        [name, args] as const,
      )
      .catch(() => '')
  const any = <T>(list: readonly T[]): T => list[next(list.length)]!
  const command = async (page: Page, title: string) => {
    await page.keyboard.press('Control+Shift+P').catch(() => {})
    await page.keyboard.type(title).catch(() => {})
    await page.keyboard.press('Enter').catch(() => {})
  }
  // What is typed is taken when the guest asks for it: nobody waits for that.
  const acts: [string, (page: Page) => Promise<unknown>][] = [
    ['reset', (page) => call(page, 'machine', 'reset')],
    ['reset twice', (page) => Promise.all([call(page, 'machine', 'reset'), call(page, 'machine', 'reset')])],
    [
      'pause, step, run',
      async (page) => {
        for (const what of ['pause', 'step', 'stepOver', 'stepAll', 'run']) void call(page, 'machine', what)
      },
    ],
    ['pause', (page) => call(page, 'machine', 'pause')],
    ['run', (page) => call(page, 'machine', 'run')],
    [
      'another image here',
      async (page) => {
        // The window takes a file only when nothing is open in it; its machine is started anew otherwise.
        await call(page, 'document.open', any(images))
      },
    ],
    [
      'power on with other settings',
      async (page) => {
        const settings = {
          cpus: 1 + next(4),
          memory: any([32, 64]) * 2 ** 20,
          cpu: 'v3',
          schedule: any(['deterministic', 'parallel']),
        }
        await call(page, 'settings.start', {
          ...settings,
          seed: '0',
          boot: [],
          images: [],
          initrd: [],
          append: '',
        })
      },
    ],
    ['fork storm', async (page) => void call(page, 'serial.input', 0, 'forkstorm 1000\n')],
    ['fault', async (page) => void call(page, 'serial.input', 0, 'fault double\n')],
    ['a layout', (page) => command(page, any(['layout: memory', 'layout: boot', 'layout: debug']))],
    ['a panel', (page) => command(page, `panel: ${PANELS[any(PANEL_IDS)].title}`)],
    ['load the page again', (page) => page.reload().catch(() => {})],
    [
      'questions',
      async (page) => {
        void call(page, 'memory.frame', next(20_000))
        void call(page, 'memory.locate', any(['linear', 'physical']), next(2 ** 31).toString(16))
        void call(page, 'memory.bytes', any(['linear', 'physical']), next(2 ** 31).toString(16), 1 + next(64))
        void call(page, 'spaces.read', any(['', next(2 ** 24).toString(16)]))
        void call(page, 'spaces.remember')
        void call(page, 'spaces.difference', { moment: 'asked' }, { cr3: next(2 ** 24).toString(16) })
        void call(page, 'symbols.find', 'a')
        void call(page, 'allocator.slabs', next(20))
        void call(page, 'memory.search', 'physical', '0', new Uint8Array([0x55, 0xaa]))
      },
    ],
    ['wait', (page) => page.waitForTimeout(300).catch(() => {})],
  ]
  // Every panel at once: each in a group of its own.
  await command(first, 'layout: memory')
  for (const id of PANEL_IDS.filter((id) => !PANELS[id].transient && id !== 'terminal')) {
    await command(first, `panel: ${PANELS[id].title}`)
    if (next(2) === 0) await command(first, 'float the panel')
  }
  const done: string[] = []
  const end = Date.now() + SECONDS * 1000
  while (Date.now() < end) {
    const pages = app.windows().filter((page) => !page.isClosed())
    const page = any(pages)
    const what = next(acts.length + 2)
    if (what === acts.length && pages.length > 1) {
      done.push('close a window')
      await page.close().catch(() => {})
    } else if (what === acts.length + 1 && pages.length < 3) {
      done.push('another window')
      await call(page, 'document.open', any(images))
    } else {
      const act = acts[what % acts.length]!
      done.push(act[0])
      const began = Date.now()
      const state = await Promise.race([
        act[1](page).then(() => 'done'),
        new Promise((late) => setTimeout(() => late('late'), STALL)),
      ])
      if (state === 'late') errors.push(`“${act[0]}” had no end within ${STALL} ms`)
      if (process.env['RINGSIDE_TALK']) console.log(`${Date.now() - began} ms ${act[0]}`)
    }
  }
  // And it still works: a window is open, and its machine boots.
  const last = app.windows().find((page) => !page.isClosed())!
  await call(last, 'document.open', seedling)
  await expect
    .poll(
      async () => {
        for (const page of app.windows())
          for (const text of await page
            .getByTestId('state')
            .allTextContents()
            .catch(() => []))
            if (text) return text
        return ''
      },
      { timeout: 60_000 },
    )
    .not.toBe('')
  expect(errors, `after ${done.slice(-12).join(', ')}`).toEqual([])
})
