// Values of expressions: read from the guest's memory by the types of its debugging information.
import type { Type, TypeReference } from '../symbols/type-graph'
import type { Expression } from './expression'
import type { GuestView } from './guest-view'
import type { Kernel } from './kernel'

/** A value that could not be read; the message is a clause that says why. */
export class Unreadable extends Error {
  override name = 'Unreadable'
}

/** A type of the program, behind so many pointers. */
export interface Shape {
  base: TypeReference
  pointers: number
}

/** Something in memory, or a plain number. */
export type Value =
  | { shape: Shape; at: bigint; bits?: { size: number; offset: number } }
  | { shape: Shape | undefined; number: bigint }

export interface Scope {
  view: GuestView
  kernel: Kernel
  here?: Value
  around?: Value
}

const DW_ATE_SIGNED = 5
const DW_ATE_SIGNED_CHAR = 6
const TEXT_MAX = 128
const hex = (address: bigint) => BigInt.asUintN(64, address).toString(16).toUpperCase()

/** @throws Unreadable */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'number':
      return { shape: undefined, number: expression.value }
    case 'name':
      return named(expression.name, scope)
    case 'here':
      return scope.here ?? wrong('there is no object at hand for @')
    case 'around':
      return scope.around ?? wrong('there is no object around for ^')
    case 'member':
      return memberOf(evaluate(expression.of, scope), expression.name, scope)
    case 'index': {
      const index = numberOf(evaluate(expression.index, scope), scope)
      return elementOf(evaluate(expression.of, scope), index, scope)
    }
    case 'deref':
      return elementOf(evaluate(expression.of, scope), 0n, scope)
    case 'address': {
      const value = evaluate(expression.of, scope)
      if (!('at' in value)) wrong('a number has no address')
      return { shape: { base: value.shape.base, pointers: value.shape.pointers + 1 }, number: value.at }
    }
    case 'cast': {
      const { name, pointers } = expression.type
      const base = name === 'void' ? undefined : scope.kernel.typeNamed(name)
      if (base === undefined && name !== 'void') wrong(`the kernel has no type ${name}`)
      const value = evaluate(expression.of, scope)
      const shape = { base, pointers }
      const type = scope.kernel.types.bare(base)
      // An address as a struct is the struct there; anything else is the number as that type.
      if (pointers === 0 && type && 'members' in type)
        return { shape, at: 'at' in value && isAggregate(value, scope) ? value.at : numberOf(value, scope) }
      return { shape, number: numberOf(value, scope) }
    }
    case 'index-of': {
      const of = placeOf(evaluate(expression.of, scope), scope)
      const table = evaluate(expression.table, scope)
      const first = elementOf(table, 0n, scope)
      if (!('at' in first)) wrong('the table is no table')
      const size = sizeOf(first.shape, scope) ?? wrong('the size of an element is not known')
      const distance = of - first.at
      if (distance < 0n || distance % BigInt(size) !== 0n)
        wrong(`${hex(of)} is no element of the table at ${hex(first.at)}`)
      return { shape: undefined, number: distance / BigInt(size) }
    }
  }
}

function wrong(message: string): never {
  throw new Unreadable(message)
}

function named(name: string, { kernel }: Scope): Value {
  const at = kernel.address(name)
  if (at === undefined) wrong(`the kernel has no symbol ${name}`)
  return { shape: { base: kernel.typeOf(name), pointers: 0 }, at }
}

function bareOf(shape: Shape | undefined, { kernel }: Scope): Type | undefined {
  return shape && shape.pointers === 0 ? kernel.types.bare(shape.base) : undefined
}

const isAggregate = (value: Value, scope: Scope): boolean => {
  const type = bareOf(value.shape, scope)
  return type !== undefined && ('members' in type || type.kind === 'array')
}

export function sizeOf(shape: Shape, { kernel }: Scope): number | undefined {
  return shape.pointers > 0 ? 8 : kernel.types.sizeOf(shape.base)
}

/** A member, through a pointer too. */
export function memberOf(value: Value, name: string, scope: Scope): Value {
  const whole = isAggregate(value, scope) ? value : elementOf(value, 0n, scope)
  if (!('at' in whole)) wrong(`a number has no member ${name}`)
  const { types } = scope.kernel
  const member = types.member(whole.shape.base, name)
  if (!member || whole.shape.pointers > 0) wrong(`${types.text(whole.shape.base)} has no member ${name}`)
  const found = { shape: { base: member.type, pointers: 0 }, at: whole.at + BigInt(member.offset) }
  return member.bits ? { ...found, bits: member.bits } : found
}

