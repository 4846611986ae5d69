// core.wasm and the system ROM: read and compiled once per process, shared by all machines.
import { readFile } from 'node:fs/promises'
import corePath from '@emulator/core/index.ts?asc'
import directBootPath from '@assets/firmware/direct-boot.bin?asset'
import multibootPath from '@assets/firmware/multiboot.bin?asset'
import romPath from '@assets/firmware/ringside-bios.bin?asset'
import { ROM_SIZE } from '../core/layout'
import type { Starters } from '../firmware/direct-boot/load'

let core: Promise<WebAssembly.Module> | undefined
let starters: Promise<Starters> | undefined
let rom: Promise<Uint8Array> | undefined

export function coreModule(): Promise<WebAssembly.Module> {
  core ??= readFile(corePath).then((bytes) => WebAssembly.compile(bytes))
  return core
}

/** emulator/firmware/direct-boot/start.asm and multiboot.asm, assembled. */
export function directBootStarters(): Promise<Starters> {
  starters ??= Promise.all([readFile(directBootPath), readFile(multibootPath)]).then(
    ([linux, multiboot]) => ({
      linux,
      multiboot,
    }),
  )
  return starters
}

/** @throws Error when the image has not exactly the size of the ROM */
export function systemRom(): Promise<Uint8Array> {
  rom ??= readFile(romPath).then((bytes) => {
    if (bytes.length !== ROM_SIZE)
      throw new Error(`${romPath} has ${bytes.length} bytes instead of ${ROM_SIZE}`)
    return bytes
  })
  return rom
}
