// iced-x86, loaded when the first instruction is to be read: most runs never need it.

type Iced = typeof import('iced-x86')

let loading: Promise<Iced> | undefined

/** Its objects live in a WebAssembly memory: `free()` each of them. */
export function iced(): Promise<Iced> {
  // A CommonJS package: bundled and plain imports differ in where they put the exports.
  loading ??= import('iced-x86').then((module) => (module as { default?: Iced }).default ?? module)
  return loading
}

/** @returns one instruction in NASM's syntax, and its length */
export async function disassembler(): Promise<
  (bytes: Uint8Array, rip: bigint, bits: 16 | 32 | 64) => { text: string; length: number } | undefined
> {
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = await iced()
  return (bytes, rip, bits) => {
    const decoder = new Decoder(bits, bytes, DecoderOptions.None)
    const formatter = new Formatter(FormatterSyntax.Nasm)
    decoder.ip = rip
    const instruction = decoder.decode()
    try {
      if (instruction.isInvalid) return undefined
      return { text: formatter.format(instruction), length: instruction.length }
    } finally {
      instruction.free()
      formatter.free()
      decoder.free()
    }
  }
}
