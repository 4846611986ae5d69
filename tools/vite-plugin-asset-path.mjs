// `import path from './x.bin?asset'` without electron-vite: the path of the file itself, for unit tests.

const SUFFIX = '?asset'
const PREFIX = '\0asset:'

/** @returns {import('vite').Plugin} */
export function assetPath() {
  return {
    name: 'ringside:asset-path',
    enforce: 'pre',
    async resolveId(id, importer) {
      if (!id.endsWith(SUFFIX)) return
      const found = await this.resolve(id.slice(0, -SUFFIX.length), importer, { skipSelf: true })
      return found && PREFIX + found.id
    },
    load: (id) =>
      id.startsWith(PREFIX) ? `export default ${JSON.stringify(id.slice(PREFIX.length))}` : undefined,
  }
}
