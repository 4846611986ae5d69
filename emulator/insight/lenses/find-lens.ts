// The lens beside an image or a kernel: NAME.lens.json.
import { basename, dirname, extname, join } from 'node:path'
import { readFileSync, statSync } from 'node:fs'
import { type Lens, LENS_SIZE_MAX, parseLens } from './lens'
import { LensError } from './lens-error'

export type LensFile = { name: string } & ({ lens: Lens } | { problem: string })

/** @returns undefined when there is none; the problem when it cannot be read */
export function lensBeside(image: string): LensFile | undefined {
  const folder = dirname(image)
  const stem = basename(image, extname(image))
  const names = [...new Set([stem, stem.split('-')[0]!, 'kernel'])]
  for (const each of names) {
    const found = openLens(join(folder, `${each}.lens.json`))
    if (found) return found
  }
  return undefined
}

/** @returns undefined when there is no such file */
export function openLens(path: string): LensFile | undefined {
  const name = basename(path)
  try {
    const { size } = statSync(path)
    if (size > LENS_SIZE_MAX)
      return { name, problem: `it has ${size} bytes; a lens has at most ${LENS_SIZE_MAX}` }
    return { name, lens: parseLens(readFileSync(path, 'utf8')) }
  } catch (error) {
    if (error instanceof LensError) return { name, problem: error.text }
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return { name, problem: (error as Error).message }
  }
}
