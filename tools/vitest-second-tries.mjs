// A reporter for `npm test`: names each unit test that failed once and then passed, so that none of them hides.
import { relative } from 'node:path'
import { root } from './paths.mjs'
import { say } from './progress.mjs'

export default class SecondTries {
  /** @param {readonly import('vitest/node').TestModule[]} modules */
  onTestRunEnd(modules) {
    for (const module of modules)
      for (const test of module.children.allTests())
        if (test.diagnostic()?.flaky)
          say(`needed a second try: ${relative(root, module.moduleId)}: ${test.fullName}`)
  }
}
