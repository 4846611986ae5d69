// Preferences: they apply at once, are remembered, and more rights for the page are the user's to give.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessible, expect, seed, shots, test } from './application'

test('theme, size, motion and the machines of new documents', async ({ start }) => {
  const first = await start({ files: [seed('p5.img')] })
  const { app, page } = first
  await expect(page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true')
  await page.keyboard.press('Control+Shift+P')
  await page.getByRole('combobox').fill('preferences')
  await page.keyboard.press('Enter')
  const dialog = page.getByTestId('preferences')
  await expect(dialog).toBeVisible()
  await page.screenshot({ path: join(shots, 'preferences-dark.png') })
  await accessible(page)
  await page.getByTestId('preference-theme').selectOption('light')
  await expect.poll(() => app.evaluate(({ nativeTheme }) => nativeTheme.themeSource)).toBe('light')
  await page.getByTestId('preference-text').selectOption('125')
  await expect
    .poll(() =>
      app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getZoomFactor()),
    )
    .toBeCloseTo(1.25)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.screenshot({ path: join(shots, 'preferences-light.png') })
  await page.getByTestId('preference-motion').selectOption('reduced')
  await expect(page.locator('html')).toHaveAttribute('data-motion', 'reduced')
  await page.getByTestId('preference-cpus').fill('2')
  await page.getByTestId('preference-memory').fill('64')
  await page.getByTestId('preference-schedule').selectOption('parallel')
  // What cannot be is refused by the main process, in words.
  await page.getByTestId('preference-cpus').fill('99')
  await page.getByTestId('preference-cpus').press('Tab')
  await expect(dialog.getByRole('alert')).toHaveText('cpus must be a whole number from 1 to 16')
  await page.getByTestId('preference-symbols').uncheck()
  await page.getByTestId('forget-layouts').click()
  await expect(dialog).toContainText('done')
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
  await page.waitForTimeout(600)

  const { page: next } = await start({ files: [seed('p4.img')], profile: first.profile })
  await expect(next.getByTestId('summary')).toContainText('2 CPUs')
  await expect(next.getByTestId('summary')).toContainText('64 MiB')
  await next.keyboard.press('Control+Shift+P')
  await next.getByRole('combobox').fill('preferences')
  await next.keyboard.press('Enter')
  await expect(next.getByTestId('preference-theme')).toHaveValue('light')
  await expect(next.getByTestId('preference-symbols')).not.toBeChecked()
  await expect(next.locator('html')).toHaveAttribute('data-motion', 'reduced')
})

test('that shells open without asking is asked for by the system, not by the page', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p5.img')] })
  const answer = (response: number) =>
    app.evaluate(({ dialog }, response) => {
      dialog.showMessageBox = async () => ({ response, checkboxChecked: false })
    }, response)
  await expect(page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true')
  await answer(1)
  await page.keyboard.press('Control+Shift+P')
  await page.getByRole('combobox').fill('preferences')
  await page.keyboard.press('Enter')
  await page.getByTestId('preference-shell').selectOption('allow')
  await expect(page.getByTestId('preference-shell')).toHaveValue('ask')
  await page.getByTestId('preference-shell').selectOption('never')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+Shift+P')
  await page.getByRole('combobox').fill('panel: Terminal')
  await page.keyboard.press('Enter')
  await page.getByTestId('open-shell').click()
  await expect(page.getByText('the preferences allow no shell from the page')).toBeVisible()
})

test('the file manager of a Linux desktop offers Ringside when the user says so', async ({ start }) => {
  test.skip(process.platform !== 'linux', 'file types belong to installed applications there')
  const home = mkdtempSync(join(tmpdir(), 'ringside-home-'))
  try {
    const { app, page } = await start({ files: [seed('p5.img')] })
    const entry = join(home, 'data/applications/ringside.desktop')
    const answer = (response: number) =>
      app.evaluate(
        ({ dialog }, { response, home }) => {
          Object.assign(process.env, { XDG_DATA_HOME: `${home}/data`, XDG_CONFIG_HOME: `${home}/config` })
          dialog.showMessageBox = async () => ({ response, checkboxChecked: false })
        },
        { response, home },
      )
    await answer(1)
    await expect(page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true')
    await page.keyboard.press('Control+Shift+P')
    await page.getByRole('combobox').fill('preferences')
    await page.keyboard.press('Enter')
    const box = page.getByTestId('preference-associated')
    await expect(box).not.toBeChecked()
    // The user has thought better of it.
    await box.click()
    await expect(box).not.toBeChecked()
    expect(existsSync(entry)).toBe(false)
    await answer(0)
    await box.click()
    await expect.poll(() => existsSync(entry)).toBe(true)
    await expect(box).toBeChecked()
    await box.click()
    await expect.poll(() => existsSync(entry)).toBe(false)
    await expect(box).not.toBeChecked()
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
})
