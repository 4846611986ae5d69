import { defineConfig } from '@playwright/test'

// One worker and no retries: a machine under test has the host to itself, and a test that needs a second try is
// a bug of the test or of Ringside.
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  workers: 1,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['json', { outputFile: '../out/e2e/report.json' }]],
  outputDir: '../out/e2e/results',
})
