// The files of a direct boot, read from the host.
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { MediumError, openProblem, readAt, reasonOf } from '../../media/medium'
import { readBzImage } from './bzimage'
import type { DirectBoot } from './load'

/** More cannot be in a guest's memory. */
const FILE_MAX = 3 * 2 ** 30

/** The kernel or initrd file cannot be used; the message names it. */
export class DirectBootError extends Error {
  override name = 'DirectBootError'
}

/**
 * @param kernel path of a bzImage
 * @param initrd path of the initial RAM disk
 * @param append the kernel's command line
 * @throws DirectBootError
 */
export function openDirectBoot(kernel: string, initrd: string | undefined, append: string): DirectBoot {
  const file = readWhole(kernel)
  try {
    readBzImage(file)
  } catch (error) {
    throw new DirectBootError(`${kernel}: ${(error as Error).message}`)
  }
  return initrd === undefined ? { kernel: file, append } : { kernel: file, initrd: readWhole(initrd), append }
}

function readWhole(path: string): Uint8Array {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw new DirectBootError(openProblem(path, error as NodeJS.ErrnoException).message)
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new DirectBootError(`${path}: is not a regular file`)
    if (stat.size === 0) throw new DirectBootError(`${path}: the file is empty`)
    if (stat.size > FILE_MAX)
      throw new DirectBootError(`${path}: ${stat.size} bytes do not fit into a machine`)
    return readAt(descriptor, 0, stat.size)
  } catch (error) {
    if (error instanceof DirectBootError || error instanceof MediumError) throw error
    throw new DirectBootError(`${path}: reading it failed: ${reasonOf(error)}`)
  } finally {
    closeSync(descriptor)
  }
}
