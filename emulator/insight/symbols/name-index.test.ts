import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NameIndex } from './name-index'

test('finds what a map of names finds, the first or the better one of equals', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 })), (names) => {
      const all = [...names.keys()]
      const nameOf = (i: number) => names[i]!
      const first = NameIndex.build(all, nameOf)
      const last = NameIndex.build(all, nameOf, (a, b) => a > b)
      for (const name of [...names, 'is not there']) {
        const wanted = name === '' ? -1 : names.indexOf(name)
        expect(first.find(name, nameOf)).toBe(wanted < 0 ? undefined : wanted)
        expect(last.find(name, nameOf)).toBe(wanted < 0 ? undefined : names.lastIndexOf(name))
      }
    }),
  )
})
