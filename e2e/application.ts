// Starts the real application in real Electron for a test, with a profile of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import AxeBuilder from '@axe-core/playwright'
import {
  _electron as electron,
  type ElectronApplication,
  type Page,
  expect,
  test as base,
} from '@playwright/test'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const guest = (path: string) => join(root, 'assets/guests', path)
export const seed = (name: string) => guest(`seed/${name}`)
export const shots = join(root, 'out/shots')

export interface Started {
  app: ElectronApplication
  page: Page
  profile: string
}

export interface Options {
  files?: string[]
  /** Flags of the command line. */
  flags?: string[]
  /** Of the page. */
  width?: number
  height?: number
  theme?: 'light' | 'dark'
  /** A profile to go on with. */
  profile?: string
}

async function launch({
  files = [],
  flags = [],
  width = 1280,
  height = 800,
  theme = 'dark',
  profile,
}: Options) {
  const folder = profile ?? (await mkdtemp(join(tmpdir(), 'ringside-profile-')))
  const app = await electron.launch({
    args: ['--no-sandbox', `--user-data-dir=${folder}`, root, ...flags, ...files],
    env: { ...process.env, NODE_ENV: 'production' } as Record<string, string>,
  })
  const page = await app.firstWindow()
  await app.evaluate(
    ({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(size.width, size.height),
    { width, height },
  )
  await page.emulateMedia({ colorScheme: theme })
  await drawsFrames(app, page)
  return { app, page, profile: folder }
}

/**
 * A window without frames answers questions about its text, but no click ever finds its target at rest: a test would
 * wait half a minute and tell nothing. So it is asked first, and says what the window's state is if there are none.
 */
async function drawsFrames(app: ElectronApplication, page: Page) {
  const drawn = await page.evaluate(
    () =>
      new Promise<boolean>((done) => {
        requestAnimationFrame(() => requestAnimationFrame(() => done(true)))
        setTimeout(() => done(false), 20_000)
      }),
  )
  if (drawn) return
  const state = await app.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows()
    return JSON.stringify({
      visible: window?.isVisible(),
      minimized: window?.isMinimized(),
      bounds: window?.getBounds(),
    })
  })
  throw new Error(`the window draws no frames: ${state}`)
}

/**
 * `start` launches Ringside; what it started is closed and removed at the end of the test. Starting another closes
 * the one before: two applications with a machine each are more than two cores carry.
 */
export const test = base.extend<{ start: (options?: Options) => Promise<Started> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright finds out by the pattern what a fixture needs
  start: async ({}, use) => {
    const started: Started[] = []
    await use(async (options = {}) => {
      await started.at(-1)?.app.close()
      const one = await launch(options)
      started.push(one)
      return one
    })
    for (const { app } of started) await app.close().catch(() => undefined)
    for (const { profile } of started) await rm(profile, { recursive: true, force: true })
  },
})

export { expect }

/** No finding of axe that is serious: names, roles, contrast. */
export async function accessible(page: Page) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' | ')}`)).toEqual(
    [],
  )
}

/** What COM1 has said, line by line, without the empty line that waits for more. */
export async function serialLines(page: Page): Promise<string[]> {
  const text = (await page.getByTestId('serial-text').textContent()) ?? ''
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line, i, all) => line !== '' || i < all.length - 1)
}
