/** Symbols that cannot be read, wholly or in part; the message is a clause that says what and where. */
export class SymbolError extends Error {
  override name = 'SymbolError'
}

export const hex = (value: number | bigint) => `${value.toString(16).toUpperCase()}h`
