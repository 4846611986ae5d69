// `ringside associate`: disk images and kernels open in Ringside from the file manager, for this user of a Linux desktop. Three files by
// the freedesktop.org specifications (Desktop Entry 1.5, Shared MIME-info Database 0.21, Icon Theme 0.13), and undone the same way.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { root } from './paths.mjs'
import { say } from './progress.mjs'

const HELP = `usage: ringside associate [--default] [--remove]

Lets the file managers of a Linux desktop open disk images, CD images and kernels in Ringside, for the user who asks: an entry
in the menu, an icon, and what a Linux or Multiboot kernel and a boot sector look like. Files that are opened while
Ringside runs get a window of the application that runs.

  --default   Ringside is what a double click opens, not only what "Open with" offers
  --remove    takes everything back; what was the default before is the default again

Files go below XDG_DATA_HOME (~/.local/share), and with --default into mimeapps.list below XDG_CONFIG_HOME (~/.config).
macOS and Windows learn of file types from an installed application, which Ringside is not yet.

exit status: 0, 1 when a file cannot be written, 2 for a wrong command line or another system
`

const KERNEL = 'application/vnd.ringside.kernel'
const BOOT_SECTOR = 'application/vnd.ringside.boot-sector'
/** Names of shared-mime-info for images, old and new: an alias is not looked up by every file manager. */
const TYPES = [
  ...[KERNEL, BOOT_SECTOR],
  ...['application/x-raw-disk-image', 'application/vnd.efi.img', 'application/x-raw-floppy-disk-image'],
  ...['application/x-cd-image', 'application/x-iso9660-image', 'application/vnd.efi.iso'],
]
const ID = 'ringside.desktop'

/**
 * Kernels are known by their headers: Linux's boot protocol, "HdrS" at 202h; Multiboot 2 in the first 32 KiB, Multiboot 1 in the
 * first 8 (3.1.1 of both). A boot sector's signature says little, so others come first (a priority below 50).
 */
const MIME = `<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="${KERNEL}">
    <comment>Kernel of an operating system</comment>
    <generic-icon name="application-x-executable"/>
    <magic priority="60">
      <match type="string" offset="514" value="HdrS"/>
      <match type="little32" offset="0:32767" value="0xe85250d6"/>
      <match type="little32" offset="0:8191" value="0x1badb002"/>
    </magic>
  </mime-type>
  <mime-type type="${BOOT_SECTOR}">
    <comment>Disk image that boots</comment>
    <generic-icon name="drive-harddisk"/>
    <magic priority="30">
      <match type="little16" offset="510" value="0xaa55"/>
    </magic>
  </mime-type>
</mime-info>
`

