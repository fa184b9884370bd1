import { Failure, type FailureRecord } from '../pipeline/engine/failure.ts'
import type { ExampleFacts } from '../pipeline/examples/run-example.ts'
import { loadExamples } from '../project/files/load-examples.ts'
import type { Problem } from '../project/files/problem.ts'
import type { Project, View } from '../project/project.ts'
import type { ChildRunner } from './item.ts'

export interface ExampleResult {
  view: string
  /** Relative to the project's root. */
  file: string
  shows: string
  as_of: string
  passed: boolean
  /** Null where the features could not be computed: `failure` says why. */
  facts: ExampleFacts | null
  failure: FailureRecord | null
}

export interface ExampleResults {
  results: ExampleResult[]
  /** What is wrong with the files of examples, which then are not run. */
  problems: Problem[]
}

/** Runs the examples of a view in a compute child. No example is no evidence: whoever asks has to look at `results`. */
export async function runExamples(
  { root, timezone }: Pick<Project, 'root' | 'timezone'>,
  view: View,
  children: ChildRunner,
): Promise<ExampleResults> {
  const { examples, problems } = loadExamples(root, view, timezone)
  const results: ExampleResult[] = []
  for (const example of examples) {
    const about = { view: view.name, file: example.file, shows: example.shows, as_of: example.asOf }
    try {
      const facts = await children.run('example', { root, view, timezone, example })
      results.push({ ...about, passed: facts.differences.length === 0, facts, failure: null })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Only what the view or the example is to blame for is an answer; a full disk is not.
      if (error.failureClass !== 'contract') throw error
      results.push({ ...about, passed: false, facts: null, failure: error.toRecord() })
    }
  }
  return { results, problems }
}
