// The story of a frame in words.
import type { FrameStory, Mapping, NamedCode } from '../../../../preload/bridge'
import { address, bytes, count } from '../../lib/format'

const TABLES = ['', 'page table', 'page directory', 'page-directory-pointer table', 'PML4', 'PML5']

/** What the kernel's allocator knows, one line each; nothing without a lens. */
export function storyWords(story: FrameStory): string[] {
  const { use, order, block, frame, owner, cache, references, caller, since } = story
  const lines: string[] = []
  if (use !== '') {
    const parts = [use]
    if (cache !== undefined) parts.push(`of cache ${cache}`)
    if (order !== undefined) {
      const size = 2 ** order
      parts.push(
        order === 0 ? 'order 0' : `order ${order}: ${count(frame - (block ?? frame) + 1)} of ${size} frames`,
      )
    }
    if (owner)
      parts.push(
        owner.name === ''
          ? owner.id === 0
            ? 'for the kernel'
            : `for task ${owner.id}, which is gone`
          : `for ${owner.name} (${owner.id})`,
      )
    if (references !== undefined && references > 1) parts.push(`shared by ${references}`)
    lines.push(parts.join(' · '))
  }
  lines.push(...(story.detail ?? []))
  if (caller) {
    const who = caller.label === '' ? address(caller.address) : caller.label
    lines.push(`${use === 'free' ? 'freed' : 'asked for'} by ${who}`)
  }
  const when = since === undefined ? '' : `${(since / 1000).toFixed(6)} s of machine time`
  if (story.stack && story.stack.length > 0)
    lines.push(`called from ${stackWords(story.stack).split('\n').join(' ← ')}`)
  if (story.said)
    lines.push(
      `${story.said.what} on CPU ${story.said.cpu} at ${when}, ${count(story.said.retired)} instructions retired`,
    )
  else if (since !== undefined) lines.push(`so since a look at ${when}`)
  if (use === 'free' && story.mappings.some(({ user }) => user))
    lines.push('free, but a program still maps it')
  if (story.table > 0) lines.push(`it is a ${TABLES[story.table]}`)
  return lines
}

/** A line for each return address, the innermost first. */
export const stackWords = (stack: readonly NamedCode[]): string =>
  stack.map(({ address: at, label }) => (label === '' ? address(at) : label)).join('\n')

export const rights = ({ writable, user, executable }: Mapping): string =>
  `${user ? 'user' : 'kernel'} ${writable ? 'rw' : 'r'}${executable ? 'x' : ''}`

/** How often it is mapped, and where first: of several, where a person would look for it. */
export function mappingWords({ mapped, mappings }: FrameStory): string {
  if (mapped === 0) return 'mapped nowhere'
  const first =
    mappings.find(({ user }) => user) ?? mappings.find(({ pageSize }) => pageSize === 4096) ?? mappings[0]
  const often = mapped === 1 ? 'mapped once' : `mapped ${count(mapped)} times`
  if (!first) return often
  const space = first.user && first.spaces.length > 0 ? ` in ${first.spaces.join(', ')}` : ''
  const large = first.pageSize > 4096 ? ` (${bytes(first.pageSize)} page)` : ''
  return `${often}: ${address(first.linear)} ${rights(first)}${large}${space}`
}
