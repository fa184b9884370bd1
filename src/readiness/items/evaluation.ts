import * as z from 'zod'
import { localDay } from '../../format/clock-time.ts'
import { figure } from '../../format/numbers.ts'
import { latestEvaluation } from '../../registry/evaluations.ts'
import { type Asked, fail, type Item, pass } from '../item.ts'

/** What the gate reads of a recorded evaluation (EvaluationFacts, with the checks of `evaluation.require`). */
const Report = z.object({
  rows: z.number(),
  requirements: z.array(
    z.object({
      metric: z.string(),
      kind: z.string(),
      bound: z.number(),
      passed: z.boolean(),
      message: z.string(),
    }),
  ),
  against_champion: z
    .object({
      version: z.number(),
      difference: z.record(z.string(), z.object({ value: z.number().nullable() })),
    })
    .nullable(),
})

export const evaluation: Item = {
  id: 'evaluation',
  title: 'Evaluation',
  question: 'Is it good enough on data that it has never seen, and at least as good as what is live?',
  async ask(asked) {
    const { database, project, model, version } = asked
    const { name } = model
    const link = `/registry/${name}`
    if (version === undefined)
      return fail('no version is registered', `nightshift register ${name} FILE.onnx --dataset ID`)
    const evaluate = `nightshift evaluate ${name} --version ${version.version} --dataset ${version.dataset ?? 'ID'}`
    const bounds = Object.keys(model.evaluation.require)
    if (bounds.length === 0) {
      return fail(
        'evaluation.require in model.yaml states no bound',
        `add \`evaluation: { require: { auc: { min: 0.75, max_drop: 0.01 } } }\` to models/${name}/model.yaml, then ${evaluate}`,
        link,
      )
    }
    const found = await latestEvaluation(database.pool, name, version.version)
    if (found === undefined)
      return fail(`version ${version.version} was never evaluated on held-out data`, evaluate, link)
    const report = Report.parse(found.report)
    const day = localDay(found.at, project.timezone)
    const broken = report.requirements.filter(({ passed }) => !passed)
    if (broken.length > 0)
      return fail(`${day}, ${broken.map(({ message }) => message).join('; ')}`, evaluate, link)
    const stale = unheld(asked, report)
    if (stale !== undefined) return fail(stale, evaluate, link)
    const measured = report.requirements.map(({ message }) => message).join('; ')
    return pass(
      `on ${figure(report.rows)} rows of the holdout of ${found.dataset}, ${day}: ${measured}`,
      link,
    )
  },
}

/** Why an evaluation that passed says nothing about today's bounds or today's champion. */
function unheld({ model, version, champion }: Asked, report: z.output<typeof Report>): string | undefined {
  for (const [metric, requirement] of Object.entries(model.evaluation.require)) {
    for (const kind of ['min', 'max', 'max_drop'] as const) {
      const bound = requirement?.[kind]
      const held = report.requirements.find((each) => each.metric === metric && each.kind === kind)
      if (bound !== undefined && held?.bound !== bound)
        return `${metric}: ${kind} is ${bound} in model.yaml, the evaluation was held to ${held?.bound ?? 'no such bound'}`
    }
  }
  if (champion === undefined || champion.version === version?.version) return undefined
  if (champion.view_hash !== version?.view_hash) return undefined
  const against = report.against_champion
  if (against?.version !== champion.version) {
    return against === null
      ? `it was not compared with version ${champion.version}, which is the champion`
      : `it was compared with version ${against.version}, but version ${champion.version} is the champion`
  }
  const [main = 'auc'] = Object.keys(model.evaluation.require)
  const bounded = Object.values(model.evaluation.require).some((each) => each?.max_drop !== undefined)
  const difference = against.difference[main]?.value ?? null
  return bounded || difference === null || difference >= 0
    ? undefined
    : `${main} is ${figure(-difference)} below that of the champion, and model.yaml declares no max_drop`
}
