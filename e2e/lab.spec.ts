// The scheduler lab in its window: a document opened, time stepped, numbers changed, a program that is none.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { accessible, expect, guest, shots, test } from './application'

const document = guest('sched-lab/mix.lab.json')

test('the three programs of the document, step by step', async ({ start }) => {
  const { page } = await start({ files: [guest('sched-lab/p1.bin')] })
  await expect(page.getByTestId('lab-page')).toBeVisible()
  // One task of five instructions: the trace has five lines, and the second tick executes the second of them.
  await expect(page.getByTestId('lab-trace').locator('li')).toHaveCount(5)
  await page.keyboard.press('ArrowRight')
  await expect(page.getByTestId('lab-at')).toHaveText('tick 1 of 5')
  await expect(page.locator('.trace li.now')).toHaveText('[p1.bin]: ADD')
  await page.keyboard.press('End')
  await expect(page.getByTestId('lab-at')).toHaveText('tick 5 of 5')
  await expect(page.locator('.names .state').first()).toHaveText('ended')
})

test('another scheduler gives another picture', async ({ start }) => {
  const { page } = await start({ files: [document] })
  await expect(page.getByTestId('lab-task')).toHaveCount(4)
  const turns = page.getByTestId('turns')
  await page.getByTestId('lab-scheduler').selectOption('fcfs')
  await expect(turns).toContainText('cruncher.bin ran from 0 to 25, ended')
  await page.getByTestId('lab-compare').getByRole('button', { name: 'srtf' }).click()
  await expect(turns).toContainText('cruncher.bin ran from 0 to 2, preempted')
  await page.getByLabel('cruncher.bin arrives at').fill('30')
  await page.getByLabel('cruncher.bin arrives at').blur()
  await expect(turns).not.toContainText('cruncher.bin ran from 0')
})

test('a program that is none says so and keeps the lab', async ({ start }, info) => {
  const bad = info.outputPath('bad.bin')
  await writeFile(bad, Uint8Array.of(1, 0x55))
  const { app, page } = await start({ files: [document] })
  await expect(page.getByTestId('gantt')).toBeVisible()
  await app.evaluate(({ dialog }, path) => {
    dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] })
  }, bad)
  await page.getByTestId('lab-add').click()
  await expect(page.getByTestId('lab-problem')).toContainText('bad.bin: ')
  await expect(page.getByTestId('lab-problem')).toContainText('55h')
  await expect(page.getByTestId('lab-task')).toHaveCount(4)
  await expect(page.getByTestId('gantt')).toBeVisible()
})

test('what was changed is saved as a document, and opens as it was', async ({ start }, info) => {
  const file = info.outputPath('mine')
  const first = await start({ files: [document] })
  await first.page.getByTestId('lab-scheduler').selectOption('srtf')
  await first.page.getByLabel('cruncher.bin arrives at').fill('7')
  await first.page.getByLabel('cruncher.bin arrives at').blur()
  await first.app.evaluate(({ dialog }, path) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath: path })
  }, file)
  await first.page.keyboard.press('Control+s')
  await expect(first.page.getByTestId('lab-saved')).toHaveText('Saved as mine.lab.json.')
  const said = JSON.parse(await readFile(`${file}.lab.json`, 'utf8'))
  expect(said).toMatchObject({ scheduler: 'srtf', quantum: 2, sleep: 4 })
  expect(said.tasks[0]).toMatchObject({ arrival: 7, priority: expect.any(Number) })
  const turns = await first.page.getByTestId('turns').textContent()

  const second = await start({ files: [`${file}.lab.json`] })
  await expect(second.page.getByTestId('lab-scheduler')).toHaveValue('srtf')
  await expect(second.page.getByLabel('cruncher.bin arrives at')).toHaveValue('7')
  await expect(second.page.getByTestId('turns')).toHaveText(turns ?? '')
})

test.describe('how it looks', () => {
  test.beforeAll(() => mkdir(shots, { recursive: true }))
  for (const theme of ['dark', 'light'] as const) {
    test(theme, async ({ start }) => {
      const { app, page } = await start({ files: [document], theme, width: 1440, height: 900 })
      await expect(page.getByTestId('gantt')).toBeVisible()
      for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowRight')
      for (const [width, height] of [
        [1440, 900],
        [900, 600],
      ] as const) {
        await app.evaluate(
          ({ BrowserWindow }, size) =>
            BrowserWindow.getAllWindows()[0]!.setContentSize(size.width, size.height),
          { width, height },
        )
        await page.waitForFunction((wanted) => window.innerWidth === wanted, width)
        await page.evaluate(() => new Promise((done) => setTimeout(done, 250)))
        await page.screenshot({ path: join(shots, `lab-${theme}-${width}.png`) })
      }
      await accessible(page)
    })
  }
})
