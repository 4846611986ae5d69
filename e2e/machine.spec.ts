// What a document's machine is made of: settings, kernels, many CPUs, drives; and the guest's screen and mouse.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootableCd } from '../emulator/core/testing/iso-writer'
import { accessible, expect, guest, seed, serialLines, shots, test } from './application'

test.beforeAll(() => mkdir(shots, { recursive: true }))

test('settings are chosen, power the machine on again, and are remembered', async ({ start }) => {
  const first = await start({ files: [seed('p5.img')] })
  const { page } = first
  await expect.poll(() => serialLines(page)).toContain('64-bit Long mode: Enabled')
  await expect(page.getByTestId('summary')).toBeVisible()
  await page.keyboard.press('Control+,')
  await expect(page.getByTestId('settings')).toBeVisible()
  await page.getByTestId('cpus').fill('17')
  await expect(page.getByTestId('settings').getByRole('alert')).toContainText('1 to 16')
  await expect(page.getByTestId('settings-start')).toBeDisabled()
  await page.getByTestId('cpus').fill('3')
  await page.getByTestId('memory-size').fill('64')
  await page.getByTestId('seed').fill('7')
  await page.screenshot({ path: join(shots, 'settings-dark.png') })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.screenshot({ path: join(shots, 'settings-light.png') })
  await accessible(page)
  await page.getByTestId('settings-start').click()
  await expect(page.getByTestId('summary')).toContainText('3 CPUs · 64 MiB')
  await expect(page.getByTestId('schedule')).toHaveText('deterministic · seed 7')
  await expect.poll(() => serialLines(page)).toContain('64-bit Long mode: Enabled')
  await first.app.close()
  const second = await start({ files: [seed('p5.img')], profile: first.profile })
  await expect(second.page.getByTestId('summary')).toContainText('3 CPUs · 64 MiB')
})

test('each CPU can be followed and stepped; the schedule is changed while it is paused', async ({
  start,
}) => {
  const { page } = await start({ files: [seed('p5.img')], width: 1440, height: 900 })
  await expect.poll(() => serialLines(page)).toContain('64-bit Long mode: Enabled')
  await expect(page.getByTestId('summary')).toBeVisible()
  await page.keyboard.press('Control+,')
  await page.getByTestId('cpus').fill('4')
  await page.getByTestId('settings-start').click()
  await expect(page.getByTestId('summary')).toContainText('4 CPUs')
  await expect.poll(() => serialLines(page)).toContain('64-bit Long mode: Enabled')
  const cpu = page.getByTestId('cpu')
  const chip = cpu.getByTestId('cpu-chip-2')
  await expect(chip).toHaveText('2 · sipi')
  await chip.click()
  await expect(cpu.getByTestId('activity')).toHaveText('waits for SIPI')
  await expect(cpu.getByTestId('mode')).toContainText('Real')
  await page.getByTestId('pause').click()
  await expect(page.getByTestId('state')).toHaveText('paused')
  await page.getByTestId('schedule').click()
  await expect(page.getByTestId('schedule')).toHaveText('parallel')
  await cpu.getByTestId('cpu-chip-0').click()
  await expect(cpu.getByTestId('mode')).toContainText('64-bit')
  await page.keyboard.press('Shift+F11')
  await expect(page.getByTestId('state')).toHaveText('paused')
  await page.screenshot({ path: join(shots, 'cpus-dark.png') })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.screenshot({ path: join(shots, 'cpus-light.png') })
  await accessible(page)
})

test('a kernel is offered its command line and initial RAM disk before it boots', async ({ start }) => {
  const first = await start({ files: [guest('tests/direct-boot.img')] })
  const { app, page } = first
  await expect(page.getByTestId('kernel')).toBeVisible()
  await page.getByTestId('append').fill('hello from the window')
  const initrd = guest('tests/serial-echo.asm')
  await app.evaluate(({ dialog }, path) => {
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] })
  }, initrd)
  await page.getByTestId('add-initrd').click()
  await expect(page.getByTestId('initrd')).toContainText('serial-echo.asm')
  await page.screenshot({ path: join(shots, 'kernel-dark.png') })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.screenshot({ path: join(shots, 'kernel-light.png') })
  await accessible(page)
  await page.getByTestId('boot-kernel').click()
  // It says what it was handed on the debug console and leaves through port F4h.
  await expect(page.getByTestId('state')).toContainText('ended, exit value')
  await first.app.close()
  const second = await start({ files: [guest('tests/direct-boot.img')], profile: first.profile })
  await expect(second.page.getByTestId('append')).toHaveValue('hello from the window')
  await expect(second.page.getByTestId('initrd')).toContainText('serial-echo.asm')
})

test('a picture of 1024x768 with 32 bits moves in the window', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/vbe-animate.img')], width: 1440, height: 900 })
  await expect(page.getByTestId('screen-text')).toContainText('Graphics, 1024 × 768, 32 bits', {
    timeout: 20_000,
  })
  const canvas = page.getByTestId('screen').locator('canvas')
  const look = () =>
    canvas.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, canvas.height >> 1, canvas.width, 1)
      return Array.from(data.subarray(0, 64)).join()
    })
  const before = await look()
  await expect.poll(look).not.toBe(before)
  await page.screenshot({ path: join(shots, 'vbe-dark.png') })
})

test('an ELF kernel by Multiboot 2 opens like an image', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/multiboot2.elf')] })
  await expect(page.getByTestId('kernel')).toBeVisible()
  await page.getByTestId('boot-kernel').click()
  await expect(page.getByTestId('state')).toContainText('ended, exit value')
})

test('a CD is put into the drive and taken out by name', async ({ start }) => {
  const folder = await mkdtemp(join(tmpdir(), 'ringside-cd-'))
  const disc = join(folder, 'disc.iso')
  await writeFile(disc, bootableCd({ image: new Uint8Array(2048) }))
  const { app, page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('state')).toContainText('running')
  await app.evaluate(({ dialog }, path) => {
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] })
  }, disc)
  const drives = () =>
    app.evaluate(({ Menu }) => {
      const machine = Menu.getApplicationMenu()?.items.find(({ label }) => label === '&Machine')
      return machine?.submenu?.items.map(({ label }) => label) ?? []
    })
  const command = async (words: string) => {
    await page.keyboard.press('Control+Shift+P')
    await expect(page.getByTestId('palette')).toBeVisible()
    await page.keyboard.type(words)
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('palette')).toBeHidden()
  }
  await expect.poll(drives).toContain('CD hdc: empty')
  await expect(page.getByTestId('medium-hdc')).toHaveText('hdc empty')
  await command('Put an image into CD drive hdc')
  await expect.poll(drives).toContain('CD hdc: disc.iso')
  await expect(page.getByTestId('medium-hdc')).toHaveText('hdc disc.iso')
  await command('Eject CD drive hdc')
  await expect.poll(drives).toContain('CD hdc: empty')
  await rm(folder, { recursive: true, force: true })
})
