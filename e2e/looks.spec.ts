// Every state of the window, light and dark, wide and narrow: photographed for people to look at (out/shots), and
// held to the accessibility rules by axe.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { accessible, expect, guest, root, seed, serialLines, shots, test } from './application'

const SIZES = [
  { width: 1440, height: 900 },
  { width: 1280, height: 800 },
  { width: 900, height: 600 },
]

const STATES: { name: string; files: string[]; ready: (page: Page) => Promise<void> }[] = [
  { name: 'welcome', files: [], ready: (page) => expect(page.getByTestId('welcome')).toBeVisible() },
  {
    name: 'failed',
    files: [join(root, 'README.md')],
    ready: (page) => expect(page.getByTestId('failed')).toBeVisible(),
  },
  {
    name: 'long-mode',
    files: [seed('p5.img')],
    ready: (page) => expect.poll(() => serialLines(page)).toContain('64-bit Long mode: Enabled'),
  },
  {
    name: 'triple-fault',
    files: [seed('triple-fault.img')],
    ready: (page) => expect(page.getByTestId('fault')).toBeVisible(),
  },
  {
    name: 'autopsy',
    files: [guest('tests/broken-stack.img')],
    ready: (page) => expect(page.getByTestId('findings')).toBeVisible(),
  },
  {
    name: 'stepping',
    files: [seed('p3.img')],
    ready: async (page) => {
      await expect.poll(() => serialLines(page)).toContain('Stage2: OK')
      await page.getByTestId('pause').click()
      await expect(page.getByTestId('state')).toHaveText('paused')
      await page.keyboard.press('F11')
      await expect(page.getByTestId('register-rip')).toContainText('changed')
    },
  },
  {
    name: 'first-light',
    files: [guest('first-light/first-light.img')],
    ready: (page) => expect(page.getByTestId('screen-text')).toContainText('Graphics', { timeout: 20_000 }),
  },
]

test.beforeAll(() => mkdir(shots, { recursive: true }))

for (const { name, files, ready } of STATES) {
  for (const theme of ['dark', 'light'] as const) {
    test(`${name}, ${theme}`, async ({ start }) => {
      const { app, page } = await start({ files, theme, ...SIZES[0]! })
      await ready(page)
      for (const { width, height } of SIZES) {
        await app.evaluate(
          ({ BrowserWindow }, size) =>
            BrowserWindow.getAllWindows()[0]!.setContentSize(size.width, size.height),
          { width, height },
        )
        await page.waitForFunction((width) => window.innerWidth === width, width)
        // A frame of the guest and one of the layout, so that people see what they would see.
        await page.evaluate(() => new Promise((done) => setTimeout(done, 250)))
        await page.screenshot({ path: join(shots, `${name}-${theme}-${width}.png`) })
      }
      await accessible(page)
    })
  }
}
