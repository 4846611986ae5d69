// What watching costs the guest: its speed with the window visible, every panel of the layout updating at the display's
// rate, against its speed with the window hidden. Both in one run, by turns.
//
//   node tools/bench-window.mjs [TURNS]      on a display; xvfb-run -a -s "-screen 0 1600x1000x24" node ... without
import { _electron as electron } from '@playwright/test'
import { electronExecutable } from './electron-runtime.mjs'
import { sandboxFlags } from './launch.mjs'
import { root } from './paths.mjs'

const TURN_MS = 3000
const turns = Number(process.argv[2] ?? 5)

const app = await electron.launch({
  executablePath: electronExecutable(),
  args: [...sandboxFlags(), root, 'assets/guests/tests/busy.img'],
  cwd: root,
})
try {
  const page = await app.firstWindow()
  await page.getByTestId('speed').filter({ hasText: /\d/ }).waitFor()
  await page.waitForTimeout(5000)

  /** @returns {Promise<{ instructions: number, at: number }>} the count as it next changes, and when */
  const count = () =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          const cell = /** @type {HTMLElement} */ (document.querySelector('[data-testid=instructions]'))
          new MutationObserver((_records, observer) => {
            observer.disconnect()
            resolve({
              instructions: Number((cell.textContent ?? '').replace(/\D/g, '')),
              at: performance.now(),
            })
          }).observe(cell, { characterData: true, childList: true, subtree: true })
        }),
    )
  const hide = (/** @type {boolean} */ hidden) =>
    app.evaluate(({ BrowserWindow }, hidden) => {
      for (const window of BrowserWindow.getAllWindows()) hidden ? window.hide() : window.showInactive()
    }, hidden)
  const frames = (/** @type {number} */ ms) =>
    page.evaluate(
      (ms) =>
        new Promise((resolve) => {
          let n = 0
          const began = performance.now()
          const next = () =>
            performance.now() - began < ms ? (n++, requestAnimationFrame(next)) : resolve(n)
          requestAnimationFrame(next)
        }),
      ms,
    )

  /** @type {Record<'visible' | 'hidden', number[]>} */
  const speeds = { visible: [], hidden: [] }
  let drawn = 0
  for (let turn = 0; turn < turns; turn++) {
    let before = await count()
    drawn += await frames(TURN_MS)
    let after = await count()
    speeds.visible.push((after.instructions - before.instructions) / (after.at - before.at) / 1000)
    before = await count()
    await hide(true)
    await page.waitForTimeout(TURN_MS)
    await hide(false)
    after = await count()
    speeds.hidden.push((after.instructions - before.instructions) / (after.at - before.at) / 1000)
  }
  const median = (/** @type {number[]} */ list) =>
    list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN
  const [visible, hidden] = [median(speeds.visible), median(speeds.hidden)]
  console.log(
    `visible ${visible.toFixed(0)} MIPS at ${((drawn / turns / TURN_MS) * 1000).toFixed(0)} frames a second`,
  )
  console.log(`hidden  ${hidden.toFixed(0)} MIPS`)
  console.log(`watching costs the guest ${((1 - visible / hidden) * 100).toFixed(1)} % of its speed`)
} finally {
  await app.close()
}
