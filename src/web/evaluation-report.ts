import { html } from 'hono/html'
import type { Model, Project } from '../project/project.ts'
import type { EvaluationRecord } from '../registry/evaluations.ts'
import { evaluationHref } from './addresses.ts'
import { moment } from './moment.ts'
import { championOf, evaluationBody } from './pages/registry/evaluation-body.ts'
import { readEvaluation } from './pages/registry/evaluation-record.ts'
import { standalone } from './standalone.ts'

/** An evaluation as a self-contained HTML file, with the pictures of its page. */
export async function evaluationReport(
  project: Project,
  model: Model,
  record: EvaluationRecord,
): Promise<string> {
  const own = readEvaluation(record)
  return standalone({
    title: `Version ${own.version} of ${model.name}, evaluated`,
    lead: model.description,
    body: await evaluationBody(own, championOf(own), project.timezone),
    foot: html`Evaluated ${moment(own.at, project.timezone)}. Times are in ${project.timezone}. <a href="${evaluationHref(model.name, own.id)}">This evaluation, beside other versions</a>`,
    project,
  })
}
