// Real pseudoterminals: a shell that runs, and a device that another program opens.
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { HostTerminals } from './host-terminals'

const open: HostTerminals[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

function make(input: (port: number, bytes: Uint8Array) => void = () => {}) {
  const terminals = new HostTerminals(
    realpathSync(tmpdir()),
    () => true,
    input,
    () => {},
  )
  open.push(terminals)
  let text = ''
  const said = () => {
    for (let chunk = terminals.source.take(); chunk; chunk = terminals.source.take())
      text += Buffer.from(chunk.bytes).toString('latin1')
    return text
  }
  return { terminals, said }
}

test.skipIf(process.platform === 'win32')('a shell runs in the folder, and its end is told', async () => {
  const { terminals, said } = make()
  expect(terminals.shell).toBe('none')
  terminals.openShell(100, 30)
  terminals.typed('stty size; pwd; echo NODE_ENV=$NODE_ENV; exit 7\r')
  await vi.waitFor(() => expect(terminals.shell).toBe(7), 10_000)
  expect(said()).toContain('30 100')
  expect(said()).toContain(realpathSync(tmpdir()))
  expect(said()).toMatch(/NODE_ENV=\r/)
  terminals.openShell(80, 24)
  expect(terminals.shell).toBe('running')
})

test.skipIf(process.platform === 'win32')(
  'a port is a raw device that programs come to and leave',
  async () => {
    const heard: number[] = []
    const { terminals } = make((port, bytes) => port === 1 && heard.push(...bytes))
    terminals.setDevice(1, true)
    const path = terminals.paths()[1]!
    expect(path).toMatch(/^\/dev\//)
    // The line is raw when the process that holds it has said so.
    await new Promise((done) => setTimeout(done, 500))
    const every = Uint8Array.from({ length: 256 }, (_, i) => i)
    for (let visit = 0; visit < 2; visit++) {
      heard.length = 0
      terminals.sent(1, every)
      const device = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
      try {
        const got: number[] = []
        await vi.waitFor(() => {
          const buffer = Buffer.alloc(512)
          try {
            got.push(...buffer.subarray(0, readSync(device, buffer)))
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
          }
          expect(got).toEqual([...every])
        }, 5000)
        writeSync(device, every)
        await vi.waitFor(() => expect(heard).toEqual([...every]), 5000)
      } finally {
        closeSync(device)
      }
    }
    terminals.setDevice(1, false)
    expect(terminals.paths()).toEqual([undefined, undefined, undefined, undefined])
  },
)
