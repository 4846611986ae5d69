/**
 * Commands whose title has all letters of the query in order; those that have it as a whole first, earlier is better.
 */
export function matching<T extends { title: string }>(commands: readonly T[], query: string): T[] {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return [...commands]
  return commands
    .map((command) => ({ command, score: score(command.title.toLowerCase(), wanted) }))
    .filter(({ score }) => score < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.score - b.score)
    .map(({ command }) => command)
}

/** Smaller is better; infinite when it does not match. */
function score(title: string, wanted: string): number {
  const whole = title.indexOf(wanted)
  if (whole >= 0) return whole === 0 || title[whole - 1] === ' ' ? whole : 100 + whole
  let at = -1
  let gaps = 0
  for (const letter of wanted) {
    const next = title.indexOf(letter, at + 1)
    if (next < 0) return Number.POSITIVE_INFINITY
    gaps += next - at - 1
    at = next
  }
  return 1000 + gaps
}
