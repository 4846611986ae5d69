// Why a document did not open, told to a person: what, where, what to do.
import { MediumError, type MediumProblem } from '@emulator/media/medium'
import { LabError } from '../lab/lab-session'
import { DirectBootError } from '@emulator/firmware/direct-boot/files'
import type { Failure } from '../../preload/bridge'

const REMEDIES: Record<MediumProblem, string> = {
  missing:
    'Check the spelling, or whether the file was moved or deleted since. If a build makes it, run the build.',
  permission:
    'Give yourself the right to read it (chmod u+r), or copy it to where you may read. Ringside never writes to an image, so reading is enough.',
  directory: 'Open the image file inside the folder.',
  'not-a-file': 'Copy what you want to boot into a regular file first (dd if=… of=disk.img), then open that.',
  empty: 'The tool that made it may have failed half-way: look at its output and make the image again.',
  'unknown-format':
    'Open a raw floppy or hard-disk image: the sectors of the disk, first one first. The boot sector ends in 55 AA.',
  'unsupported-format':
    'Convert it to a raw image first: qemu-img convert -O raw IMAGE disk.img, or unpack the archive.',
  'too-large':
    'Open a smaller image. A sparse file may claim far more than it holds; truncate it to the disk’s real size.',
  unreadable:
    'The disk or the network drive it is on may have a problem: try to copy the file elsewhere and open the copy.',
}

/** @param path as the user gave it */
export function failureOf(path: string, error: unknown): Failure {
  if (error instanceof MediumError) {
    const told = error.message
    const prefix = `${error.path}: `
    const what = told.startsWith(prefix) ? told.slice(prefix.length) : told
    return { what: sentence(what), where: path, remedy: REMEDIES[error.problem] }
  }
  if (error instanceof LabError) {
    return {
      what: error.message,
      where: path,
      remedy: 'Programs are made by ‘ringside lab asm’; ‘ringside lab --help’ has the instructions.',
    }
  }
  if (error instanceof DirectBootError) {
    const at = error.message.indexOf(': ')
    const where = at > 0 ? error.message.slice(0, at) : path
    return {
      what: sentence(at > 0 ? error.message.slice(at + 2) : error.message),
      where,
      remedy:
        'Choose another kernel, initial RAM disk or module; a kernel is a bzImage, or Multiboot with its header.',
    }
  }
  const reason = error instanceof Error ? error.message : String(error)
  if (/memory|MiB for a machine/i.test(reason)) {
    return {
      what: sentence(reason),
      where: path,
      remedy: 'Close other windows of Ringside or other programs, then try again.',
    }
  }
  return {
    what: sentence(`the machine could not be built: ${reason}`),
    where: path,
    remedy: 'This is a fault of Ringside, not of your image. Please report it with the text above.',
  }
}

/** "is a directory" -> "It is a directory."; "the file is empty" -> "The file is empty." */
export function sentence(words: string): string {
  const subject = /^(is|has|was|does|ends) /.test(words) ? `it ${words}` : words
  const start = subject.charAt(0).toUpperCase() + subject.slice(1)
  return /[.!?]$/.test(start) ? start : `${start}.`
}
