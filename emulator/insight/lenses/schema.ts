// Holds a value against a JSON schema, as far as docs/lens.schema.json makes use of the language (draft 2020-12): type, const,
// enum, required, properties, additionalProperties, items, minItems, oneOf, $ref into $defs.
import type { JsonNode } from './json'

export interface Schema {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: boolean
  items?: Schema
  minItems?: number
  oneOf?: Schema[]
  $ref?: string
  $defs?: Record<string, Schema>
}

export interface Problem {
  /** Offset in the text. */
  at: number
  message: string
}

/** More of them help nobody. */
const PROBLEMS_MAX = 20

/**
 * @param referred hears which values the schema describes by a reference, and which
 * @returns what is wrong, in the order of the text
 */
export function problemsOf(
  node: JsonNode,
  schema: Schema,
  referred: (reference: string, node: JsonNode) => void = () => {},
): Problem[] {
  const checker = new Checker(schema, referred)
  checker.check(node, schema, 'the lens')
  return checker.problems.sort((a, b) => a.at - b.at).slice(0, PROBLEMS_MAX)
}

class Checker {
  readonly problems: Problem[] = []
  constructor(
    readonly root: Schema,
    readonly referred: (reference: string, node: JsonNode) => void = () => {},
  ) {}

  #wrong(at: number, message: string) {
    if (this.problems.length < 1000) this.problems.push({ at, message })
  }

  #resolve(schema: Schema): Schema {
    let found = schema
    while (found.$ref) found = this.root.$defs?.[found.$ref.replace('#/$defs/', '')] ?? {}
    return found
  }

  /** @param what the value is, for the message */
  check(node: JsonNode, given: Schema, what: string) {
    const schema = this.#resolve(given)
    if (given.$ref) this.referred(given.$ref, node)
    const { type } = schema
    if (type !== undefined && ![type].flat().some((each) => isOf(node, each)))
      return this.#wrong(node.at, `${what} must be ${listed([type].flat().map(article), 'or')}`)
    if ('const' in schema && !same(node, schema.const))
      return this.#wrong(node.at, `${what} must be ${JSON.stringify(schema.const)}`)
    if (schema.enum && !schema.enum.some((each) => same(node, each)))
      return this.#wrong(node.at, `${what} must be one of ${schema.enum.join(', ')}`)
    if (schema.oneOf) this.#oneOf(node, schema.oneOf, what)
    if (node.kind === 'object') this.#object(node, schema, what)
    if (node.kind !== 'array') return
    if (node.items.length < (schema.minItems ?? 0))
      this.#wrong(node.at, `${what} must have at least ${schema.minItems} items`)
    if (schema.items) for (const item of node.items) this.check(item, schema.items, `an item of ${what}`)
  }

  #object(node: JsonNode & { kind: 'object' }, schema: Schema, what: string) {
    for (const name of schema.required ?? [])
      if (!node.members.has(name)) this.#wrong(node.at, `${what} lacks ${JSON.stringify(name)}`)
    for (const [name, { at, value }] of node.members) {
      const inner = schema.properties && Object.hasOwn(schema.properties, name) && schema.properties[name]
      if (inner) this.check(value, inner, JSON.stringify(name))
      else if (schema.additionalProperties === false)
        this.#wrong(
          at,
          `${what} has no ${JSON.stringify(name)}; it may have ${Object.keys(schema.properties ?? {}).join(', ')}`,
        )
    }
  }

  /** Which of the forms it is meant to be decides what is wrong with it. */
  #oneOf(node: JsonNode, forms: Schema[], what: string) {
    const all = forms.map((form) => this.#resolve(form))
    const kind = node.kind === 'object' ? node.members.get('kind')?.value : undefined
    const kinds = all.map((form) => form.properties?.['kind']?.const)
    if (kinds.every((each) => each !== undefined)) {
      const meant = all.find((_, i) => kind && same(kind, kinds[i]))
      if (meant) return this.check(node, meant, what)
      return this.#wrong((kind ?? node).at, `${what} must have a "kind" of ${kinds.join(', ')}`)
    }
    const fits = all.filter((form) => {
      const trial = new Checker(this.root)
      trial.check(node, form, what)
      return trial.problems.length === 0
    })
    // Once more, for the references in it.
    if (fits.length === 1) return this.check(node, fits[0]!, what)
    if (fits.length > 1) return this.#wrong(node.at, `${what} can be read in more than one way`)
    const required = all.map((form) => form.required?.join(' and ')).filter((each) => each !== undefined)
    if (node.kind === 'object' && required.length === all.length)
      return this.#wrong(node.at, `${what} must have ${listed(required, 'or')}`)
    this.#wrong(node.at, `${what} has none of the forms it may have`)
  }
}

function isOf(node: JsonNode, type: string): boolean {
  if (type === 'integer') return node.kind === 'number' && Number.isInteger(node.value)
  return node.kind === type
}

const same = (node: JsonNode, value: unknown): boolean => 'value' in node && node.value === value
const article = (type: string) =>
  /^[aeiou]/.test(type) ? `an ${type}` : type === 'string' ? 'text' : `a ${type}`
const listed = (words: string[], last: string) =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
