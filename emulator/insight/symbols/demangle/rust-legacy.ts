// Rust's names before v0: `_ZN`, path elements with their lengths, a hash as the last of them, `E`.

const ESCAPES: Record<string, string> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
}

/** @returns undefined when it is none: C++ names look alike but for the hash */
export function demangleRustLegacy(name: string): string | undefined {
  const [, path, suffix = ''] = /^_{1,2}ZN(.*?)E((?:\..*)?)$/s.exec(name) ?? []
  if (path === undefined) return undefined
  const parts: string[] = []
  for (let at = 0; at < path.length; ) {
    const [digits] = /^\d+/.exec(path.slice(at)) ?? []
    if (digits === undefined) return undefined
    at += digits.length
    const length = Number(digits)
    if (length === 0 || at + length > path.length) return undefined
    parts.push(path.slice(at, at + length))
    at += length
  }
  const hash = parts.pop()
  if (parts.length === 0 || hash === undefined || !/^h[0-9a-f]{16}$/.test(hash)) return undefined
  const shown = parts.map(unescaped).join('::')
  // What LLVM makes of a function keeps its suffix; `.llvm.` and digits are noise.
  return shown + suffix.replace(/\.llvm\.[0-9A-F@]+/i, '')
}

function unescaped(part: string): string {
  return part
    .replace(/^_\$/, '$')
    .replaceAll('..', '::')
    .replace(/\$([A-Z]+|u[0-9a-f]+)\$/g, (whole, code: string) => {
      if (ESCAPES[code] !== undefined) return ESCAPES[code]
      if (!code.startsWith('u')) return whole
      const point = Number.parseInt(code.slice(1), 16)
      return point < 0x110000 && (point < 0xd800 || point > 0xdfff) && point >= 0x20
        ? String.fromCodePoint(point)
        : whole
    })
}
