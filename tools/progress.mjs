// Says what set-up is doing, on stderr, so that stdout belongs to the program. Node built-ins only.
import { spawn } from 'node:child_process'

const live = process.stderr.isTTY && !process.env['CI']

/** A problem that the user can act on: the message is all there is to say. */
export class SetupError extends Error {}

/** @param {string} line */
export const say = (line) => void process.stderr.write(`${line}\n`)

/**
 * Shows that something takes time, and how long it took.
 * @template T
 * @param {string} what what is being done, as a sentence without a full stop
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(what, work) {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`
  if (!live) say(`... ${what}`)
  const draw = () => process.stderr.write(`\r\x1b[K... ${what} (${seconds()})`)
  const ticking = live
    ? setInterval(draw, 1000)
    : setInterval(() => say(`    still: ${what} (${seconds()})`), 30_000)
  if (live) draw()
  try {
    const result = await work()
    if (live) process.stderr.write('\r\x1b[K')
    say(` ok ${what} (${seconds()})`)
    return result
  } catch (error) {
    if (live) process.stderr.write('\r\x1b[K')
    say(`  ! ${what}`)
    throw error
  } finally {
    clearInterval(ticking)
  }
}

/**
 * Runs a command without showing its output, unless it fails.
 * @param {string} file
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<string>} its stdout
 * @throws {SetupError} with the last lines of its output, when it fails
 */
export function quietly(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const env = { ...(options.env ?? process.env), NO_COLOR: '1', FORCE_COLOR: undefined }
    const child = spawn(file, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let all = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      out += text
      all += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      all += text
    })
    child.on('error', (error) => reject(new SetupError(`${file}: ${error.message}`)))
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(out)
      const tail = all.trimEnd().split('\n').slice(-40).join('\n')
      const end = signal ?? `status ${status}`
      reject(new SetupError(`${file} ${args.join(' ')} ended with ${end}:\n\n${tail}`))
    })
  })
}
