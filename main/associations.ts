// Whether the file manager of a Linux desktop opens images and kernels in Ringside: what `ringside associate` writes and takes back
// (tools/associate.mjs), which runs in Node.js, because the entry it writes starts Ringside by that.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { app } from 'electron'

/** Undefined where file types belong to installed applications. */
export function isAssociated(): boolean | undefined {
  if (process.platform !== 'linux') return undefined
  const { XDG_DATA_HOME: data, HOME: home } = process.env
  const folder = data && isAbsolute(data) ? data : join(home || homedir(), '.local/share')
  return existsSync(join(folder, 'applications/ringside.desktop'))
}

/** @throws Error saying what did not work */
export async function setAssociated(on: boolean): Promise<void> {
  const node = process.env['RINGSIDE_NODE'] || 'node'
  const script = join(app.getAppPath(), 'tools/ringside.mjs')
  await new Promise<void>((done, failed) => {
    execFile(node, [script, 'associate', ...(on ? [] : ['--remove'])], (error, _output, words) => {
      if (!error) done()
      else if (error.code === 'ENOENT')
        failed(new Error(`${node} is not there: run ‘ringside associate’ in a terminal`))
      else failed(new Error(words.trim() || error.message))
    })
  })
}
