// The first start: Seedling, and a tour that points at the real panels.
import { join } from 'node:path'
import { accessible, expect, seed, shots, test } from './application'

test('the first start opens Seedling and shows around; the second does not', async ({ start }) => {
  const first = await start({ flags: ['--first'], width: 1280, height: 800 })
  const { page } = first
  await expect(page.getByTestId('name')).toHaveText('seedling.img')
  const card = page.getByTestId('tour')
  await expect(card).toContainText('1 of 7')
  await expect(card).toBeFocused()
  await page.screenshot({ path: join(shots, 'tour-first-dark.png') })
  await accessible(page)
  // What it points at works meanwhile: the guest’s console.
  await card.getByTestId('tour-next').click()
  await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await card.getByTestId('tour-type').click()
  await expect(page.getByTestId('serial-text')).toContainText('go wrong on purpose')
  await page.keyboard.press('F6')
  await expect(page.getByTestId('state')).toHaveText('paused')
  await page.keyboard.press('F5')
  // By keys, through each panel.
  await card.getByTestId('tour-next').press('ArrowRight')
  await expect(card).toContainText('3 of 7')
  await card.press('ArrowRight')
  await expect(page.getByTestId('allocator')).toBeVisible()
  await card.getByTestId('tour-type').click()
  await page.screenshot({ path: join(shots, 'tour-allocator-dark.png') })
  await card.press('ArrowRight')
  await expect(page.getByTestId('pages')).toBeVisible()
  await card.press('ArrowLeft')
  await expect(card).toContainText('4 of 7')
  await card.press('Escape')
  await expect(card).toBeHidden()
  // Again from the palette.
  await page.keyboard.press('Control+Shift+P')
  await page.getByRole('combobox').fill('show me around')
  await page.keyboard.press('Enter')
  await expect(card).toContainText('1 of 7')
  for (let i = 0; i < 7; i++) await card.getByTestId('tour-next').click()
  await expect(card).toBeHidden()
  await page.waitForTimeout(600)
  // It is remembered.
  const again = await start({ flags: ['--first'], profile: first.profile })
  await expect(again.page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
  await expect(again.page.getByTestId('tour')).toBeHidden()
})

test('the start page offers it, and an image of one’s own is opened without', async ({ start }) => {
  const { page } = await start({ theme: 'light' })
  await page.screenshot({ path: join(shots, 'welcome-light.png') })
  await accessible(page)
  await page.getByTestId('tour-start').click()
  await expect(page.getByTestId('tour')).toContainText('1 of 7')
  await page.screenshot({ path: join(shots, 'tour-first-light.png') })
  await page.getByTestId('tour-skip').click()
  const other = await start({ files: [seed('p5.img')] })
  await expect(other.page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true')
  await expect(other.page.getByTestId('tour')).toBeHidden()
})
