// Reads the few facts that the build checks from a WebAssembly module's sections
// (WebAssembly Core Specification 2.0, 5.5: section ids, imports, data segments).

/**
 * @typedef {object} ModuleFacts
 * @property {{ module: string, name: string }[]} imports
 * @property {number} dataEnd first address after the last active data segment; 0 if there is none
 * @property {number} passiveSegments data segments that nothing copies into the memory
 */

const DATA_SECTION = 11
const I32_CONST = 0x41
const END = 0x0b

/**
 * @param {Uint8Array} bytes a complete module
 * @returns {ModuleFacts}
 * @throws {Error} when the bytes are no module, or a segment's address is not a constant
 */
export function describeModule(bytes) {
  if (bytes.length < 8 || new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== 0x6d736100) {
    throw new Error('not a WebAssembly module')
  }
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(/** @type {BufferSource} */ (bytes))).map(
    ({ module, name }) => ({ module, name }),
  )
  let at = 8
  const unsigned = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  let dataEnd = 0
  let passiveSegments = 0
  while (at < bytes.length) {
    const id = bytes[at++]
    const size = unsigned()
    const next = at + size
    if (id === DATA_SECTION) {
      for (let left = unsigned(); left > 0; left--) {
        const kind = unsigned()
        if (kind === 1) passiveSegments++
        else {
          if (kind === 2) unsigned()
          if (bytes[at++] !== I32_CONST) throw new Error('a data segment without a constant address')
          const address = unsigned()
          if (bytes[at++] !== END) throw new Error('a data segment without a constant address')
          const length = unsigned()
          dataEnd = Math.max(dataEnd, address + length)
          at += length
          continue
        }
        at += unsigned()
      }
    }
    at = next
  }
  return { imports, dataEnd, passiveSegments }
}
