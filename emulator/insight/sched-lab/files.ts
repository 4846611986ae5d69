// Programs and lab documents read from the host.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { readAt } from '../../media/medium'
import { type LabDocument, LabDocumentError, parseLabDocument } from './document'
import { decode, type Mnemonic, PROGRAM_MAX, ProgramError } from './program'

const DOCUMENT_MAX = 1 << 20

/** @throws ProgramError, or the system's error when it cannot be read */
export function loadProgram(path: string): Mnemonic[] {
  return decode(read(path, PROGRAM_MAX, (message) => new ProgramError(message)))
}

/** @returns the document; its programs are paths from its own folder. @throws LabDocumentError, or the system's error */
export function loadLabDocument(path: string): LabDocument {
  const bytes = read(path, DOCUMENT_MAX, (message) => new LabDocumentError(message))
  const document = parseLabDocument(Buffer.from(bytes).toString('utf8'))
  return {
    ...document,
    tasks: document.tasks.map((task) => ({ ...task, program: resolve(dirname(path), task.program) })),
  }
}

/** The text of a lab document that is to lie at `path`: programs in its own folder or near it by relative paths. */
export function labDocumentText({ scheduler, options, tasks }: LabDocument, path: string): string {
  const near = (program: string) => {
    const way = relative(dirname(path), program)
    // On another drive there is no way; and forward slashes are good everywhere.
    return isAbsolute(way) ? program : way.split(sep).join('/')
  }
  const document = {
    scheduler,
    ...options,
    tasks: tasks.map((task) => ({ ...task, program: near(task.program) })),
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function read(path: string, most: number, problem: (message: string) => Error): Uint8Array {
  const descriptor = openSync(path, 'r')
  try {
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw problem('this is not a file')
    if (stat.size > most) throw problem(`${stat.size} bytes are too many; ${most} are the most`)
    return readAt(descriptor, 0, stat.size)
  } finally {
    closeSync(descriptor)
  }
}
