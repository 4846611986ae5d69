// The files of a direct boot, read from the host.
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { MediumError, openProblem, readAt, reasonOf } from '../../media/medium'
import type { DirectBoot, InitrdFile } from './chunks'
import { checkKernel, KERNEL_HEAD, kernelKind } from './kernel'

/** More cannot be in a guest's memory. */
const FILE_MAX = 3 * 2 ** 30

/** Bytes that are read without a pause: some milliseconds. */
const PIECE = 4 * 2 ** 20

/** The kernel or initrd file cannot be used; the message names it. */
export class DirectBootError extends Error {
  override name = 'DirectBootError'
}

/** What is being read: the file, and how much of all files has been, 0 to 1. */
export interface Reading {
  file: string
  done: number
}

/**
 * @param kernel path of a bzImage or a Multiboot kernel
 * @param initrd files for the kernel as the user named them: Linux's initial RAM disks, or Multiboot modules. For
 *   Multiboot kernels each is a list as QEMU takes it: `FILE[ TEXT][,FILE[ TEXT]]...`, where `,,` stands for a comma
 * @param append the kernel's command line
 * @throws DirectBootError
 */
export function openDirectBoot(kernel: string, initrd: readonly string[], append: string): DirectBoot {
  const steps = directBootSteps(kernel, initrd, append)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The same a piece at a time, for who has other things to do meanwhile: initial RAM disks may be large, and their disk slow. */
export function* directBootSteps(
  kernel: string,
  initrd: readonly string[],
  append: string,
): Generator<Reading, DirectBoot> {
  const file = drained(wholeFile(kernel))
  try {
    checkKernel(file)
  } catch (error) {
    throw new DirectBootError(`${kernel}: ${(error as Error).message}`)
  }
  const plain = kernelKind(file) === 'bzimage'
  const named = plain ? initrd.map((path) => ({ name: path, text: '' })) : initrd.flatMap(moduleList)
  const read: InitrdFile[] = []
  for (const [i, { name, text }] of named.entries()) {
    const pieces = wholeFile(name, !plain)
    for (;;) {
      const { done, value } = pieces.next()
      if (done) {
        read.push({ name, text, bytes: value })
        break
      }
      yield { file: name, done: (i + value) / named.length }
    }
  }
  return { kernel: file, name: kernel, append, initrd: read }
}

/** Whether a file is a kernel that says how it is to be started, or an ELF file; false when it cannot be read. */
export function isKernelFile(path: string): boolean {
  let descriptor: number | undefined
  try {
    if (!statSync(path).isFile()) return false
    descriptor = openSync(path, constants.O_RDONLY)
    return kernelKind(readAt(descriptor, 0, KERNEL_HEAD)) !== undefined
  } catch {
    return false
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** @throws DirectBootError for an entry without a path */
export function moduleList(list: string): { name: string; text: string }[] {
  return list
    .replaceAll(',,', '\0')
    .split(',')
    .map((entry) => entry.replaceAll('\0', ','))
    .map((entry) => {
      const [, name = '', text = ''] = /^(\S*)\s?(.*)$/s.exec(entry)!
      if (name === '') throw new DirectBootError(`--initrd ${list}: a module without a file`)
      return { name, text }
    })
}

function drained<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** A file in pieces: yields how much of it has been read, 0 to 1. */
function* wholeFile(path: string, emptyToo = false): Generator<number, Uint8Array> {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw new DirectBootError(openProblem(path, error as NodeJS.ErrnoException).message)
  }
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new DirectBootError(`${path}: is not a regular file`)
    if (stat.size === 0 && !emptyToo) throw new DirectBootError(`${path}: the file is empty`)
    if (stat.size > FILE_MAX)
      throw new DirectBootError(`${path}: ${stat.size} bytes do not fit into a machine`)
    if (stat.size <= PIECE) return readAt(descriptor, 0, stat.size)
    const bytes = new Uint8Array(stat.size)
    let length = 0
    while (length < stat.size) {
      const piece = readAt(descriptor, length, Math.min(PIECE, stat.size - length))
      // Somebody has shortened it meanwhile.
      if (piece.length === 0) break
      bytes.set(piece, length)
      length += piece.length
      yield length / stat.size
    }
    return bytes.subarray(0, length)
  } catch (error) {
    if (error instanceof DirectBootError || error instanceof MediumError) throw error
    throw new DirectBootError(`${path}: reading it failed: ${reasonOf(error)}`)
  } finally {
    closeSync(descriptor)
  }
}
