// app://ringside/: the built renderer folder and nothing else, under a strict content security policy.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname, isAbsolute, relative, resolve } from 'node:path'

export const APP_SCHEME = 'app'
export const APP_ORIGIN = 'app://ringside'
export const APP_PAGE = `${APP_ORIGIN}/index.html`

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.map': 'application/json',
}

/**
 * The file behind a request, or undefined when it is not one of ours: another host, a path that leads out of the
 * folder (however it is spelled), a type we do not serve.
 * @param url as requested
 * @param folder absolute path of the folder that is served
 */
export function fileOf(url: string, folder: string): string | undefined {
  let path: string
  try {
    const { protocol, host, pathname } = new URL(url)
    if (`${protocol}//${host}` !== APP_ORIGIN) return
    path = decodeURIComponent(pathname)
  } catch {
    return
  }
  if (path.includes('\0') || path.includes('\\')) return
  const file = resolve(folder, `.${path}`)
  const inside = relative(folder, file)
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) return
  return extname(file) in TYPES ? file : undefined
}

/**
 * Nothing from anywhere but the application. The terminal makes style elements at run time; they carry the nonce
 * that only this page load knows. Style attributes are harmless without foreign markup and xterm needs them.
 */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src-elem 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "font-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Where the page finds the nonce: `<meta name="style-nonce" content="...">`. */
const NONCE_PLACEHOLDER = '__STYLE_NONCE__'

/** Answers the requests of our pages. */
export function appHandler(folder: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const file = request.method === 'GET' ? fileOf(request.url, folder) : undefined
    if (file === undefined) return new Response('Not found', { status: 404 })
    const content = await readFile(file).catch(() => undefined)
    if (content === undefined) return new Response('Not found', { status: 404 })
    const type = extname(file)
    const nonce = randomBytes(16).toString('base64')
    const body =
      type === '.html'
        ? content.toString('utf8').replaceAll(NONCE_PLACEHOLDER, nonce)
        : new Uint8Array(content)
    return new Response(body, {
      headers: {
        'content-type': TYPES[type]!,
        'content-security-policy': contentSecurityPolicy(nonce),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      },
    })
  }
}
