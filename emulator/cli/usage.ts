// Exit statuses and the error that means "the command line is wrong".

export const OK = 0
/** A command or option that does not exist, a file that cannot be opened as an image. */
export const USAGE = 2
export const TRIPLE_FAULT = 4
/** The emulator itself failed (sysexits.h EX_SOFTWARE). */
export const INTERNAL = 70
/** As timeout(1). */
export const TIMEOUT = 124
/** 128 + the signal's number, as a shell reports it. */
export const INTERRUPTED = 130
export const BROKEN_PIPE = 141
export const TERMINATED = 143

/** `message` is one sentence for a person, without the program's name. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** A file that cannot be used: the command line was right, so nobody is told to read how it is written. */
export class FileError extends Error {
  override name = 'FileError'
}

/** isa-debug-exit with the value v ends the run with (v << 1) | 1, of which a process keeps eight bits. */
export function debugExitStatus(value: number): number {
  return ((value << 1) | 1) & 0xff
}
