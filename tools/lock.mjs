// One process at a time, across processes: a folder can be made only once. Node built-ins only.
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Runs `work` while no other process holds `lock`, waiting for whoever does. A lock whose owner is gone is taken over.
 * @template T
 * @param {string} lock the path of the lock; its folder is made if need be
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function locked(lock, work) {
  await mkdir(dirname(lock), { recursive: true })
  while (!(await take(lock))) await new Promise((wake) => setTimeout(wake, 100))
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

/** @param {string} lock */
async function take(lock) {
  try {
    await mkdir(lock)
    await writeFile(join(lock, 'pid'), String(process.pid))
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
  }
  const owner = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => ''))
  if (owner ? !isAlive(owner) : await isOlderThan(lock, 10_000)) {
    await rm(lock, { recursive: true, force: true })
  }
  return false
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/** @param {string} path @param {number} milliseconds */
async function isOlderThan(path, milliseconds) {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > milliseconds
}
