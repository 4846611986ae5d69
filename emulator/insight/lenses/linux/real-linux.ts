// For tests: a real Linux 6.1 up to its shell on ttyS0 (RINGSIDE_LINUX: a folder with vmlinuz and initramfs.gz whose init mounts
// /proc, says READY and starts a shell).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openDirectBoot } from '../../../firmware/direct-boot/files'
import { defaultConfig, type Machine, MIB } from '../../../machine/api'
import { createMachine } from '../../../machine/machine'

const folder = process.env['RINGSIDE_LINUX'] ?? ''
export const hasRealLinux = existsSync(join(folder, 'vmlinuz'))

export interface RealLinux {
  machine: Machine
  /** What ttyS0 has said; may be emptied. */
  text: string
  /** Resolves when `text` has it. @param meanwhile is called again and again until then */
  said(what: RegExp, meanwhile?: () => void): Promise<void>
}

export async function createRealLinux(): Promise<RealLinux> {
  const direct = openDirectBoot(join(folder, 'vmlinuz'), [join(folder, 'initramfs.gz')], 'console=ttyS0')
  const machine = await createMachine({ ...defaultConfig(), memory: 256 * MIB, pace: false, direct })
  const linux: RealLinux = {
    machine,
    text: '',
    async said(what, meanwhile) {
      while (!what.test(linux.text)) {
        await new Promise((done) => setTimeout(done, 2))
        meanwhile?.()
      }
    },
  }
  machine.on('serial', ({ port, bytes }) => {
    if (port === 0) linux.text += Buffer.from(bytes).toString('latin1')
  })
  return linux
}

/** Runs it to its shell. */
export async function bootRealLinux({ machine, said }: RealLinux): Promise<void> {
  machine.run()
  await said(/READY/)
  await new Promise((done) => setTimeout(done, 500))
}
