// An instruction's text in pieces that are drawn differently.
export interface Word {
  kind: 'mnemonic' | 'register' | 'number' | 'size' | 'punctuation'
  text: string
}

const SIZES = /^(byte|word|dword|qword|oword|tword|fword|ptr|far|near|short|rel)$/

/** Widest mnemonic that operands are lined up after. */
const COLUMN = 6

/** @param text of one instruction in NASM syntax, mnemonic first, prefixes before it */
export function wordsOf(text: string): Word[] {
  const [first = '', ...rest] = text.split(' ')
  const words: Word[] = []
  const prefix = /^(rep|repe|repne|lock)$/.test(first) && rest.length > 0
  const mnemonic = prefix ? `${first} ${rest.shift()}` : first
  words.push({ kind: 'mnemonic', text: rest.length > 0 ? `${mnemonic.padEnd(COLUMN)} ` : mnemonic })
  for (const [piece] of rest
    .join(' ')
    .matchAll(/0x[0-9a-f]+|\d[0-9a-f]*h?|[a-z_][a-z0-9_]*|\s+|[^\w\s]+/gi)) {
    const kind = /^(0x|\d)/i.test(piece)
      ? 'number'
      : SIZES.test(piece)
        ? 'size'
        : /^[a-z_]/i.test(piece)
          ? 'register'
          : 'punctuation'
    words.push({ kind, text: piece })
  }
  return words
}