/** A board with a processor, in the application's own colours. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
  <rect x="4" y="4" width="56" height="56" rx="10" fill="#16181d"/>
  <g stroke="#8b93a3" stroke-width="3" stroke-linecap="round">
    <path d="M22 10v7M32 10v7M42 10v7M22 47v7M32 47v7M42 47v7M10 22h7M10 32h7M10 42h7M47 22h7M47 32h7M47 42h7"/>
  </g>
  <rect x="17" y="17" width="30" height="30" rx="4" fill="#232730" stroke="#8b93a3" stroke-width="2"/>
  <path d="M24 40V24h16M24 32h10" fill="none" stroke="#e0a33e" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`

/** An argument of Exec: in quotes, and what is special inside of them behind a backslash; % stands for itself twice (7). @param {string} text */
function execArgument(text) {
  const quoted = text.replace(/["`$\\]/g, '\\$&').replaceAll('%', '%%')
  // Values are strings, in which a backslash is written as two (4.1).
  return `"${quoted}"`.replaceAll('\\', '\\\\')
}

/** @param {string} node @param {string} folder of Ringside */
export function desktopEntry(node, folder) {
  const exec = [node, join(folder, 'tools/ringside.mjs'), 'open'].map(execArgument).join(' ')
  return `[Desktop Entry]
Type=Application
Version=1.5
Name=Ringside
GenericName=PC for operating systems
Comment=Boot an operating system in a PC of its own, and watch it
Exec=${exec} %F
Icon=ringside
Terminal=false
Categories=Development;Emulator;
MimeType=${TYPES.join(';')};
StartupWMClass=Ringside
`
}

/** @param {NodeJS.ProcessEnv} env @returns {{ data: string, config: string }} */
function folders(env) {
  const of = (/** @type {string} */ name, /** @type {string} */ otherwise) => {
    const value = env[name]
    // Paths that are not absolute are to be ignored (XDG Base Directory Specification 0.8).
    return value && isAbsolute(value) ? value : join(env['HOME'] || homedir(), otherwise)
  }
  return { data: of('XDG_DATA_HOME', '.local/share'), config: of('XDG_CONFIG_HOME', '.config') }
}

/**
 * mimeapps.list with Ringside first among the defaults of its types, or nowhere (Association between MIME types and
 * applications 1.0.1). Whatever else is in it stays as it is.
 * @param {string} text @param {boolean} wanted
 */
export function withDefaults(text, wanted) {
  const GROUP = '[Default Applications]'
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  let start = lines.findIndex((line) => line.trim() === GROUP)
  if (start < 0) {
    if (!wanted) return text
    if (lines.length > 0) lines.push('')
    start = lines.push(GROUP) - 1
  }
  const after = lines.findIndex((line, i) => i > start && line.startsWith('['))
  const end = after < 0 ? lines.length : after
  const group = lines.slice(start + 1, end)
  for (const type of TYPES) {
    const at = group.findIndex((line) => line.split('=')[0]?.trim() === type)
    const before = at < 0 ? [] : (group[at] ?? '').slice((group[at] ?? '').indexOf('=') + 1).split(';')
    const others = before.map((each) => each.trim()).filter((each) => each !== '' && each !== ID)
    const entry = `${type}=${[...(wanted ? [ID] : []), ...others].join(';')};`
    if (at < 0) {
      if (wanted) {
        let last = group.length
        while (last > 0 && group[last - 1]?.trim() === '') last--
        group.splice(last, 0, entry)
      }
    } else if (before.includes(ID) || wanted) {
      if (wanted || others.length > 0) group[at] = entry
      else group.splice(at, 1)
    }
  }
  const empty = !wanted && group.every((line) => line.trim() === '')
  const head = lines.slice(0, start)
  if (empty && head.at(-1)?.trim() === '') head.pop()
  const made = [...head, ...(empty ? [] : [GROUP, ...group]), ...lines.slice(end)]
  return made.length === 0 ? '' : `${made.join('\n')}\n`
}

/**
 * @param {string[]} args behind `associate`
 * @param {NodeJS.ProcessEnv} [env]
 * @param {NodeJS.Platform} [platform]
 * @returns {number} the exit status
 */
export function associate(args, env = process.env, platform = process.platform) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const unknown = args.find((arg) => arg !== '--default' && arg !== '--remove')
  if (unknown !== undefined) {
    say(`ringside: associate has no option ${unknown}. ‘ringside associate --help’ lists them.`)
    return 2
  }
  const remove = args.includes('--remove')
  if (platform !== 'linux') {
    say(
      `ringside: on ${platform === 'darwin' ? 'macOS' : 'this system'} file types belong to installed applications, which Ringside is not yet: drop files on the window, or open them from its menu.`,
    )
    return 2
  }
  const { data, config } = folders(env)
  const files = new Map([
    [join(data, 'applications', ID), desktopEntry(process.execPath, root)],
    [join(data, 'mime/packages/ringside.xml'), MIME],
    [join(data, 'icons/hicolor/scalable/apps/ringside.svg'), ICON],
  ])
  try {
    for (const [path, text] of files) {
      if (remove) rmSync(path, { force: true })
      else {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text)
      }
    }
    const list = join(config, 'mimeapps.list')
    const before = existsSync(list) ? readFileSync(list, 'utf8') : ''
    if (remove || args.includes('--default')) {
      const after = withDefaults(before, !remove)
      if (after !== before) {
        mkdirSync(config, { recursive: true })
        if (after === '') rmSync(list)
        else writeFileSync(list, after)
      }
    }
  } catch (error) {
    say(`ringside: ${/** @type {Error} */ (error).message}`)
    return 1
  }
  // What desktops read are indexes of these folders; GLib reads entries without one.
  const absent = refresh([
    ['update-mime-database', join(data, 'mime')],
    ['update-desktop-database', join(data, 'applications')],
  ])
  for (const path of files.keys()) say(`${remove ? 'removed' : 'wrote'} ${path}`)
  if (absent.includes('update-mime-database') && !remove)
    say(
      'update-mime-database is not installed (package shared-mime-info): kernels are not recognised until it has run.',
    )
  return 0
}

/** @param {[command: string, folder: string][]} commands @returns {string[]} those that there are none of */
function refresh(commands) {
  return commands.flatMap(([command, folder]) => {
    if (!existsSync(folder)) return []
    const { error } = spawnSync(command, [folder], { stdio: 'ignore' })
    return error ? [command] : []
  })
}
