// Where the bytes of a serial port go. Every sink gives its writer back-pressure.
import { closeSync, openSync, writeSync } from 'node:fs'
import { reasonOf } from '../media/medium'
import { FileError } from './usage'

export interface Sink {
  /** A promise when the writer should wait. */
  write(bytes: Uint8Array): void | Promise<void>
  /** Resolves when everything has been handed to the system. */
  close(): Promise<void>
}

export const nullSink: Sink = {
  write: () => undefined,
  close: async () => undefined,
}

/**
 * Stdout or stderr.
 * @param onError told once when nobody reads any more (EPIPE) or it cannot be written
 */
export function streamSink(
  stream: NodeJS.WritableStream,
  onError: (error: NodeJS.ErrnoException) => void,
): Sink {
  let broken = false
  let release: (() => void) | undefined
  const fail = (error: NodeJS.ErrnoException) => {
    if (!broken) onError(error)
    broken = true
    release?.()
  }
  const relieved = () => release?.()
  stream.on('error', fail)
  stream.on('drain', relieved)
  return {
    write(bytes) {
      if (broken || stream.write(bytes)) return
      return new Promise((resolve) => {
        release = resolve
      })
    },
    close: () =>
      new Promise((resolve) => {
        const done = () => {
          stream.off('drain', relieved)
          resolve()
        }
        // The error listener stays: a pipe may break after the last write.
        if (broken) done()
        else stream.write('', done)
      }),
  }
}

/** @throws FileError when the file cannot be made */
export function fileSink(path: string, onError: (error: NodeJS.ErrnoException) => void): Sink {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'w')
  } catch (error) {
    throw new FileError(`${path}: cannot be written: ${reasonOf(error)}`)
  }
  return {
    write(bytes) {
      if (descriptor === undefined) return
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
      } catch (error) {
        closeSync(descriptor)
        descriptor = undefined
        onError(error as NodeJS.ErrnoException)
      }
    },
    close: async () => {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}
