// Shootdowns between Seedling's four CPUs, as the TLB panel draws them.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { expect, guest, shots, test } from './application'

const folder = mkdtempSync(join(tmpdir(), 'ringside-shootdowns-'))
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))
test.beforeAll(() => mkdir(shots, { recursive: true }))

test('draws shootdowns, the slowest first, and names stale uses', async ({ start }) => {
  const line = 'run=shell'
  const bytes = readFileSync(guest('seedling/seedling.img'))
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  const image = join(folder, 'seedling.img')
  writeFileSync(image, bytes)
  copyFileSync(guest('seedling/seedling.elf'), join(folder, 'seedling.elf'))
  const { page } = await start({ files: [image], width: 1440, height: 900 })
  await page.getByTestId('summary').click()
  await page.getByTestId('cpus').fill('4')
  await page.getByTestId('settings-start').click()
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await page.keyboard.press('Control+Shift+P')
  await page.keyboard.type('panel: tlb')
  await page.keyboard.press('Enter')
  await page.getByRole('radio', { name: 'shootdowns' }).click()
  await expect(page.getByTestId('shootdowns')).toContainText('A shootdown is told when')
  await page.getByTestId('serial').click()
  await page.keyboard.type('shootdown 30\n')
  await expect(page.getByTestId('shootdown-rows').locator('tbody tr').first()).toBeVisible({
    timeout: 60_000,
  })
  await expect(page.getByTestId('shootdown-diagram').getByRole('img')).toHaveAttribute(
    'aria-label',
    /CPU \d changed \d+ entries; CPU \d: interrupt sent/,
  )
  await expect(page.getByTestId('stale-uses')).toHaveCount(0)
  await page.screenshot({ path: join(shots, 'shootdowns-dark.png') })
  await page.getByTestId('serial').click()
  await page.keyboard.type('shootdown 3 forget\n')
  await expect(page.getByTestId('stale-uses')).toContainText('other frame', { timeout: 60_000 })
  await page.screenshot({ path: join(shots, 'shootdowns-stale.png') })
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' | ')}`)
  expect(serious).toEqual([])
})
