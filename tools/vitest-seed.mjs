// Vitest set-up of each test file: what fast-check makes up is the same on every run, so that a commit that passed passes
// again. `RINGSIDE_SEED=7 npm run unit` makes up something else, `RINGSIDE_SEED=random` something else each time.
import fc from 'fast-check'

const asked = process.env.RINGSIDE_SEED ?? '20261126'
if (asked !== 'random') {
  const seed = Number(asked)
  if (!Number.isInteger(seed)) throw new Error(`RINGSIDE_SEED: neither an integer nor "random": ${asked}`)
  fc.configureGlobal({ seed })
}
