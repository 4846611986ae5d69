// A triple fault is a state of the window that explains itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessible, expect, guest, seed, serialLines, shots, test } from './application'

test('the triple fault of the boot chain is told from its first exception on', async ({ start }) => {
  const { page } = await start({ files: [seed('triple-fault.img')] })
  await expect(page.getByTestId('fault')).toBeVisible()
  await expect
    .poll(() => serialLines(page))
    .toEqual(['Booting ...', 'Starting Stage2 ...', 'About to triple fault'])
  await expect(page.getByTestId('fault-sentence')).toContainText(
    'Selector 0x08 names a descriptor that is not present',
  )
  await expect(page.getByTestId('fault-sentence')).toContainText('IDTR still held the real-mode table')
  const steps = page.getByTestId('fault-chain').getByRole('listitem')
  await expect(steps.first()).toContainText('#NP segment not present, error code 0008')
  await expect(steps.first()).toContainText('0000:801D')
  await expect(steps.first()).toContainText('jmp')
  await expect(page.getByTestId('fault-chain')).toContainText('#GP')
  await expect(page.getByTestId('fault-chain')).toContainText('#DF')
  await expect(page.getByTestId('state')).toHaveText('triple fault')
  await expect(page.getByTestId('activity')).toHaveText('shutdown')
})

test('reset after a triple fault boots again, to the same end', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/unmapped-jump-32.img')] })
  await expect(page.getByTestId('fault')).toBeVisible()
  const sentence = await page.getByTestId('fault-sentence').textContent()
  const instructions = await page.getByTestId('instructions').textContent()
  await page.getByRole('button', { name: 'Reset and run again' }).click()
  await expect(page.getByTestId('fault-sentence')).toHaveText(sentence ?? '')
  await expect(page.getByTestId('instructions')).toHaveText(instructions ?? '')
})

test('a broken boot chain is told what it did wrong, with the evidence', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/broken-identity.img')] })
  const findings = page.getByTestId('findings').getByRole('listitem')
  await expect(findings.first()).toContainText('Paging went on, and the next instruction is not mapped')
  await expect(findings.first()).toContainText('not present')
  // Each fact leads to where it can be looked at: the walk of the instruction's page, the bytes of the table.
  await findings.first().getByRole('button', { name: '00007C' }).click()
  await expect(page.getByTestId('pages')).toContainText('00007c')
  await page.locator('.dock-tab', { hasText: 'What went wrong' }).click()
  await findings.first().getByRole('button', { name: '00010000' }).first().click()
  await expect(page.getByTestId('hex-said')).toContainText('10000')
})

test('a guest that spins for ever says so in the status bar', async ({ start }) => {
  const { page } = await start({ files: [guest('tests/broken-spin.img')] })
  await expect(page.getByTestId('stuck')).toHaveText('spinning with interrupts off')
})

test('a guest that has halted for good says so in the status bar, one click from its code', async ({
  start,
}) => {
  const { page } = await start({ files: [seed('p5.img')] })
  await expect(page.getByTestId('stuck')).toHaveText('halted with interrupts off')
  await page.getByTestId('stuck').click()
  await expect(page.getByTestId('current-line')).toBeVisible()
})

test('a kernel that has panicked is told with its exception, by the names of its symbols', async ({
  start,
}, info) => {
  // Seedling with a null pointer for a boot line (boot/boot-line.asm), and its symbols beside it.
  const line = 'run=fault,null'
  const bytes = await readFile(guest('seedling/seedling.img'))
  bytes.fill(0, 512 + 8, 1024)
  bytes.writeUInt16LE(line.length, 512 + 10)
  bytes.write(line, 512 + 12, 'latin1')
  const image = info.outputPath('panics.img')
  await writeFile(image, bytes)
  await copyFile(guest('seedling/seedling.elf'), info.outputPath('panics.elf'))
  const { page } = await start({ files: [image] })
  const stuck = page.getByTestId('stuck')
  await expect(stuck).toHaveText(
    'halted after #PF page fault, error code 0000 (supervisor read, not present)',
  )
  await stuck.hover()
  await expect(page.locator('.tip')).toContainText(
    'Linear address 0000000000000008 was to be read and is not mapped',
  )
  await expect(page.locator('.tip')).toContainText('(null+')
})

/*  Protected mode; start-up IPIs to an APIC that is not there and, after INIT, to that of CPU 1, which finds at 9000h:
    o32 lidt [cs:8] / int3, with a table of no entries. CPU 0 goes round: mov dword [0fee00310h], 9 << 24 / mov dword [0fee00300h],
    4609h / mov dword [0fee00310h], 1 << 24 / mov dword [0fee00300h], 4500h / mov dword [0fee00300h], 4609h / jmp $ */
const AP_FAULT =
  '31c08ed80f0116987c0f20c00c010f22c0ea167c0800b0108ed88ec0bf00900000be707c0000b908000000f3a4bb0000' +
  'e0fec783f0000000ff010000c7831003000000000009c7830003000009460000c7831003000000000001c78300030000' +
  '00450000c7830003000009460000ebfe2e660f011e0800cc00000000000090900000000000000000ffff0000009acf00' +
  'ffff00000092cf001700807c0000'

test('a triple fault of an application processor names its CPU, and the IPIs before it are told', async ({
  start,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-ap-'))
  try {
    const image = Buffer.alloc(1_474_560)
    image.write(AP_FAULT, 0, 'hex')
    image.set([0x55, 0xaa], 510)
    writeFileSync(join(folder, 'ap.img'), image)
    const { page } = await start({ files: [join(folder, 'ap.img')], width: 1440, height: 900 })
    await page.getByTestId('summary').click()
    await page.getByTestId('cpus').fill('3')
    await page.getByTestId('settings-start').click()
    const fault = page.getByTestId('fault')
    await expect(fault).toContainText('Triple fault: CPU 1 has shut down')
    await expect(page.getByTestId('state')).toHaveText('triple fault on CPU 1')
    await expect(page.getByTestId('climb-18')).toContainText('APs 1/2')
    // Its registers, not those of the CPU that goes on.
    await expect(page.getByTestId('cpu')).toHaveAttribute('aria-label', 'CPU 1')
    await page.screenshot({ path: join(shots, 'fault-ap.png') })
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type('panel: interrupts')
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('interrupts')).toContainText('reset the machine')
    await page.keyboard.press('Control+Shift+F5')
    await expect(page.getByTestId('state')).toHaveText('triple fault on CPU 1')
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type('panel: interrupts')
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('flow-target-nobody')).toBeVisible()
    await expect(page.getByTestId('flow-vector-sipi9')).toBeVisible()
    await expect(page.getByTestId('flow-vector-INIT')).toBeVisible()
    const rows = page.getByTestId('interrupt-rows').locator('tbody tr')
    await expect(rows.filter({ hasText: 'nobody' })).toHaveCount(1)
    await page.screenshot({ path: join(shots, 'interrupts-ap.png') })
    await accessible(page)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
