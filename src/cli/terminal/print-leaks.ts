import { lookForLeaks } from '../../actions/look-for-leaks.ts'
import { figure } from '../../format/numbers.ts'
import type { LeakFacts } from '../../pipeline/leaks/check-leaks.ts'
import type { Leak } from '../../pipeline/leaks/leak.ts'
import { ownVersion } from '../../program/own-files.ts'
import { modelNamed, viewNamed } from '../../project/named.ts'
import type { Project } from '../../project/project.ts'
import { scheduledAsOf } from '../../project/time/scheduled-as-of.ts'
import type { Children } from '../../workers/child/children.ts'
import { printLine } from './print.ts'
import { openProgress } from './progress-bar.ts'

/** `validate --leaks MODEL [--as-of D ...]`: checks the model's view as it is on disk. */
export async function findLeaks(
  project: Project,
  children: Children,
  name: string,
  { asOf = [], json = false }: { asOf?: string[]; json?: boolean | undefined },
): Promise<LeakFacts> {
  const model = modelNamed(project, name)
  const view = viewNamed(project, model.view)
  const asOfs = asOf
    .map((text) => scheduledAsOf(project, model, text))
    .sort((a, b) => Date.parse(a.instant) - Date.parse(b.instant))
  const bar = openProgress(json)
  try {
    return await lookForLeaks(
      children,
      project,
      model,
      view,
      { asOfs, now: new Date().toISOString(), release: ownVersion() },
      {
        progress: (text, done, total) =>
          bar.show('leaks', `leaks of ${name}`, text, {
            ...(done === undefined ? {} : { rows: done }),
            ...(total === undefined ? {} : { total }),
          }),
      },
    )
  } finally {
    bar.close()
  }
}

export function printLeaks(model: string, facts: LeakFacts): void {
  for (const leak of facts.leaks) printLeak(leak)
  for (const note of facts.notes) printLine(`note: ${note}`)
  const errors = facts.leaks.filter(({ severity }) => severity === 'error').length
  const warnings = facts.leaks.length - errors
  const best = Object.entries(facts.auc)
    .flatMap(([feature, auc]) => (auc === null ? [] : [{ feature, auc }]))
    .sort((a, b) => b.auc - a.auc)[0]
  printLine(
    `${model} on ${facts.view}: ${errors === 0 ? 'no leak' : `${errors} ${errors === 1 ? 'leak' : 'leaks'}`}${warnings === 0 ? '' : `, ${warnings} ${warnings === 1 ? 'suspicion' : 'suspicions'}`}; ` +
      `as of ${facts.as_of.join(', ') || 'no night'}, ${facts.values} values computed twice, ${facts.differing} differing` +
      (best === undefined
        ? ''
        : `; over ${facts.labelled_rows} labelled rows the most predictive feature is ${best.feature}, AUC ${figure(best.auc)}`),
  )
}

function printLeak({ severity, kind, source, column, as_of, rows, message, examples, fix }: Leak): void {
  const where = source === null ? (column ?? '') : `${source}${column === null ? '' : `.${column}`}`
  printLine(
    `${severity.padEnd(7)} ${kind} ${where}${as_of === null ? '' : ` as of ${as_of}`}${rows === 0 ? '' : `, ${rows} rows`}`,
  )
  printLine(`        ${message}`)
  if (examples.length > 0) printLine(`        for example ${examples.join('; ')}`)
  printLine(`        fix: ${fix}`)
}
