// Interrupts between Seedling's four CPUs: the graph of their ways, one of them step by step, the controllers, and the CPUs side by side.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { accessible, expect, guest, shots, test } from './application'

test.beforeAll(() => mkdir(shots, { recursive: true }))

for (const theme of ['dark', 'light'] as const) {
  test(`interrupts from the line to their end, and all CPUs, ${theme}`, async ({ start }) => {
    const { page } = await start({ files: [guest('seedling/seedling.img')], theme, width: 1440, height: 900 })
    await page.getByTestId('summary').click()
    await page.getByTestId('cpus').fill('4')
    await page.getByTestId('settings-start').click()
    await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
    // Stages: the other CPUs have been started before there was a user mode.
    await expect(page.getByTestId('climb-18')).toContainText('APs 3/3')
    const stages = await page.getByTestId('climb').locator('li').allTextContents()
    expect(stages.findIndex((text) => text.startsWith('APs'))).toBe(stages.length - 2)

    const choose = async (title: string) => {
      await page.keyboard.press('Control+Shift+P')
      await page.keyboard.type(title)
      await page.keyboard.press('Enter')
    }
    await choose('panel: cpus')
    await expect(page.getByTestId('cpus-started')).toHaveText('4 started')
    const rows = page.getByTestId('cpu-rows').locator('tbody tr')
    await expect(rows).toHaveCount(4)
    await expect(rows.nth(2)).toContainText('Long mode, 64-bit')
    // A row is what the panels follow.
    await rows.nth(2).getByRole('button', { name: '2', exact: true }).click()
    await expect(page.getByTestId('cpu')).toHaveAttribute('aria-label', 'CPU 2')
    await page.screenshot({ path: join(shots, `cpus-${theme}.png`) })
    await accessible(page)

    await choose('panel: interrupts')
    await page.getByTestId('serial').click()
    await page.keyboard.type('shootdown 30\n')
    // Each of the other CPUs is interrupted by CPU 0 with the vector of shootdowns.
    const sender = page.getByTestId('flow-source-ipi0')
    await expect(sender).toBeVisible()
    for (const cpu of [1, 2, 3]) await expect(page.getByTestId(`flow-target-cpu${cpu}`)).toBeVisible()
    await expect(page.getByTestId('flow-vector-v241')).toBeVisible()
    // The timers go on meanwhile: what is chosen stays in the list although others are more frequent.
    await page.getByTestId('flow-vector-v241').click()
    const list = page.getByTestId('interrupt-rows').locator('tbody tr')
    await expect(list.first()).toContainText('CPU 0IPIf1h')
    await list.first().getByRole('button').click()
    await expect(page.getByTestId('interrupt-steps').getByRole('img')).toHaveAttribute(
      'aria-label',
      /^CPU 0 sent it as vector f1h; accepted by the local APIC of CPU [123], .* later; taken by CPU [123], .* later; ended \(EOI\), .* later$/,
    )
    await page.screenshot({ path: join(shots, `interrupts-${theme}.png`) })
    await accessible(page)

    await page.getByRole('radio', { name: 'controllers' }).click()
    await expect(page.getByTestId('cpu-interrupts').locator('tbody tr')).toHaveCount(4)
    await expect(page.getByTestId('cpu-interrupts').locator('tbody tr').first()).toContainText('40h periodic')
    await expect(page.getByTestId('io-apic').locator('tbody tr').nth(4)).toContainText(/IRQ 4 COM1\/3.*24h/)
    await expect(page.getByTestId('io-apic').locator('tbody tr').nth(5)).toContainText('masked')
    await page.screenshot({ path: join(shots, `interrupt-controllers-${theme}.png`) })
    await accessible(page)
  })
}
