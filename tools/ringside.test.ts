import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './paths.mjs'

const { DISPLAY, WAYLAND_DISPLAY, ...noScreen } = process.env

/** Runs the command as a user without a screen does. */
function ringside(...args: string[]) {
  return spawnSync(process.execPath, [join(root, 'ringside'), ...args], {
    cwd: root,
    encoding: 'utf8',
    env: noScreen,
  })
}

describe('ringside, before any set-up is needed', () => {
  test('--help names every command on stdout', () => {
    const { status, stdout } = ringside('--help')
    expect(status).toBe(0)
    for (const command of ['open', 'run', 'info', 'replay', 'compare', 'bench']) {
      expect(stdout).toMatch(new RegExp(`^(usage:)? +ringside \\[?${command}\\b`, 'm'))
    }
  })

  test('--version answers the version of package.json', () => {
    expect(ringside('--version').stdout).toMatch(/^ringside \d+\.\d+\.\d+\n$/)
  })

  test.each([
    ['an unknown command', ['boot']],
    ['an unknown option', ['--fast']],
    ['an unknown option of open', ['open', '--fast']],
    ['a file that is not there', ['no-such-file.img']],
    ['a file that is not there, for open', ['open', 'no-such-file']],
  ])('%s is refused with status 2, on stderr', (_what, args) => {
    const { status, stdout, stderr } = ringside(...args)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(args.at(-1))
    expect(stderr.split('\n').length).toBe(2)
  })

  test('open --help says what it does', () => {
    expect(ringside('open', '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('usage:') })
  })

  test.runIf(process.platform === 'linux')('without a screen, open says what to do instead', () => {
    const { status, stderr } = ringside('open', 'LICENSE')
    expect(status).toBe(1)
    expect(stderr).toContain('./ringside run LICENSE')
  })
})
