import { resolve } from 'node:path'
import { evaluateVersion } from '../../actions/evaluate-version.ts'
import { figure, interval, signed } from '../../format/numbers.ts'
import { highestRows } from '../../format/shares.ts'
import { spanText } from '../../format/time-text.ts'
import { withSession } from '../../host/session.ts'
import type { EvaluationFacts } from '../../pipeline/evaluation/evaluate-dataset.ts'
import type { Measured } from '../../pipeline/evaluation/measure.ts'
import { modelNamed } from '../../project/named.ts'
import { personNamed } from '../../project/people.ts'
import type { Model } from '../../project/project.ts'
import { METRICS, type Metric, wordsOf } from '../../project/schema/metric.ts'
import { evaluationReport } from '../../web/evaluation-report.ts'
import type { GlobalOptions } from '../command.ts'
import { printJson, printLine, printTable } from '../terminal/print.ts'
import { printWritten, writePage } from '../terminal/written-page.ts'

interface Options extends GlobalOptions {
  version: number
  dataset: string
  html?: string
  by?: string
}

/** `evaluate MODEL --version N --dataset ID [--html FILE]`: exit 1 if `evaluation.require` is not met. */
export default function evaluateCommand([name = '']: string[], options: Options): Promise<number> {
  return withSession(options, async (session) => {
    const { project } = session
    const model = modelNamed(project, name)
    const by = personNamed(project, options.by)
    const { version, dataset } = options
    const evaluated = await evaluateVersion(session, model, { version, dataset, by })
    const page =
      options.html === undefined
        ? undefined
        : writePage(
            project,
            resolve(options.html),
            await evaluationReport(project, model, evaluated.recorded),
          )
    if (options.json) printJson(evaluated.report)
    else print(model, evaluated)
    if (page !== undefined && options.json !== true) printWritten(page)
    return evaluated.passed ? 0 : 1
  })
}

function print(model: Model, evaluated: Awaited<ReturnType<typeof evaluateVersion>>): void {
  const { version, dataset, facts, requirements, passed } = evaluated
  const { manifest } = dataset
  const asOf = manifest.holdout.as_of
  const against = facts.against_champion
  printLine(
    `version ${version.version} of ${model.name} on the holdout of ${manifest.id}: ${facts.rows} rows of ${facts.entities} entities, as of ${asOf.length <= 3 ? asOf.join(', ') : spanText(asOf)}`,
  )
  printTable(
    [
      '',
      'value',
      '95 % interval',
      ...(against === null ? [] : [`against version ${against.version}`, '95 % interval']),
    ],
    metricNames(facts).map((metric) => [
      wordsOf(metric),
      figure(facts.metrics[metric], 'none'),
      interval(facts.intervals[metric]),
      ...(against === null
        ? []
        : [signed(against.difference[metric]?.value, 'none'), interval(against.difference[metric])]),
    ]),
  )
  if ('precision_at_k' in facts.metrics) printLine(`k: ${highestRows(model.evaluation.k)} (evaluation.k)`)
  if (facts.confusion !== null) {
    const { threshold, true_positive, false_positive, true_negative, false_negative } = facts.confusion
    printLine(
      `at threshold ${threshold}: ${true_positive} true positives, ${false_positive} false positives, ${true_negative} true negatives, ${false_negative} false negatives`,
    )
  }
  printParts(
    'as of',
    facts.by_as_of.map((part) => ({ ...part, value: part.as_of })),
    facts,
  )
  for (const segment of new Set(facts.by_segment.map((part) => part.segment))) {
    printParts(
      segment,
      facts.by_segment.filter((part) => part.segment === segment),
      facts,
    )
  }
  for (const note of facts.notes) printLine(`note: ${note}`)
  for (const check of requirements) printLine(`${check.passed ? 'met' : 'NOT MET'}: ${check.message}`)
  if (requirements.length === 0) {
    printLine('no requirements: evaluation.require in model.yaml sets what a version must reach')
  }
  printLine(passed ? 'passed' : 'not passed')
}

function metricNames(facts: EvaluationFacts): Metric[] {
  return METRICS.filter((name) => name in facts.metrics)
}

/** A holdout whose rows have times of their own has many as-ofs. */
const MOST_PARTS = 40

function printParts(title: string, parts: (Measured & { value: string })[], facts: EvaluationFacts): void {
  const shown = metricNames(facts).slice(0, 4)
  printTable(
    [title, 'rows', ...shown.map((metric) => wordsOf(metric)), '95 % interval of the first metric'],
    parts
      .slice(0, MOST_PARTS)
      .map((part) => [
        part.value,
        part.rows,
        ...shown.map((metric) => figure(part.metrics[metric], 'none')),
        interval(shown[0] === undefined ? undefined : part.intervals[shown[0]]),
      ]),
  )
  if (parts.length > MOST_PARTS)
    printLine(`and ${parts.length - MOST_PARTS} more of ${title}, which --json lists`)
}
