// Reading what a lens points at: values whose failure is noted and gone past, and walks that end whatever the lists say.
import type { TypeReference } from '../symbols/type-graph'
import {
  elementOf,
  evaluate,
  numberOf,
  placeOf,
  type Scope,
  textOf,
  Unreadable,
  type Value,
} from './evaluate'
import type { GuestView } from './guest-view'
import type { Kernel } from './kernel'
import { parsed, type Walk } from './lens'

/** What could not be read. */
export interface Trouble {
  /** The expression, or the part of the lens. */
  what: string
  why: string
}

/** Nodes of one walk, and of all walks of one look: kernels in the middle of an update have lists that do not close. */
export const WALK_MAX = 1 << 20
const NODES_MAX = 1 << 22
const TROUBLES_MAX = 50

type Text = string | number

export class Reader {
  readonly troubles: Trouble[] = []
  #nodes = 0

  constructor(
    readonly view: GuestView,
    readonly kernel: Kernel,
  ) {}

  trouble(what: string, why: string) {
    if (this.troubles.length >= TROUBLES_MAX) return
    if (!this.troubles.some((each) => each.what === what && each.why === why))
      this.troubles.push({ what, why })
  }

  scope(here?: Value, around?: Value): Scope {
    const scope: Scope = { view: this.view, kernel: this.kernel }
    if (here) scope.here = here
    if (around) scope.around = around
    return scope
  }

