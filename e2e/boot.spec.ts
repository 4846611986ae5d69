// Every image of the boot chain, in the window: what COM1 says, how far the climb went, what the panels show.
import { expect, seed, serialLines, test } from './application'

const REAL = ['Booting ...', 'Starting Stage2 ...', 'Stage2: OK']
const PROTECTED = [...REAL, 'A20 Line: Enabled', 'GDT: Loaded']

const IMAGES = [
  {
    name: 'p3-nostage2.img',
    lines: ['Booting ...', 'Disk error!'],
    mode: 'Real mode',
    stage: 'Boot sector',
  },
  { name: 'p3.img', lines: REAL, mode: 'Real mode', stage: 'Boot sector' },
  {
    name: 'p4.img',
    lines: [...PROTECTED, 'Entered protected mode ...'],
    mode: 'Protected mode, 32-bit',
    stage: 'Protected',
  },
  {
    name: 'p5.img',
    lines: [...PROTECTED, 'Protected Mode: Enabled', 'Paging: Enabled', '64-bit Long mode: Enabled'],
    mode: 'Long mode, 64-bit',
    stage: '64-bit code',
  },
]

for (const { name, lines, mode, stage } of IMAGES) {
  test(`${name} boots and says what it must`, async ({ start }) => {
    const { page } = await start({ files: [seed(name)] })
    await expect(page.getByTestId('name')).toHaveText(name)
    await expect.poll(() => serialLines(page)).toEqual(lines)
    await expect(page.getByTestId('mode')).toHaveText(mode)
    await expect(page.getByTestId('climb').locator('[aria-current=step]')).toContainText(stage)
    await expect(page.getByTestId('state')).toContainText('running')
    await expect(page.getByTestId('activity')).toHaveText('halted')
    await expect(page.getByTestId('screen-text')).toContainText('Booting from Hard Disk')
    await expect(page.getByTestId('current-line')).toBeVisible()
  })
}

test('the climb to long mode tells counts that grow', async ({ start }) => {
  const { page } = await start({ files: [seed('p5.img')] })
  await expect(page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true')
  await expect(page.getByTestId('climb-10')).toHaveAttribute('data-reached', 'false')
  const descriptions = await page
    .getByTestId('climb')
    .locator('li[data-reached=true]')
    .evaluateAll((stages) => stages.map((stage) => stage.getAttribute('aria-description') ?? ''))
  const counts = descriptions.map((text) =>
    Number(/after ([\d\s]+) instr/.exec(text)?.[1]?.replace(/\D/g, '')),
  )
  expect(counts).toHaveLength(10)
  expect(counts[0]).toBe(0)
  expect([...counts].sort((a, b) => a - b)).toEqual(counts)
  expect(counts[9]).toBeGreaterThan(1000)
})

test('the CPU panel shows long mode as the guest set it up', async ({ start }) => {
  const { page } = await start({ files: [seed('p5.img')] })
  await expect(page.getByTestId('mode')).toHaveText('Long mode, 64-bit')
  await expect(page.getByTestId('cr4')).toHaveText('00000020')
  await expect(page.getByTestId('efer')).toHaveText('00000500')
  const cpu = page.getByTestId('cpu')
  for (const bit of ['PG', 'PE', 'PAE', 'LMA', 'LME'])
    await expect(cpu.getByText(bit, { exact: true })).toBeVisible()
  await expect(page.getByTestId('segment-cs')).toContainText('code64')
  // The page tables are in the map: three of them map the first 4 MiB.
  await expect(page.getByTestId('memory-table')).toHaveText('12 KiB')
  await expect(page.getByTestId('e820')).toContainText('type 1, memory')
})

test('First light, the smaller guest that ships with Ringside, climbs to 64-bit code', async ({ start }) => {
  const { page } = await start()
  await page.getByTestId('first-light').click()
  await expect(page.getByTestId('name')).toHaveText('first-light.img')
  await expect(page.getByTestId('climb-9')).toHaveAttribute('data-reached', 'true', { timeout: 30_000 })
  await expect(page.getByTestId('serial-text')).toContainText('First light')
})
