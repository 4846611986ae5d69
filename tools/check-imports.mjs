// The import allow-list as a check: every import of every source file against tools/import-rules.mjs.
import { readdir, readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join, normalize, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { CORE_FOR_TYPESCRIPT, RULES, TEST_PACKAGES, TOP_OF_EMULATOR } from './import-rules.mjs'
import { root } from './paths.mjs'

const SOURCE = /\.(ts|mts|mjs|js|vue)$/
const TEST = /\.(test|spec)\.ts$/

/** @typedef {{ specifier: string, typeOnly: boolean, line: number }} Import */

/**
 * Every import of a file: declarations, re-exports, `import()`, `require()` and `import('x').T`.
 * @param {string} file its name decides how it is read
 * @param {string} text
 * @returns {Import[]}
 */
export function importsOf(file, text) {
  const code = file.endsWith('.vue') ? scriptOf(text) : text
  const source = ts.createSourceFile(file.replace(/\.vue$/, '.ts'), code, ts.ScriptTarget.Latest, true)
  /** @type {Import[]} */
  const found = []
  /** @param {ts.Node | undefined} at @param {boolean} typeOnly */
  const add = (at, typeOnly) => {
    if (!at || !ts.isStringLiteralLike(at)) return
    found.push({
      specifier: at.text,
      typeOnly,
      line: source.getLineAndCharacterOfPosition(at.getStart()).line + 1,
    })
  }
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, importsTypesOnly(node.importClause))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true)
    else if (ts.isCallExpression(node)) {
      const called = node.expression
      const imports = called.kind === ts.SyntaxKind.ImportKeyword
      if (imports || (ts.isIdentifier(called) && called.text === 'require')) add(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** @param {ts.ImportClause | undefined} clause */
function importsTypesOnly(clause) {
  if (!clause) return false
  if (clause.isTypeOnly) return true
  const names = clause.namedBindings
  if (clause.name || !names || !ts.isNamedImports(names) || names.elements.length === 0) return false
  return names.elements.every((element) => element.isTypeOnly)
}

/** The script blocks of a Vue file, at their own lines. @param {string} text */
function scriptOf(text) {
  let code = ''
  for (const match of text.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)) {
    const start = match.index + match[0].indexOf('>') + 1
    code += '\n'.repeat(text.slice(0, start).split('\n').length - code.split('\n').length) + (match[1] ?? '')
  }
  return code
}

/**
 * What an import breaks.
 * @param {string} file the importing file, from the project's root, with `/`
 * @param {Import} imported
 * @returns {string | undefined} the reason, or undefined when it is allowed
 */
export function violation(file, { specifier, typeOnly }) {
  const rule = RULES.filter(({ from }) => file.startsWith(`${from}/`)).sort(
    (a, b) => b.from.length - a.from.length,
  )[0]
  if (!rule) return undefined
  const isTest = TEST.test(file)
  const isCore = /^emulator\/core\/(?!(?:vectors|testing|tests)\/)/.test(file) && !isTest
  const target = resolveImport(file, specifier)
  if (target.kind === 'package' && isTest && TEST_PACKAGES.includes(target.name)) return undefined
  // A core's test is TypeScript for Node, and speaks to the core as the machine does.
  const rules =
    rule.from === 'emulator/core' && !isCore ? RULES.find(({ from }) => from === 'emulator') : rule
  const may = [...(rules?.may ?? []), ...(isTest ? ['node:', 'tools'] : [])]
  const allowed = may.some((entry) => {
    const name = typeof entry === 'string' ? entry : entry.types
    if (typeof entry !== 'string' && !typeOnly) return false
    if (target.kind === 'builtin') return name === 'node:'
    return target.name === name || (target.kind === 'file' && target.name.startsWith(`${name}/`))
  })
  if (!allowed)
    return `${rule.from}/ may not import ${specifier}${typeOnly ? '' : ' (as a value)'}: ${rule.why}`
  if (target.kind !== 'file') return undefined
  if (
    target.name.startsWith(`${TOP_OF_EMULATOR}/`) &&
    file.startsWith('emulator/') &&
    !file.startsWith(`${TOP_OF_EMULATOR}/`)
  ) {
    return `${specifier}: nothing in emulator/ builds on the command line`
  }
  if (
    target.name.startsWith('emulator/core/') &&
    !isCore &&
    !typeOnly &&
    !CORE_FOR_TYPESCRIPT.test(target.name)
  ) {
    return `${specifier} is AssemblyScript; TypeScript may import its layout files and index.ts?asc only`
  }
  return undefined
}

/**
 * @param {string} file @param {string} specifier
 * @returns {{ kind: 'file' | 'package' | 'builtin', name: string }}
 */
function resolveImport(file, specifier) {
  if (specifier.startsWith('node:') || isBuiltin(specifier)) return { kind: 'builtin', name: specifier }
  if (specifier.startsWith('.')) return { kind: 'file', name: posix.join(posix.dirname(file), specifier) }
  const alias = /^@(emulator|assets)\//.exec(specifier)
  if (alias) return { kind: 'file', name: specifier.slice(1) }
  const parts = specifier.split('/')
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') }
}

/** @returns {Promise<string[]>} a line for every import that breaks a rule */
export async function checkImports() {
  const problems = []
  const folders = new Set(RULES.map(({ from }) => from.split('/')[0] ?? from))
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    for (const name of names.sort()) {
      if (!SOURCE.test(name)) continue
      const file = posix.join(folder, normalize(name).replaceAll('\\', '/'))
      for (const imported of importsOf(file, await readFile(join(root, file), 'utf8'))) {
        const problem = violation(file, imported)
        if (problem) problems.push(`${file}:${imported.line}: ${problem}`)
      }
    }
  }
  return problems
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = await checkImports()
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