  /** Whatever cannot be read makes this one value unknown. */
  attempt<T>(what: string, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.trouble(what, error.message)
      return undefined
    }
  }

  value(text: Text, here?: Value, around?: Value): Value | undefined {
    return this.attempt(String(text), () => evaluate(parsed(text), this.scope(here, around)))
  }

  big(text: Text, here?: Value, around?: Value): bigint | undefined {
    const scope = this.scope(here, around)
    return this.attempt(String(text), () => numberOf(evaluate(parsed(text), scope), scope))
  }

  /** @param most what is larger is nonsense, and said to be */
  number(text: Text, here?: Value, around?: Value, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.big(text, here, around)
    if (value === undefined) return undefined
    if (value >= -0x8000_0000n && value <= BigInt(most)) return Number(value)
    this.trouble(String(text), `${value} is out of all reason`)
    return undefined
  }

  /** Where a struct or an array is, or where a pointer leads. */
  place(text: Text, here?: Value, around?: Value): bigint | undefined {
    const scope = this.scope(here, around)
    return this.attempt(String(text), () => placeOf(evaluate(parsed(text), scope), scope))
  }

  text(text: Text, here?: Value, around?: Value): string | undefined {
    const scope = this.scope(here, around)
    return this.attempt(String(text), () => textOf(evaluate(parsed(text), scope), scope))
  }

  /** `false` when there is no such expression to say otherwise. */
  holds(text: Text | undefined, here?: Value, around?: Value): boolean | undefined {
    if (text === undefined) return true
    const value = this.big(text, here, around)
    return value === undefined ? undefined : value !== 0n
  }

  enumerators(name: string): Map<bigint, string> {
    const { types } = this.kernel
    const type = types.bare(this.kernel.typeNamed(name.replace(/^enum /, 'enum ')))
    const values = new Map<bigint, string>()
    if (type?.kind !== 'enum') {
      this.trouble(name, 'the kernel has no enumeration of this name')
      return values
    }
    for (const each of type.values) values.set(BigInt(each.value), each.name)
    return values
  }

  /** @returns undefined, and says so, when the kernel has no such type */
  type(name: string): TypeReference {
    const found = this.kernel.typeNamed(name)
    if (found === undefined) this.trouble(name, 'the kernel has no type of this name')
    return found
  }

  #count(what: string): boolean {
    if (++this.#nodes <= NODES_MAX) return true
    this.trouble(what, `reading ends here: ${NODES_MAX} nodes are more than one look may take`)
    return false
  }

  /** The objects of a walk, each as a value of the walk's type. */
  *walk(walk: Walk, here?: Value, around?: Value): Generator<Value & { at: bigint }> {
    if (walk.table !== undefined) yield* this.#table(walk, here, around)
    else if (walk.tree !== undefined) yield* this.#tree(walk, here, around)
    else if (walk.list !== undefined) yield* this.#list(walk, here, around)
  }

  *#table(walk: Walk, here?: Value, around?: Value): Generator<Value & { at: bigint }> {
    const { table, count, where } = walk
    const first = this.value(table!, here, around)
    if (!first) return
    const length = count === undefined ? this.#lengthOf(first) : this.number(count, here, around, WALK_MAX)
    if (length === undefined) return this.trouble(String(table), 'how many there are is not known')
    for (let i = 0; i < length; i++) {
      if (!this.#count(String(table))) return
      const element = this.attempt(`${table}[${i}]`, () => elementOf(first, BigInt(i), this.scope()))
      if (!element || !('at' in element)) return
      if (where !== undefined && !this.holds(where, element, here)) continue
      yield element
    }
  }

  #lengthOf(value: Value): number | undefined {
    const type =
      value.shape && value.shape.pointers === 0 ? this.kernel.types.bare(value.shape.base) : undefined
    return type?.kind === 'array' ? type.counts[0] : undefined
  }

  /** A circular list whose head is a node, or a chain that ends with NULL. */
  *#list(walk: Walk, here?: Value, around?: Value): Generator<Value & { at: bigint }> {
    const what = String(walk.list)
    if (walk.type === undefined) return this.trouble(what, 'the type of the objects is missing')
    const base = this.type(walk.type)
    if (base === undefined) return
    const head = this.place(walk.list!, here, around)
    if (head === undefined) return
    const circular = walk.link !== undefined
    const field = walk.link ?? walk.next
    if (field === undefined) return this.trouble(what, 'neither link nor next is there')
    const { types } = this.kernel
    const member = types.member(base, field)
    if (!member) return this.trouble(what, `${walk.type} has no member ${field}`)
    // A node's own pointer to the next one: the member `next` of a link, else the member itself.
    const inner = types.member(member.type, 'next')
    const next = BigInt(member.offset) + BigInt(inner?.offset ?? 0)
    const link = circular ? BigInt(member.offset) : 0n
    yield* this.#chain(what, base, head, circular, link, next, walk, here)
  }

  *#chain(
    what: string,
    base: TypeReference,
    head: bigint,
    circular: boolean,
    link: bigint,
    next: bigint,
    walk: Walk,
    here?: Value,
  ): Generator<Value & { at: bigint }> {
    const { view } = this
    const seen = new Set<bigint>()
    const read = (at: bigint) => {
      const value = view.unsigned(at, 8)
      if (value === undefined)
        this.trouble(what, `the list leads to ${at.toString(16).toUpperCase()}, where nothing is mapped`)
      return value
    }
    let node = circular ? read(head + next - link) : head
    while (node !== undefined && node !== 0n && !(circular && node === head)) {
      if (seen.has(node)) return this.trouble(what, `the list runs in a circle behind ${seen.size} nodes`)
      if (seen.size >= WALK_MAX) return this.trouble(what, `the list has more than ${WALK_MAX} nodes`)
      if (!this.#count(what)) return
      seen.add(node)
      const at = BigInt.asUintN(64, node - link)
      const object = { shape: { base, pointers: 0 }, at }
      // What is not mapped is no object.
      const following = read(at + next)
      if (following === undefined) return
      if (walk.where === undefined || this.holds(walk.where, object, here)) yield object
      node = following
    }
    if (node === 0n && circular)
      this.trouble(
        what,
        seen.size === 0 ? 'the list has not been set up' : 'the list ends with NULL instead of its head',
      )
  }

  /** In order, by `left` and `right` of the link. */
  *#tree(walk: Walk, here?: Value, around?: Value): Generator<Value & { at: bigint }> {
    const what = String(walk.tree)
    const base = walk.type === undefined ? undefined : this.type(walk.type)
    const member = base === undefined ? undefined : this.kernel.types.member(base, walk.link ?? '')
    if (!member) return this.trouble(what, `a tree needs a type and its link`)
    const root = this.place(walk.tree!, here, around)
    if (root === undefined) return
    const { types } = this.kernel
    const side = (...names: string[]) =>
      names.map((name) => types.member(member.type, name)).find((each) => each)?.offset
    const left = side('left', 'rb_left')
    const right = side('right', 'rb_right')
    if (left === undefined || right === undefined)
      return this.trouble(what, `${walk.link} has no left and right`)
    const seen = new Set<bigint>()
    const stack: bigint[] = []
    let node = root
    while (node !== 0n || stack.length > 0) {
      while (node !== 0n) {
        if (seen.has(node)) return this.trouble(what, 'the tree runs in a circle')
        if (seen.size >= WALK_MAX || !this.#count(what))
          return this.trouble(what, `the tree has more than ${WALK_MAX} nodes`)
        seen.add(node)
        stack.push(node)
        const down = this.view.unsigned(node + BigInt(left), 8)
        if (down === undefined) return this.trouble(what, 'the tree leads to where nothing is mapped')
        node = down
      }
      const at = stack.pop()!
      yield { shape: { base, pointers: 0 }, at: BigInt.asUintN(64, at - BigInt(member.offset)) }
      node = this.view.unsigned(at + BigInt(right), 8) ?? 0n
    }
  }
}
