// Where the application's own files are.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { app } from 'electron'

/** Built files: out/main is where this module ends up. */
const out = join(import.meta.dirname, '..')

export const preloadScript = join(out, 'preload/index.cjs')
export const rendererFolder = join(out, 'renderer')

/** The guest that ships with Ringside. */
export const sampleImage = () => join(app.getAppPath(), 'assets/guests/first-light/first-light.img')
/** The scheduler lab's sample: four tasks that behave differently. */
export const sampleLab = () => join(app.getAppPath(), 'assets/guests/sched-lab/mix.lab.json')
export const hasSample = () => existsSync(sampleImage())

/** @param name of a file in the user's profile for this application */
export const profileFile = (name: string) => join(app.getPath('userData'), name)