/** An element of an array, or behind a pointer. */
export function elementOf(value: Value, index: bigint, scope: Scope): Value {
  const type = bareOf(value.shape, scope)
  if (type?.kind === 'array' && 'at' in value) {
    // Of two dimensions, the first is gone through.
    const inner = type.counts.slice(1).reduce<number>((product, count) => product * (count ?? 1), 1)
    const size = (scope.kernel.types.sizeOf(type.of) ?? wrong('the size of an element is not known')) * inner
    return { shape: { base: type.of, pointers: 0 }, at: value.at + index * BigInt(size) }
  }
  const { shape } = value
  const to: Shape | undefined =
    shape && shape.pointers > 0
      ? { base: shape.base, pointers: shape.pointers - 1 }
      : type && 'to' in type
        ? { base: type.to, pointers: 0 }
        : undefined
  if (!to) wrong('it is no pointer and no array')
  const pointer = numberOf(value, scope)
  if (pointer === 0n) wrong('the pointer is NULL')
  const size = index === 0n ? 0 : (sizeOf(to, scope) ?? wrong('the size of an element is not known'))
  return { shape: to, at: BigInt.asUintN(64, pointer + index * BigInt(size)) }
}

/** Where something is: the address of a struct or an array, and what a pointer points to. */
export function placeOf(value: Value, scope: Scope): bigint {
  return 'at' in value && isAggregate(value, scope) ? value.at : numberOf(value, scope)
}

/** @throws Unreadable when it is no number, or is not mapped */
export function numberOf(value: Value, scope: Scope): bigint {
  if ('number' in value) return value.number
  const { shape, at } = value
  if (shape.pointers > 0) return read(scope, at, 8)
  const type = scope.kernel.types.bare(shape.base)
  if (!type) wrong(`the type of what is at ${hex(at)} is not known: cast it, (u64)`)
  if (type.kind === 'array') return at
  if (!('size' in type) || 'members' in type || ![1, 2, 4, 8].includes(type.size))
    wrong(`${scope.kernel.types.text(shape.base)} is no number`)
  const signed =
    type.kind === 'base' && (type.encoding === DW_ATE_SIGNED || type.encoding === DW_ATE_SIGNED_CHAR)
  if (value.bits) {
    const { size, offset } = value.bits
    let raw = 0n
    for (let i = 0; i * 8 < offset + size; i++) raw |= read(scope, at + BigInt(i), 1) << BigInt(8 * i)
    const field = BigInt.asUintN(size, raw >> BigInt(offset))
    return signed ? BigInt.asIntN(size, field) : field
  }
  const raw = read(scope, at, type.size)
  return signed ? BigInt.asIntN(8 * type.size, raw) : raw
}

function read({ view }: Scope, at: bigint, size: number): bigint {
  return view.unsigned(at, size) ?? wrong(`nothing is mapped at ${hex(at)}`)
}

/** A text: an array of characters, or what a pointer to characters points to. Not printable bytes are shown as `?`. */
export function textOf(value: Value, scope: Scope): string {
  const type = bareOf(value.shape, scope)
  let most = TEXT_MAX
  if (type?.kind === 'array' && type.counts[0] !== undefined) most = Math.min(most, type.counts[0])
  const at = placeOf(value, scope)
  if (at === 0n) return ''
  const bytes = scope.view.bytes(at, most)
  if (bytes.length === 0) wrong(`nothing is mapped at ${hex(at)}`)
  const end = bytes.indexOf(0)
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end)).replace(/[^\x20-\x7e]/g, '?')
}

/** Where a field lies inside of every object of a type; undefined when that depends on the object. */
export function fieldOf(
  expression: Expression,
  here: Shape,
  kernel: Kernel,
): { offset: number; size: number } | undefined {
  const walk = (at: Expression): { shape: Shape; offset: number } | undefined => {
    if (at.kind === 'here') return { shape: here, offset: 0 }
    if (at.kind !== 'member') return undefined
    const of = walk(at.of)
    const member = of && of.shape.pointers === 0 ? kernel.types.member(of.shape.base, at.name) : undefined
    if (!of || !member || member.bits) return undefined
    return { shape: { base: member.type, pointers: 0 }, offset: of.offset + member.offset }
  }
  const found = walk(expression)
  const size = found && kernel.types.sizeOf(found.shape.base)
  return found && size !== undefined && [1, 2, 4, 8].includes(size)
    ? { offset: found.offset, size }
    : undefined
}
