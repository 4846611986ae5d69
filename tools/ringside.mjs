// The command `ringside`: sets up what is missing, then opens windows or runs a subcommand of emulator/cli.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { associate } from './associate.mjs'
import { runCli } from './cli.mjs'
import { benchWindow } from './bench-window.mjs'
import { hasDisplay, openWindow } from './launch.mjs'
import { root } from './paths.mjs'
import { say } from './progress.mjs'
import { asCommand, ensureSetUp } from './setup.mjs'

/** Answered by emulator/cli, `--help` included. */
const SUBCOMMANDS = ['run', 'info', 'replay', 'compare', 'bench', 'selftest', 'lab']
const USAGE = 2

const HELP = `Ringside: boot an operating system in a PC of its own, and watch it.

usage: ringside [open] [FILE...]     open each file in a window
       ringside run IMAGE            boot an image in the terminal, or a Linux kernel: --kernel FILE
       ringside info FILE            say what a file is
       ringside replay SESSION       run a recording again
       ringside compare A B          say where two recordings part
       ringside bench [NAME...]      measure the speed of this machine
       ringside bench --ui           measure the window
       ringside selftest --native    compare the processor with this computer's own
       ringside lab run PROGRAM...   run programs of the scheduler lab
       ringside associate            open images and kernels in Ringside from the file manager

Each command answers --help. Other options: --version, --help.
`

const OPEN_HELP = `usage: ringside [open] [FILE...]

Opens every file (a disk or floppy image) in a window of its own, each with a machine of its own. An image is
never written to: what the guest writes stays with the window. Without a file the start page opens.

exit status: 0 when the last window was closed, 1 when there is no screen, 2 when a file does not exist
`

await asCommand(() => ringside(process.argv.slice(2)))

/** @param {string[]} args @returns {Promise<number>} */
async function ringside(args) {
  const [first = 'open', ...rest] = args
  if (first === '--help' || first === '-h' || first === 'help') return print(HELP)
  if (first === '--version' || first === '-V') {
    return print(`ringside ${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`)
  }
  if (first === 'bench' && rest.includes('--ui')) return benchWindow(rest.filter((arg) => arg !== '--ui'))
  if (SUBCOMMANDS.includes(first)) {
    await ensureSetUp({})
    return runCli(args)
  }
  if (first === 'open') return open(rest)
  if (first === 'associate') return associate(rest)
  if (existsSync(first) || (!first.startsWith('-') && /[./\\]/.test(first))) return open(args)
  return refuse(
    first.startsWith('-')
      ? `there is no option ${first}`
      : `there is neither a command nor a file named ‘${first}’`,
  )
}

/** @param {string[]} args @returns {Promise<number>} */
async function open(args) {
  if (args.includes('--help') || args.includes('-h')) return print(OPEN_HELP)
  const option = args.find((arg) => arg.startsWith('-') && arg !== '--')
  if (option) return refuse(`open has no option ${option}`)
  const files = args.filter((arg) => arg !== '--')
  const absent = files.find((file) => !existsSync(file))
  if (absent !== undefined) return refuse(`${absent}: there is no such file`)
  if (!hasDisplay()) {
    say('ringside: there is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set).')
    say(`In the terminal: ./ringside run ${files[0] ?? 'IMAGE'}`)
    return 1
  }
  await ensureSetUp({ window: true })
  return openWindow(files)
}

/** @param {string} text */
function print(text) {
  process.stdout.write(text)
  return 0
}

/** @param {string} problem */
function refuse(problem) {
  say(`ringside: ${problem}. ‘ringside --help’ lists the commands.`)
  return USAGE
}
