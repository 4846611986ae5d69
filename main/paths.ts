// Where the application's own files are.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { app } from 'electron'
import type { SampleGuest } from '../preload/bridge'

/** Built files: out/main is where this module ends up. */
const out = join(import.meta.dirname, '..')

export const preloadScript = join(out, 'preload/index.cjs')
export const rendererFolder = join(out, 'renderer')

const SAMPLES: Record<SampleGuest, string> = {
  seedling: 'assets/guests/seedling/seedling.img',
  'first-light': 'assets/guests/first-light/first-light.img',
  kiln: 'assets/guests/kiln/kiln.img',
}
/** A guest that ships with Ringside. */
export const sampleImage = (sample: SampleGuest) => join(app.getAppPath(), SAMPLES[sample])
/** The scheduler lab's sample: four tasks that behave differently. */
export const sampleLab = () => join(app.getAppPath(), 'assets/guests/sched-lab/mix.lab.json')
export const hasSample = () => existsSync(sampleImage('seedling'))

/** @param name of a file in the user's profile for this application */
export const profileFile = (name: string) => join(app.getPath('userData'), name)
