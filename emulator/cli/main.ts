// The subcommands of `ringside` that need no window.
import { bench } from './bench'
import { info } from './info'
import { lab } from './lab'
import { run } from './run'
import { selftest } from './selftest'
import { FileError, INTERNAL, USAGE, UsageError } from './usage'

const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  run,
  info,
  bench,
  selftest,
  lab,
  replay: async () => notYet('replay'),
  compare: async () => notYet('compare'),
}

/**
 * @param argv the subcommand and its arguments
 * @returns the exit status; all output has been handed to the system by then
 */
export async function main(argv: string[]): Promise<number> {
  const [name = '', ...args] = argv
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) return complain(`there is no command ${name}; there are ${Object.keys(COMMANDS).join(', ')}`)
  try {
    return await command(args)
  } catch (error) {
    if (error instanceof FileError) return complain(error.message)
    if (!(error instanceof UsageError)) return failed(name, error)
    return complain(`${error.message}\n‘ringside ${name} --help’ says how it is used.`)
  }
}

function notYet(command: string): number {
  return complain(`${command}: this version makes no recordings yet, so there is nothing to ${command}`)
}

/** Our own mistake: whoever reports it needs all that is known. */
function failed(name: string, error: unknown): number {
  const account = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`ringside: ${name} failed; this is a bug in Ringside:\n${account}\n`)
  return INTERNAL
}

function complain(message: string): number {
  process.stderr.write(`ringside: ${message}\n`)
  return USAGE
}
