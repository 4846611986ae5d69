// The events panel over Seedling, which reports its allocations by the debug port.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { expect, guest, shots, test } from './application'

test.beforeAll(() => mkdir(shots, { recursive: true }))

for (const theme of ['dark', 'light'] as const) {
  test(`tells what happens, filters it and leads to the code, ${theme}`, async ({ start }) => {
    const { page } = await start({ files: [guest('seedling/seedling.img')], theme, width: 1440, height: 900 })
    await expect(page.getByTestId('serial-text')).toContainText('seedling> ', { timeout: 60_000 })
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type('panel: events')
    await page.keyboard.press('Enter')
    const rows = page.getByTestId('event-rows').locator('tbody tr')
    const toggle = async (...names: string[]) => {
      for (const name of names)
        await page.getByTestId('events').getByRole('button', { name, exact: true }).click()
    }
    await page.getByTestId('serial').click()
    await page.keyboard.type('walker 50\n')
    await expect(rows.first()).toBeVisible()
    await page.screenshot({ path: join(shots, `events-${theme}.png`) })
    // Only exceptions.
    await toggle('interrupts', 'modes', 'BIOS', 'disk', 'kernel', 'probes')
    await page.getByTestId('serial').click()
    await page.keyboard.type('walker 50\n')
    const fault = rows.filter({ hasText: 'page fault: user read, not present' }).last()
    await expect(fault).toBeVisible()
    await page.screenshot({ path: join(shots, `events-faults-${theme}.png`) })

    // Only what the kernel said until then.
    await toggle('exceptions', 'kernel')
    await page.getByTestId('serial').click()
    await page.keyboard.type('walker 50\n')
    await expect(page.getByTestId('serial-text')).toContainText(/(walker[\s\S]*){3}seedling> $/)
    await page.getByTestId('pause').click()
    await expect(rows.filter({ hasText: '#PF' })).toHaveCount(0)
    // Up from the end, where the idle task and the others take turns.
    const list = page.getByRole('region', { name: 'Events, oldest first' })
    await list.evaluate((box) => {
      box.scrollTop = box.scrollHeight / 2
    })
    await expect(page.getByRole('button', { name: 'follow', exact: true })).toHaveAttribute(
      'aria-pressed',
      'false',
    )
    const allocations = rows.filter({ hasText: 'allocate' }).filter({ hasText: 'from frames' })
    await expect
      .poll(async () => {
        // What has been found stays where it is.
        if ((await allocations.count()) === 0)
          await list.evaluate((box) => {
            box.scrollTop -= 400
          })
        return allocations.count()
      })
      .toBeGreaterThan(0)
    const allocation = allocations.last()
    await expect(allocation).toContainText(/\w+\+[0-9A-F]+h/)
    // One click from the code and from the frame.
    await expect(async () => {
      // A click on a row that the scrolling replaces at that moment is none.
      await allocation.getByRole('button', { name: /show it/ }).click()
      await expect(page.getByTestId('frame-card')).toContainText(/(allocated|freed) on CPU 0 at/, {
        timeout: 5000,
      })
    }).toPass({ timeout: 40_000 })
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
    const serious = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' | ')}`)
    expect(serious).toEqual([])
  })
}
