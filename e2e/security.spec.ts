// The page draws what an untrusted guest says: it has no Node, no foreign content, and what it asks is checked.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, root, seed, test } from './application'

test('the page has no Node and no Electron', async ({ start }) => {
  const { page } = await start()
  const found = await page.evaluate(() =>
    ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter((name) => name in window),
  )
  expect(found).toEqual([])
  const bridge = await page.evaluate(() => Object.keys(window.ringside).sort())
  expect(bridge).toEqual(['call', 'pathOf'])
})

test('the content security policy lets in our own files only', async ({ start }) => {
  const { page } = await start()
  const policy = await page.evaluate(async () =>
    (await fetch(location.href)).headers.get('content-security-policy'),
  )
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  const scripts = policy?.split('; ').filter((part) => part.startsWith('script-src'))
  expect(scripts).toEqual(["script-src 'self'"])
  const ran = await page.evaluate(() => {
    const script = document.createElement('script')
    script.textContent = 'window.intruder = true'
    document.head.append(script)
    return 'intruder' in window
  })
  expect(ran).toBe(false)
  await expect(page.evaluate(() => fetch('https://example.com/'))).rejects.toThrow(/fetch/i)
  // By source text: Playwright's own evaluation is not bound by the policy.
  const evaluated = await page.evaluate(
    () =>
      new Promise((done) => {
        document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
          done(violatedDirective),
        )
        const image = document.createElement('img')
        image.src = 'https://example.com/pixel.png'
      }),
  )
  expect(evaluated).toBe('img-src')
})

test('no file outside the renderer folder is served', async ({ start }) => {
  const { page } = await start()
  const statuses = await page.evaluate(async () => {
    const paths = [
      '/../main/index.js',
      '/%2e%2e/main/index.js',
      '/..%2fmain/index.js',
      '/%2e%2e%5cmain/index.js',
      '/',
    ]
    return Promise.all(paths.map(async (path) => (await fetch(`app://ringside${path}`)).status))
  })
  expect(statuses).toEqual([404, 404, 404, 404, 404])
})

test('the window neither navigates nor opens others', async ({ start }) => {
  const { app, page } = await start()
  await expect(page.getByTestId('welcome')).toBeVisible()
  await page.evaluate(() => {
    window.open('https://example.com/')
    const link = document.createElement('a')
    link.href = 'https://example.com/'
    document.body.append(link)
    setTimeout(() => link.click())
  })
  // Playwright waits for a navigation that never comes; the main process knows where its windows are.
  const urls = () =>
    app.evaluate(async ({ BrowserWindow }) => {
      await new Promise((done) => setTimeout(done, 500))
      return BrowserWindow.getAllWindows().map(({ webContents }) => webContents.getURL())
    })
  expect(await urls()).toEqual(['app://ringside/index.html'])
})

test('calls with wrong arguments are refused, in words', async ({ start }) => {
  const { page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('state')).toContainText('running')
  const answers = await page.evaluate(async () => {
    const call = window.ringside.call as (name: string, ...args: unknown[]) => Promise<unknown>
    const tries: [string, ...unknown[]][] = [
      ['document.open', 7],
      ['document.open', 'a\0b'],
      ['machine', 'format-c'],
      ['memory.frame', -1],
      ['interest', { screen: 'yes' }],
      ['constructor'],
      ['key', 'KeyA; rm', true],
      ['machine', 'run', 'extra'],
    ]
    return Promise.all(
      tries.map(([name, ...args]) =>
        call(name, ...args).then(
          () => 'accepted',
          (error: Error) => error.message,
        ),
      ),
    )
  })
  expect(answers).not.toContain('accepted')
  expect(answers[0]).toContain('a path must be text, not number')
  expect(answers[2]).toContain('one of run, pause, step, stepAll, stepOver, reset, powerButton')
  await expect(page.getByTestId('state')).toContainText('running')
})

