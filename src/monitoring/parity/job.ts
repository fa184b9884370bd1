import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { alertSettings } from '../../alerts/delivery/alert-settings.ts'
import { reportRecovery } from '../../alerts/incidents/report-incident.ts'
import { transaction } from '../../ledger/connection/database.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type { Against, ParityFacts } from '../../pipeline/parity/parity-facts.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { Project, View } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { knowingKeys } from '../../registry/view-promises.ts'
import { notifyChecked, notifyFailure, notifyUnchecked } from '../../workers/attempt/report-night.ts'
import type { Children, TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { finalFailure, isReported } from '../monitor-job.ts'
import { certificateOf, recordCertificate } from './record.ts'

/** Compares the published output of a view's run with the training path. Throws as `checkParity` does. */
export function compareParity(
  children: Children,
  project: Project,
  view: View,
  run: Run,
  against: Against,
  options?: TaskOptions,
): Promise<ParityFacts> {
  return children.run(
    'parity',
    {
      root: project.root,
      view,
      asOf: parseAsOf(run.partition, project.timezone),
      timezone: project.timezone,
      published: {
        file: partitionPath(project.warehouse, 'features', run.name, run.partition).file,
        run: run.id,
        viewHash: run.view_hash ?? '',
        knownAt: run.known_at ?? run.created_at,
        inputs: run.inputs,
      },
      against,
      threads: availableParallelism(),
    },
    options,
  )
}

/** The part of a comparison that a certificate stores: figures for every column, examples for differing ones. */
export function certificateReport(facts: ParityFacts): Record<string, unknown> {
  return { ...facts, by_column: facts.by_column.map((column) => ({ ...column })) }
}

/** The payload of a parity job. */
const ParityJob = z.object({ run: z.string().min(1) })

/**
 * The job that follows each night: recomputes its features, stores the certificate with the run, and opens an
 * incident if training and serving disagree (not for late rows: `status` lists those nights as stale).
 */
export async function certify(context: Context, data: unknown, options: TaskOptions): Promise<string> {
  const { run: id } = ParityJob.parse(data)
  const run = await findRun(context.database.pool, id)
  const project = await knowingKeys(context.database.pool, context.project())
  const view = run === undefined ? undefined : project.views[run.name]
  if (run === undefined || view === undefined || run.state !== 'published') return 'nothing to compare'
  // The job may have been enqueued by somebody who looked just before the last one ended.
  const known = await certificateOf(context.database.pool, run.id)
  if (known !== undefined && known.differing !== null) return 'it is compared already'
  const record = {
    run: run.id,
    view: view.name,
    as_of: run.as_of,
    partition: run.partition,
    against: 'recomputed',
  }
  let facts: ParityFacts
  try {
    facts = await compareParity(context.children, project, view, run, { kind: 'recomputed' }, options)
  } catch (error) {
    const failure = await finalFailure(context.database.pool, 'parity', run.id, error, options.signal)
    await transaction(context.database, async (client) => {
      const slot = await lockSlot(client, run.slot)
      if (slot.published_run !== run.id) return
      await recordCertificate(client, { ...record, differing: null, report: { failure: failure.toRecord() } })
      if (isReported(failure))
        await notifyUnchecked(client, context, { slot, run, checks: [] }, 'parity', failure)
    })
    return `it could not be compared: ${failure.message}`
  }
  await transaction(context.database, async (client) => {
    const slot = await lockSlot(client, run.slot)
    if (slot.published_run !== run.id) return
    await recordCertificate(client, {
      ...record,
      differing: facts.differing,
      report: certificateReport(facts),
    })
    if (facts.differing > 0) {
      const failure = {
        class: 'parity',
        message: describeParity(facts),
        anchor: '#parity',
        evidence: evidenceOf(facts),
      } as const
      await notifyFailure(client, context, { slot, run, checks: [] }, failure, 'published')
      return
    }
    await notifyChecked(client, context, slot, run)
    await reportRecovery(
      client,
      await context.clock(client),
      {
        subject: slot.name,
        subjectKind: 'view',
        partition: slot.partition,
        kinds: ['parity'],
        how: 'passed',
        run: run.id,
        rows: run.rows ?? undefined,
        by: undefined,
        lastGood: undefined,
      },
      alertSettings(project),
    )
  })
  return describeParity(facts)
}

/** The result in one sentence. */
export function describeParity(facts: ParityFacts): string {
  const { values, differing, rounding, late, cause } = facts
  if (differing === 0 && late === 0) {
    return `${values} values, 0 differing${rounding === 0 ? '' : `, ${rounding} by rounding alone`}`
  }
  const columns = facts.by_column.filter((column) => column.differing > 0).map(({ column }) => column)
  const named =
    columns.length === 0 ? '' : ` (${columns.slice(0, 5).join(', ')}${columns.length > 5 ? ', ...' : ''})`
  const why = {
    logic: 'the view’s definition has changed since',
    type: `columns have different types or are missing: ${[...facts.types.map((type) => `${type.column} was ${type.published}, is ${type.other}`), ...facts.missing_columns.map((name) => `${name} is missing`), ...facts.more_columns.map((name) => `${name} is new`)].join('; ')}`,
    late: `rows arrived late: ${facts.changed_files.slice(0, 3).join(', ')}`,
    values: 'the same definition and files give different values',
    file: describeForeign(facts),
  }
  return `${values} values, ${differing} differing${named}${late > 0 ? `, ${late} late` : ''}${cause === null ? '' : `: ${why[cause]}`}`
}

/** How a foreign file differs; its inputs and definition are unknown. */
function describeForeign({ by_column, only_published, only_other }: ParityFacts): string {
  const parts = [
    by_column.some(({ differing }) => differing > 0)
      ? 'values in the file differ from the published ones'
      : '',
    only_published > 0 ? `${only_published} published entities are not in the file` : '',
    only_other > 0 ? `${only_other} entities of the file were not published` : '',
  ]
  return parts.filter((text) => text !== '').join('; ')
}

function evidenceOf(facts: ParityFacts): Record<string, unknown> {
  return {
    cause: facts.cause,
    values: facts.values,
    differing: facts.differing,
    largest_difference: facts.largest_difference,
    columns: facts.by_column
      .filter((column) => column.differing > 0)
      .slice(0, 5)
      .map(({ column, differing, examples }) => ({
        column,
        differing,
        example:
          examples[0] === undefined
            ? 'none'
            : `${examples[0].entity}: ${examples[0].published} published, ${examples[0].other} now`,
      })),
  }
}
