// The climb, stage by stage: what did it, what that changed, what is botched.
import { join } from 'node:path'
import { accessible, expect, guest, seed, shots, test } from './application'

test('a stage of the strip leads to the panel: the instruction, registers before and after, the documents', async ({
  start,
}) => {
  const { page } = await start({ files: [seed('p5.img')], width: 1440, height: 900 })
  await expect(page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true', { timeout: 30_000 })
  await page.getByTestId('climb-open-7').click()
  const panel = page.getByTestId('climb-panel')
  await expect(panel.getByTestId('stage').getByRole('heading').first()).toHaveText('Paging')
  await expect(panel.getByTestId('stage-by')).toContainText('0008:000080F8')
  await expect(panel.getByTestId('stage-by')).toContainText('mov cr0, eax')
  const row = (name: string) =>
    panel
      .getByTestId('stage-registers')
      .locator('tr', { has: page.locator('th', { hasText: new RegExp(`^${name}$`) }) })
  await expect(row('cr0')).toContainText('PG set')
  await expect(row('efer')).toContainText(/00000100.*00000500.*LMA set/)
  await expect(row('esp')).toHaveCount(0)
  await panel.getByRole('button', { name: 'All registers' }).click()
  await expect(row('esp')).toContainText('00090000')
  await expect(panel.getByTestId('stage-documents')).toContainText('SDM 3A 4.1.2')
  // By keyboard to the next stage; its address leads to the code.
  await panel.getByTestId('stage-7').press('ArrowDown')
  await expect(panel.getByTestId('stage').getByRole('heading').first()).toHaveText('Long mode active')
  await panel.getByTestId('stage-by').getByRole('button').first().click()
  // As the 32-bit code that it is, although the CPU executes 64-bit code now.
  await expect(page.getByTestId('code')).toContainText(/mov +cr0, eax/)
  await page.getByTestId('climb-open-9').click()
  await expect(panel.getByTestId('stage-by')).toContainText('jmp')
  // It is told the same to a panel that opens long after: the machine halted a while ago.
  await page.screenshot({ path: join(shots, 'climb-dark.png') })
  await accessible(page)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.screenshot({ path: join(shots, 'climb-light.png') })
})

test('Seedling climbs to user mode; each instruction has its symbol', async ({ start }) => {
  const { page } = await start({ files: [guest('seedling/seedling.img')], width: 1280, height: 800 })
  await expect(page.getByTestId('climb-10')).toHaveAttribute('data-reached', 'true', { timeout: 60_000 })
  await page.getByTestId('climb-open-10').click()
  await expect(page.getByTestId('stage-10')).toHaveAttribute('data-state', 'reached')
  await expect(page.getByTestId('stage-by')).toContainText('iretq')
  await expect(page.getByTestId('stage-by').locator('.symbol')).not.toBeEmpty()
  // The last of the list is brought into view.
  await expect(page.getByTestId('stage-10')).toBeInViewport({ ratio: 0.9 })
  await expect(page.getByTestId('stage-16')).toHaveAttribute('data-state', 'reached')
  await page.screenshot({ path: join(shots, 'climb-seedling-dark.png') })
})

test('a kernel that takes a step wrongly is told which one, and what the processor did', async ({
  start,
}) => {
  const { page } = await start({ files: [guest('tests/broken-order.img')] })
  await expect(page.getByTestId('fault')).toBeVisible({ timeout: 30_000 })
  await page.getByTestId('climb-open-6').click()
  const stage = page.getByTestId('stage')
  await expect(stage.getByRole('heading').first()).toHaveText('PAE')
  await expect(stage.getByTestId('trouble')).toContainText('Paging went on for long mode without CR4.PAE')
  await expect(page.getByTestId('stage-6')).toContainText('something is wrong')
  await page.screenshot({ path: join(shots, 'climb-broken-dark.png') })
  await accessible(page)
})
