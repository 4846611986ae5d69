// The page-table panel over a guest that has just entered long mode with an identity map of two 2 MiB pages.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { accessible, expect, guest, seed, serialLines, shots, test } from './application'

async function show(page: Page) {
  await expect(page.getByTestId('palette')).toBeHidden()
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('page tables')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('pages')).toBeVisible()
}

async function walkTo(page: Page, address: string) {
  await page.getByLabel('Walk to a linear address, hexadecimal').fill(address)
  await page.keyboard.press('Enter')
}

test('walks an address, asks what if, and comes back', async ({ start }) => {
  const { page } = await start({ files: [seed('p5.img')] })
  await expect.poll(() => serialLines(page)).toContain('64-bit Long mode: Enabled')
  await show(page)
  await walkTo(page, '0x201234')
  await expect(page.getByTestId('walk-physical')).toContainText('00201234')
  await expect(page.getByTestId('walk-physical')).toContainText(
    '2 MiB page, supervisor, writable, executable',
  )
  await expect(page.getByTestId('access-0-write')).toHaveText('yes')
  await expect(page.getByTestId('access-3-read')).toHaveText('#PF 0005')

  await page.getByTestId('bit-2-P').click()
  await expect(page.getByTestId('access-0-write')).toHaveText('#PF 0002')
  await expect(page.getByTestId('walk-physical')).toBeHidden()
  await page.getByTestId('as-it-is').click()
  await expect(page.getByTestId('access-0-write')).toHaveText('yes')

  await walkTo(page, '8000 0000 0000')
  await expect(page.getByTestId('pages')).toContainText('not canonical')
  await expect(page.getByTestId('space')).toContainText('identity')
  await page.getByTestId('space').getByRole('button').first().click()
  await expect(page.getByTestId('walk-address')).toContainText('00000000')
})

test.beforeAll(() => mkdir(shots, { recursive: true }))
for (const theme of ['dark', 'light'] as const) {
  test(`looks right, ${theme}`, async ({ start }) => {
    const { app, page } = await start({
      // It never gets as far as paging: nothing runs on while this looks.
      files: [seed('triple-fault.img')],
      theme,
      width: 1440,
      height: 900,
    })
    await expect(page.getByTestId('fault')).toBeVisible()
    await expect(page.getByTestId('climb-8')).toHaveAttribute('data-reached', 'false')
    await page.keyboard.press('Control+3')
    await expect(page.getByTestId('pages')).toContainText('Paging is off')
    await page.screenshot({ path: join(shots, `pages-off-${theme}.png`) })
    await app.close()

    const long = await start({ files: [seed('p5.img')], theme, width: 1440, height: 900 })
    await expect.poll(() => serialLines(long.page)).toContain('64-bit Long mode: Enabled')
    await long.page.keyboard.press('Control+3')
    await walkTo(long.page, '201234')
    await expect(long.page.getByTestId('walk-physical')).toBeVisible()
    await long.page.getByTestId('bit-2-RW').click()
    for (const { width, height } of [
      { width: 1440, height: 900 },
      { width: 900, height: 600 },
    ]) {
      await long.app.evaluate(
        ({ BrowserWindow }, size) =>
          BrowserWindow.getAllWindows()[0]!.setContentSize(size.width, size.height),
        { width, height },
      )
      await long.page.waitForFunction((width) => window.innerWidth === width, width)
      await show(long.page)
      await long.page.evaluate(() => new Promise((done) => setTimeout(done, 250)))
      await long.page.screenshot({ path: join(shots, `pages-${theme}-${width}.png`) })
    }
    await accessible(long.page)
  })
}

test('the TLB shows what a guest forgot to invalidate', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/tlb-stale.img')], width: 1440, height: 900 })
  await expect(page.getByTestId('stuck')).toBeVisible()
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('show panel: tlb')
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('tlb-stale')).toHaveText('3 stale')
  await page.getByTestId('tlb-stale').click()
  const rows = page.getByTestId('tlb-ranges').locator('tbody tr')
  await expect(rows).toHaveCount(3)
  await expect(rows.first()).toContainText('stale: frame 50000 now')
  const colours = () =>
    page
      .getByTestId('tlb')
      .locator('canvas')
      .evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
        return new Set(new Uint32Array(data.buffer)).size
      })
  // Background, supervisor, global, stale.
  await expect.poll(colours).toBe(4)
  await page.screenshot({ path: join(shots, 'tlb-dark.png') })
  await rows
    .first()
    .getByRole('button', { name: /walk to it/ })
    .click()
  await expect(page.getByTestId('walk-tlb')).toContainText('stale: the page tables lead to another frame')
  await accessible(page)
})
