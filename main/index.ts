// Ringside's main process: one instance, a window per document.
import { app, protocol } from 'electron'
import { filesOf } from './command-line'
import { answerCalls } from './ipc/calls'
import { rendererFolder } from './paths'
import { APP_SCHEME, appHandler } from './window/app-protocol'
import { lockDown } from './window/lock-down'
import { OpenDocuments } from './workspace'

/** Of `npm start` without a file: opens the guest that ships with Ringside. */
const FIRST = '--first'

/** The application's folder is an argument of its own when Electron is given it by path. */
const appArgument = () => (process.defaultApp ? app.getAppPath() : undefined)

// Every page is sandboxed by its window's settings as well; this is for any that somebody adds and forgets. Where
// Chromium's sandbox cannot work (root, --no-sandbox), insisting on it would end the process.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
protocol.registerSchemesAsPrivileged([
  { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
])

// Electron would stop everything for a dialog with a stack in it. What the user can act on is told in the window;
// the rest belongs where a developer looks.
process.on('uncaughtException', (error) => console.error('Ringside:', error))
process.on('unhandledRejection', (error) => console.error('Ringside:', error))

if (app.requestSingleInstanceLock()) start()
else app.quit()

function start() {
  // Files the system asks us to open before we are ready (macOS).
  const early: string[] = []
  let documents: OpenDocuments | undefined
  app.on('open-file', (event, path) => {
    event.preventDefault()
    if (documents) documents.open(path)
    else early.push(path)
  })
  app.on('second-instance', (_event, argv, cwd) => {
    const files = filesOf(argv, cwd, appArgument())
    for (const file of files) documents?.open(file)
    if (files.length === 0) documents?.show()
  })
  app.on('activate', () => {
    if (documents?.openWindows() === 0) documents.newWindow()
  })
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('will-quit', () => documents?.profile.flush())

  void app.whenReady().then(() => {
    lockDown()
    protocol.handle(APP_SCHEME, appHandler(rendererFolder))
    const opened = new OpenDocuments()
    documents = opened
    answerCalls((contents) => opened.of(contents)?.handlers)
    const files = [...filesOf(process.argv, process.cwd(), appArgument()), ...early]
    for (const file of files) opened.open(file)
    if (files.length === 0) {
      if (process.argv.includes(FIRST)) opened.openFirst()
      else opened.newWindow()
    }
    opened.changed()
  })

  // A machine that is still ending its threads is waited for.
  app.on('before-quit', () => app.removeAllListeners('activate'))
  app.on('will-quit', (event) => {
    if (!documents || documents.leaving === 0) return
    event.preventDefault()
    // Not from within the event: a quit that is being prevented ignores another one.
    void documents.settled().then(() => setImmediate(() => app.quit()))
  })
}
