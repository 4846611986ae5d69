// What pages may not do. Our page draws what an untrusted guest says, so it gets nothing it does not need.
import { app, session, type WebFrameMain } from 'electron'
import { APP_ORIGIN } from './app-protocol'

/** Where the development server serves the page; undefined in what users run. */
export const developmentServer = app.isPackaged ? undefined : process.env['ELECTRON_RENDERER_URL']

/** Is this frame the top frame of one of our own pages? */
export function isOwnFrame(frame: WebFrameMain | null): boolean {
  if (frame === null || frame.parent !== null) return false
  try {
    const { origin } = new URL(frame.url)
    // A URL of a scheme of ours has the origin "null" for WHATWG; compare what is written.
    if (origin !== 'null')
      return developmentServer !== undefined && origin === new URL(developmentServer).origin
    return frame.url.startsWith(`${APP_ORIGIN}/`)
  } catch {
    return false
  }
}

/** Denies permissions, navigation, new windows, webviews and downloads everywhere. Once, when the app is ready. */
export function lockDown() {
  const own = session.defaultSession
  // The guest's screen takes the mouse; Esc and Ctrl+Alt+G give it back.
  const allowed = (permission: string) => permission === 'pointerLock'
  own.setPermissionRequestHandler((contents, permission, answer) =>
    answer(allowed(permission) && isOwnFrame(contents.mainFrame)),
  )
  own.setPermissionCheckHandler((_contents, permission) => allowed(permission))
  own.setDevicePermissionHandler(() => false)
  own.on('will-download', (event) => event.preventDefault())
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }))
    contents.on('will-navigate', (event) => event.preventDefault())
    contents.on('will-frame-navigate', (event) => event.preventDefault())
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
  })
}
