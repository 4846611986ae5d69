// Runs the benchmark on v86, a PC emulator for 32-bit guests: COM1 goes to stdout.
// usage: node v86.mjs V86-FOLDER IMAGE BIOS VGA-BIOS
import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder = '', image = '', bios = '', vgaBios = ''] = process.argv.slice(2)
const { V86 } = await import(pathToFileURL(join(folder, 'build/libv86.mjs')).href)
/** @param {string} path */
const file = (path) => {
  const bytes = readFileSync(path)
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) }
}
const machine = new V86({
  wasm_path: join(folder, 'build/v86.wasm'),
  memory_size: 256 << 20,
  vga_memory_size: 8 << 20,
  bios: file(bios),
  vga_bios: file(vgaBios),
  hda: file(image),
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  log_level: 0,
})
let line = ''
machine.add_listener('serial0-output-byte', (/** @type {number} */ byte) => {
  line += String.fromCharCode(byte)
  if (byte !== 10) return
  writeSync(1, line)
  line = ''
})
