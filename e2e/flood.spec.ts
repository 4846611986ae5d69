// A guest that does nothing but write to ports: a million events a second and more, and a serial port that never stops. The
// window still answers, says what it could not take, and comes to rest when it is asked to.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from './application'

/*  mov dx, 3f8h / mov al, 'a'
    next: out dx, al / out 80h, al (8 times) / inc al / and al, 7fh / or al, 20h / jmp next */
const BOOT = `ba f8 03 b0 61 ee ${'e6 80 '.repeat(8)} fe c0 24 7f 0c 20 eb e7`

let folder: string
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-flood-'))
  const sector = Buffer.alloc(512)
  sector.set(Buffer.from(BOOT.replace(/\s/g, ''), 'hex'))
  sector.set([0x55, 0xaa], 510)
  writeFileSync(join(folder, 'flood.img'), sector)
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a flood of events and serial output leaves the window usable', async ({ start }) => {
  const { app, page } = await start({ files: [join(folder, 'flood.img')], width: 1440, height: 900 })
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error.stack)))
  const choose = async (command: string) => {
    await page.keyboard.press('Control+Shift+P')
    await page.keyboard.type(command)
    await page.keyboard.press('Enter')
    await expect(page.getByTestId('palette')).toBeHidden()
  }
  await choose('layout: boot')
  await choose('panel: events')
  const events = page.getByTestId('events')
  await events.getByRole('button', { name: 'ports', exact: true }).click()
  // More events than there is room for, and more than can be taken: both are told.
  await expect(page.getByTestId('events-lost')).toContainText('came faster than they could be taken', {
    timeout: 60_000,
  })
  await expect(page.getByTestId('events-lost')).toContainText('have fallen out', { timeout: 60_000 })
  await expect(page.getByTestId('event-rows').locator('tbody tr').first()).toContainText('80')
  // The list answers: up from its end, and back.
  const list = page.getByRole('region', { name: 'Events, oldest first' })
  await list.hover()
  await page.mouse.wheel(0, -2000)
  await expect(events.getByRole('button', { name: 'follow', exact: true })).toHaveAttribute(
    'aria-pressed',
    'false',
  )
  await events.getByRole('button', { name: 'follow', exact: true }).click()
  await expect(page.getByTestId('serial-text')).toContainText(/[a-z]{26}/)
  // Only so many rows are in the page, whatever came.
  expect(await page.getByTestId('event-rows').locator('tbody tr').count()).toBeLessThan(400)
  // Other panels are opened and answer.
  await choose('layout: memory')
  await expect(page.getByTestId('pages')).toBeVisible()
  await page.keyboard.press('F6')
  await expect(page.getByTestId('state')).toContainText('paused')
  const before = await page.getByTestId('instructions').textContent()
  expect(Number(before?.replace(/\D/g, ''))).toBeGreaterThan(1e6)
  await page.keyboard.press('F5')
  await expect(page.getByTestId('state')).toContainText('running')
  // What is kept is bounded: the page holds no more than it shows.
  const { private: kib } = await app.evaluate(({ app }) => {
    const tab = app.getAppMetrics().find(({ type }) => type === 'Tab')
    return { private: tab?.memory.workingSetSize ?? 0 }
  })
  expect(kib).toBeLessThan(700 * 1024)
  expect(errors).toEqual([])
})
