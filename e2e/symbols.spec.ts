// Names in the Code panel: from the ELF file beside the image, when it is the one that runs.
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, guest, shots, test } from './application'

test('Seedling’s code has its names', async ({ start }) => {
  await mkdir(shots, { recursive: true })
  const { page } = await start({ files: [guest('seedling/seedling.img')], width: 1440, height: 900 })
  await page.keyboard.press('Control+2')
  await expect(page.getByTestId('here')).toBeVisible({ timeout: 60_000 })
  await page.getByTestId('pause').click()
  await expect(page.locator('.symbol th').first()).toBeVisible()
  await expect(page.getByTestId('code')).toContainText(/\.(c|asm):\d+/)
  await page.screenshot({ path: join(shots, 'symbols-seedling.png') })
})

test('symbols of other code are not believed', async ({ start }, info) => {
  const folder = info.outputPath('beside')
  await mkdir(folder, { recursive: true })
  await copyFile(guest('first-light/first-light.img'), join(folder, 'first-light.img'))
  await copyFile(guest('tests/multiboot1.elf'), join(folder, 'first-light.elf'))
  const { page } = await start({ files: [join(folder, 'first-light.img')] })
  await page.keyboard.press('Control+2')
  await expect(page.getByTestId('code')).toBeVisible()
  await expect(page.getByTestId('here')).toHaveCount(0)
})
