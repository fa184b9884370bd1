import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { transaction } from '../../ledger/connection/database.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { lockSlot } from '../../ledger/nights/slots.ts'
import type { Against, ParityFacts } from '../../pipeline/parity/parity-facts.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import type { Project, View } from '../../project/project.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import { knowingKeys } from '../../registry/view-promises.ts'
import { notifyUnchecked } from '../../workers/attempt/report-night.ts'
import type { Children, TaskOptions } from '../../workers/child/children.ts'
import type { Context } from '../../workers/context.ts'
import { finalFailure, isReported } from '../monitor-job.ts'
import { describeParity } from './parity-words.ts'
import { certificateOf, recordCertificate } from './record.ts'
import { recordComparison } from './record-comparison.ts'

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
  await recordComparison(context, run, facts, { isOwn: true })
  return describeParity(facts)
}