test('permissions are refused', async ({ start }) => {
  const { page } = await start()
  const camera = await page.evaluate(() =>
    navigator.mediaDevices?.getUserMedia({ video: true }).then(
      () => 'granted',
      () => 'refused',
    ),
  )
  expect(camera ?? 'refused').toBe('refused')
})

test('windows are made as the checklist says', async ({ start }) => {
  const { app } = await start()
  const preferences = await app.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows()
    // Not in the types: what the window was made with, defaults filled in.
    const contents = window?.webContents as unknown as { getLastWebPreferences(): Record<string, unknown> }
    return contents.getLastWebPreferences()
  })
  expect(preferences).toMatchObject({
    ...{ sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false },
    nodeIntegrationInSubFrames: false,
  })
  expect(preferences['webSecurity'] ?? true).toBe(true)
  for (const name of [
    'nodeIntegrationInWorker',
    'allowRunningInsecureContent',
    'experimentalFeatures',
    'enableBlinkFeatures',
  ])
    expect(preferences[name] || false, name).toBe(false)
})

test('calls of other senders are refused', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p3.img')] })
  await expect(page.getByTestId('state')).toContainText('running')
  // Windows with our preload that are none of ours: one with a page of somebody else, one with our page but no document.
  const server = createServer((_request, response) => response.end('<p>a stranger</p>')).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const stranger = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const answers = await app.evaluate(
    async ({ BrowserWindow }, { stranger, preload }) => {
      const found: string[] = []
      for (const url of [stranger, 'app://ringside/index.html']) {
        const window = new BrowserWindow({
          show: false,
          webPreferences: { preload, sandbox: true, contextIsolation: true },
        })
        await window.loadURL(url).catch(() => {})
        found.push(
          await window.webContents.executeJavaScript(
            `window.ringside ? window.ringside.call('machine', 'pause').then(() => 'accepted', (error) => error.message) : 'no bridge'`,
          ),
        )
        window.destroy()
      }
      return found
    },
    { stranger, preload: join(root, 'out/preload/index.cjs') },
  )
  server.close()
  expect(answers[0]).toContain('calls are answered to Ringside’s own page only')
  expect(answers[1]).toContain('this window has no document')
  await expect(page.getByTestId('state')).toContainText('running')
})

test('webviews and frames of others get nothing', async ({ start }) => {
  const { page } = await start()
  const found = await page.evaluate(async () => {
    const view = document.createElement('webview')
    view.setAttribute('src', 'https://example.com/')
    document.body.append(view)
    const frame = document.createElement('iframe')
    frame.srcdoc = '<p>inside</p>'
    document.body.append(frame)
    await new Promise((done) => setTimeout(done, 500))
    return {
      view: 'getWebContentsId' in view,
      bridge: frame.contentWindow !== null && 'ringside' in frame.contentWindow,
    }
  })
  expect(found).toEqual({ view: false, bridge: false })
})

test('what reaches the system’s shell is ours', async ({ start }) => {
  const { app, page } = await start({ files: [seed('p3.img')] })
  await app.evaluate(({ shell }) => {
    const calls: string[] = []
    Object.assign(globalThis, { shellCalls: calls })
    for (const name of ['openExternal', 'openPath', 'showItemInFolder'] as const)
      (shell as unknown as Record<string, unknown>)[name] = (target: string) =>
        calls.push(`${name} ${target}`)
  })
  await page.evaluate(async () => {
    const call = window.ringside.call as (name: string, ...args: unknown[]) => Promise<unknown>
    for (const args of [
      ['document.reveal'],
      ['document.reveal', '/etc/passwd'],
      ['openExternal', 'https://example.com/'],
    ])
      await (call as (...args: unknown[]) => Promise<unknown>)(...args).catch(() => {})
    window.open('https://example.com/')
  })
  const calls = await app.evaluate(() => (globalThis as unknown as { shellCalls: string[] }).shellCalls)
  expect(calls).toEqual([`showItemInFolder ${seed('p3.img')}`])
})
