// `npm start [-- FILE...]`: sets up, then opens Ringside on Seedling, the kernel that ships with it, with a tour the first
// time. Without a screen First light, the smaller guest, boots in the terminal.
import { join, relative } from 'node:path'
import { runCli } from './cli.mjs'
import { hasDisplay, openWindow } from './launch.mjs'
import { root } from './paths.mjs'
import { say } from './progress.mjs'
import { asCommand, ensureSetUp } from './setup.mjs'

/** Without a screen: a guest that ends by itself. */
const SAMPLE = join(root, 'assets/guests/first-light/first-light.img')

await asCommand(async () => {
  const window = hasDisplay()
  const given = process.argv.slice(2)
  const files = given.length > 0 ? given : [SAMPLE]
  await ensureSetUp({ window })
  if (window) return openWindow(given, { first: given.length === 0 })
  const shown = files.map((file) => relative(process.cwd(), file)).join(' ')
  say(
    '\nThere is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the machine boots in this terminal:',
  )
  say(`./ringside run ${shown}\n`)
  return runCli(['run', ...files])
})
