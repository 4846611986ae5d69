import { defineConfig } from '@playwright/test'

// One worker: a machine under test has the host to itself. A test that needs its second try is named at the end of
// the run, and is a bug of the test or of Ringside to be found.
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  workers: 1,
  retries: 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['json', { outputFile: '../out/e2e/report.json' }]],
  outputDir: '../out/e2e/results',
})
