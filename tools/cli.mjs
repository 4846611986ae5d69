// Runs a subcommand of emulator/cli in this process. Node built-ins only.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './paths.mjs'

/**
 * @param {string[]} args the subcommand and its arguments
 * @returns {Promise<number>} the exit status
 */
export async function runCli(args) {
  /** @type {{ main(args: string[]): Promise<number> }} */
  const { main } = await import(pathToFileURL(join(root, 'out/main/cli.js')).href)
  return main(args)
}
