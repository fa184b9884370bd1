import type { Hono } from 'hono'
import { html } from 'hono/html'
import { count } from '../../format/numbers.ts'
import { bytes } from '../../format/sizes.ts'
import { classDoubt, scoreTitle } from '../../pipeline/onnx/score-output.ts'
import type { OnnxMapping, Project } from '../../project/project.ts'
import { historyOf } from '../../registry/history-records.ts'
import {
  baselineTexts,
  evaluationsOf,
  type RegisteredModel,
  registeredModels,
  type ShadowSummary,
  shadowsOf,
} from '../../registry/registered-models.ts'
import { champion, listVersions, type Version } from '../../registry/version-records.ts'
import { modelHref, readinessHref, registryHref } from '../addresses.ts'
import { moment } from '../moment.ts'
import { missing, page } from '../page.ts'
import type { PageContext } from '../page-context.ts'
import { shortHash } from '../short-hash.ts'
import { stateMark } from '../state-mark.ts'
import { column, labelled, named, table } from '../table.ts'
import { terminalFor } from '../terminal.ts'
import { changeSection } from './registry/change.ts'
import { mountEvaluation } from './registry/evaluation.ts'
import { evaluationList } from './registry/evaluation-list.ts'
import { readEvaluation } from './registry/evaluation-record.ts'
import { evidenceOf, sentenceOf } from './registry/history.ts'

/** `/registry`: models and their champions; `/registry/MODEL`: its versions, how to change the live one, evaluations and history. */
export function mountRegistry(app: Hono, pageContext: PageContext): void {
  const { database, project: files } = pageContext
  const { pool } = database
  mountEvaluation(app, pageContext)

  app.get('/registry', async (context) => {
    const project = files()
    const registered = new Map((await registeredModels(pool)).map((each) => [each.model, each]))
    const names = [...new Set([...Object.keys(project.models), ...registered.keys()])].sort()
    return page(
      context,
      'Registry',
      html`<section class="card" aria-label="Models">${
        names.length === 0
          ? html`<p>No model yet.</p>`
          : modelsTable(
              names.map((name) => ({ name, registered: registered.get(name) })),
              project,
            )
      }</section>`,
      { section: 'Registry', foot: html`Times are in ${project.timezone}.` },
    )
  })

  app.get('/registry/:model', async (context) => {
    const name = context.req.param('model')
    const project = files()
    const [versions, live, history, evaluations, baselines, shadows] = await Promise.all([
      listVersions(pool, name),
      champion(pool, name),
      historyOf(pool, name),
      evaluationsOf(pool, name),
      baselineTexts(pool, name),
      shadowsOf(pool, name),
    ])
    const model = project.models[name]
    if (model === undefined && versions.length === 0) {
      return missing(
        context,
        'No such model',
        html`<p>Neither the project nor the registry has a model named ${name}. <a href="/registry">All models</a></p>`,
      )
    }
    const { timezone } = project
    const viewer = context.get('viewer')
    const terminal = terminalFor(viewer, project)
    return page(
      context,
      `Versions of ${name}`,
      html`<section class="card" aria-labelledby="versions"><h2 id="versions">Versions</h2>${
        versions.length === 0
          ? html`<p>None yet.${terminal(' In the terminal: ', `register ${name} FILE.onnx`)}</p>`
          : versionsTable(versions, live?.version, shadows, baselines, { timezone, onnx: model?.onnx })
      }
</section>
${model === undefined ? '' : await changeSection(pageContext, model, versions, viewer)}
<section class="card" aria-labelledby="evaluations"><h2 id="evaluations">Evaluations</h2>${
        evaluations.length === 0
          ? html`<p>None yet.${terminal(' In the terminal: ', `evaluate ${name} --version N --dataset ID`)}</p>`
          : evaluationList(evaluations.map(readEvaluation), timezone)
      }</section>
<section class="card" aria-labelledby="history"><h2 id="history">History</h2>${
        history.length === 0
          ? html`<p>Nothing yet.</p>`
          : html`<ol class="list">${history.toReversed().map((entry) => html`<li>${sentenceOf(entry, timezone)}${evidenceOf(entry)}</li>`)}</ol>`
      }</section>`,
      {
        section: 'Registry',
        crumbs: [['/registry', 'Registry']],
        aside: html`<div class="small"><a href="${modelHref(name)}">Nights</a> · <a href="${readinessHref(name)}">Readiness</a></div>`,
        foot: html`Times are in ${timezone}.`,
      },
    )
  })
}

function modelsTable(
  all: { name: string; registered: RegisteredModel | undefined }[],
  { models, timezone }: Project,
) {
  return table('Models', all, [
    column('Model', ({ name }) => html`<a href="${registryHref(name)}">${name}</a>`),
    column('Description', ({ name }) => models[name]?.description ?? 'no longer in the project'),
    labelled('Champion', ({ registered }) => {
      const live = registered?.champion ?? null
      return live === null
        ? 'none'
        : html`version ${live.version} <span class="quiet small">since ${moment(live.since, timezone)}</span>`
    }),
    {
      heading: 'Newest version',
      label: 'Newest',
      cell: ({ registered }) =>
        registered === undefined
          ? 'none'
          : html`${registered.newest.version} of ${registered.versions} <span class="quiet small">${moment(registered.newest.registered_at, timezone)}${registered.newest.registered_by === null ? '' : ` by ${registered.newest.registered_by}`}</span>`,
    },
  ])
}

function versionsTable(
  versions: Version[],
  live: number | undefined,
  shadows: ShadowSummary[],
  baselines: { version: number; text: string; rows: number }[],
  { timezone, onnx }: { timezone: string; onnx: OnnxMapping | undefined },
) {
  return table('Versions, the newest first', versions, [
    column('Version', ({ version }) => version),
    column('Role', ({ version }) => {
      const own = shadows.filter((shadow) => shadow.version === version)
      return html`${version === live ? stateMark('published', 'champion') : ''}${own.map((shadow) => html`<div class="small">${shadow.role}, ${shadow.nights} ${shadow.nights === 1 ? 'night' : 'nights'} in shadow until ${shadow.newest}${shadow.failed === 0 ? '' : `, ${shadow.failed} failed`}</div>`)}`
    }),
    labelled('Score', ({ mapping }) => {
      const doubt = onnx && classDoubt(mapping.output, onnx)
      return html`${scoreTitle(mapping.output)}${doubt === undefined ? '' : html`<div class="small text-late">${doubt}</div>`}`
    }),
    labelled(
      'Registered',
      ({ registered_at, registered_by }) =>
        html`${moment(registered_at, timezone)}${registered_by === null ? '' : html`<div class="small quiet">by ${registered_by}</div>`}`,
    ),
    {
      ...named(
        'View',
        ({ view, view_hash }) => html`${view}<div class="small quiet">${shortHash(view_hash)}</div>`,
      ),
      label: 'View',
    },
    labelled('Baseline', ({ version }) => {
      const baseline = baselines.find((each) => each.version === version)
      return baseline === undefined
        ? html`<span class="quiet">none yet</span>`
        : `${baseline.text}, ${count(baseline.rows)} rows`
    }),
    labelled(
      'File',
      ({ sha256, bytes: size, dataset, warnings }) =>
        html`<div class="small">${shortHash(sha256)}</div><div class="small quiet">${bytes(size)}${dataset === null ? '' : html`, trained on <code>${dataset}</code>`}</div>${warnings.map((warning) => html`<div class="small text-late">${warning}</div>`)}`,
    ),
  ])
}
