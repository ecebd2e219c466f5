import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with one plain line, so that a person or a machine that reads only the end knows how it went. */
class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) for (const test of module.children.allTests()) count[test.result().state] += 1
    const brokenFiles = modules.filter((module) => module.errors().length > 0).length
    const failed = count.failed + brokenFiles + unhandledErrors.length
    process.stdout.write(`Tests: ${count.passed} passed, ${failed} failed, ${count.skipped + count.pending} skipped\n`)
  }
}

export default ClosingLine
