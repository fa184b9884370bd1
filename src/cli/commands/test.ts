import { formatProblems } from '../../project/files/format-problems.ts'
import { openProject } from '../../project/files/load-project.ts'
import { viewNamed } from '../../project/named.ts'
import { type ExampleResult, type ExampleResults, runExamples } from '../../readiness/run-examples.ts'
import { withChild } from '../../workers/child/with-child.ts'
import type { GlobalOptions } from '../command.ts'
import { isColoured, printColoured, printJson, printLine, printTable } from '../terminal/print.ts'

/** `test [VIEW]`: runs the examples of one view or of all; exit 1 on a difference, 2 where a file is wrong. */
export default async function test([name]: string[], options: GlobalOptions): Promise<number> {
  const project = openProject(options.project)
  const views = name === undefined ? Object.values(project.views) : [viewNamed(project, name)]
  const all: ExampleResults = { results: [], problems: [] }
  await withChild(project, async (children, stop) => {
    for (const view of views) {
      const { results, problems } = await runExamples(project, view, children)
      stop.throwIfAborted()
      all.results.push(...results)
      all.problems.push(...problems)
    }
  })
  const failed = all.results.filter(({ passed }) => !passed).length
  if (options.json) printJson({ passed: failed + all.problems.length === 0, ...all })
  else {
    if (all.problems.length > 0)
      printColoured(formatProblems(all.problems, { color: isColoured(process.stdout) }))
    for (const result of all.results) print(result)
    for (const view of views) {
      const of = all.results.filter((result) => result.view === view.name)
      if (of.length > 0) printLine(coverage(view.name, of))
      else if (!all.problems.some(({ file }) => file.startsWith(`features/${view.name}/`)))
        printLine(`${view.name}: no examples; write the first to features/${view.name}/examples/first.yaml`)
    }
  }
  return all.problems.length > 0 ? 2 : failed > 0 ? 1 : 0
}

function print({ file, shows, passed, facts, failure }: ExampleResult): void {
  printLine(`${passed ? 'passed' : 'FAILED'}  ${file}: ${shows}`)
  if (failure !== null) printLine(`  ${failure.message}`)
  if (facts === null || passed) return
  printTable(
    ['row', 'column', 'expected', 'got'],
    facts.differences.map(({ entity, column, expected, got }) => [entity, column, expected, got]),
  )
}

function coverage(view: string, results: ExampleResult[]): string {
  const passed = results.filter((result) => result.passed).length
  const features = results.find(({ facts }) => facts !== null)?.facts?.features ?? []
  const compared = new Set(results.flatMap(({ facts }) => facts?.compared ?? []))
  const never = features.filter((name) => !compared.has(name))
  const rest = never.length === 0 ? '' : `; no example looks at ${never.join(', ')}`
  return `${view}: ${passed} of ${results.length} examples passed${rest}`
}
