// Stands in for the default_app that Electron's own build carries: `electron [flags] PATH [args]` loads the
// application at PATH. Used by the runtime that tools/electron-runtime.mjs makes; an official one has its own.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app, dialog } from 'electron'

/** The application itself: the first argument that is neither a flag nor the value of one. */
let path
/** @type {string[]} */
const preloaded = []
const args = process.argv.slice(1)
for (let arg = args.shift(); arg !== undefined && path === undefined; arg = args.shift()) {
  if (arg === '--version' || arg === '-v') {
    console.log(`v${process.versions['electron']}`)
    process.exit(0)
  }
  if (arg === '-r' || arg === '--require') preloaded.push(args.shift() ?? '')
  else if (!arg.startsWith('-')) path = arg
}

if (path === undefined) fail('usage: electron PATH [ARGUMENT...]')
else {
  Object.defineProperty(process, 'defaultApp', { value: true, enumerable: true })
  try {
    const require = createRequire(import.meta.url)
    for (const file of preloaded) require(resolve(file))
    await load(resolve(path))
  } catch (error) {
    fail(`${path} does not start:\n${error instanceof Error ? error.stack : error}`)
  }
}

/** @param {string} target a folder with a package.json, or a file */
async function load(target) {
  // Electron's default_app names the application by these two, which are not in its public types.
  const own = /** @type {{ setVersion(version: string): void, setAppPath(path: string): void }} */ (
    /** @type {unknown} */ (app)
  )
  const entry = createRequire(import.meta.url).resolve(target)
  const manifest = join(target, 'package.json')
  if (existsSync(manifest)) {
    const { name, productName, version } = JSON.parse(readFileSync(manifest, 'utf8'))
    if (version) own.setVersion(version)
    app.name = productName ?? name ?? app.name
    own.setAppPath(target)
  } else {
    own.setAppPath(dirname(entry))
  }
  await import(pathToFileURL(entry).href)
}

/** @param {string} message */
function fail(message) {
  console.error(message)
  void app.whenReady().then(() => {
    dialog.showErrorBox('Electron', message)
    app.exit(1)
  })
}
