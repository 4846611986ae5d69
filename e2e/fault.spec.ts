// A triple fault is a state of the window that explains itself.
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { expect, guest, seed, serialLines, test } from './application'

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
