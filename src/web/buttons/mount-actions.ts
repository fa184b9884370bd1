import type { Context, Hono } from 'hono'
import { ackIncidents } from '../../actions/incidents/ack-incidents.ts'
import { muteSubject } from '../../actions/incidents/mute-subject.ts'
import { release } from '../../actions/release-run.ts'
import { skip } from '../../actions/skip-slot.ts'
import { readIds } from '../../alerts/incidents/id-ranges.ts'
import { listIncidents } from '../../alerts/incidents/list-incidents.ts'
import { MUTED_FOR } from '../../alerts/letters/next-commands.ts'
import { rerun } from '../../jobs/rerun.ts'
import { ledgerClock } from '../../ledger/connection/ledger-clock.ts'
import { findRun, type Run } from '../../ledger/nights/run-records.ts'
import { findSlot, type Kind } from '../../ledger/nights/slots.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import { parseAsOf } from '../../project/time/asof.ts'
import type { OnPublished } from '../../workers/attempt/publication.ts'
import { notifyRecovery } from '../../workers/attempt/report-night.ts'
import { runHref } from '../addresses.ts'
import { nowAt, type PageContext } from '../page-context.ts'
import { listingHref, readListing } from '../pages/incidents/listing.ts'
import { act, formOf, Missing, reasonIn } from './act.ts'
import { pageAfter } from './button.ts'

/** The operators' buttons: each does what the command of the same name does, on behalf of the signed-in user. */
export function mountActions(
  app: Hono,
  pageContext: PageContext,
  onPublished: OnPublished | undefined,
): void {
  const { database, project } = pageContext
  const clock = pageContext.clock ?? ledgerClock(database)
  const reportRelease: OnPublished = (client, run) =>
    notifyRecovery(client, { project, clock }, run, 'released', { run, by: run.requested_by })

  app.post('/runs/:id/retry', (context) =>
    act(context, async (by) => {
      const run = await runAt(pageContext, context)
      const id = await rerun(database, project(), run, by)
      const form = await formOf(context)
      return form.back === undefined ? `/runs/${id}?done=retry` : pageAfter(form, 'again', runHref(id))
    }),
  )

  app.post('/runs/:id/release', (context) =>
    act(context, async (by) => {
      const run = await runAt(pageContext, context)
      const reason = await reasonIn(context)
      const warehouse = {
        database,
        warehouse: project().warehouse,
        onPublished: onPublished ?? reportRelease,
      }
      await release(warehouse, run, { reason, by })
      return pageAfter(await formOf(context), 'release', runHref(run.id))
    }),
  )

  for (const path of ['/slots/:name/:partition/skip', '/slots/:kind/:name/:partition/skip']) {
    app.post(path, (context) =>
      act(context, async (by) => {
        const { kind, name = '', partition = '' }: Record<string, string | undefined> = context.req.param()
        const slot = await slotAt(pageContext, kindOf(pageContext, kind, name), name, partition)
        await skip({ database, project, clock }, slot, { reason: await reasonIn(context), by })
        return pageAfter(await formOf(context), 'skip', slot.run === null ? '/' : runHref(slot.run))
      }),
    )
  }

  app.post('/incidents/:id/ack', (context) =>
    act(context, async (by) => {
      const ids = readIds([context.req.param('id')])
      const acked = await ackIncidents({ database, clock }, ids, by)
      if (acked.length === 0) {
        throw new ConfigurationError(
          `ack: expected an open incident, got: ${ids.join(', ')}, which is not open`,
        )
      }
      return afterAck(await formOf(context), acked[0])
    }),
  )

  app.post('/incidents/:id/mute', (context) =>
    act(context, async (by) => {
      const id = context.req.param('id')
      const [incident] = /^\d{1,15}$/.test(id)
        ? await listIncidents(database.pool, await nowAt(pageContext), { id: Number(id) })
        : []
      if (incident === undefined) throw new Missing(`There is no open incident ${id} in the ledger.`)
      const { subject, kind } = incident
      await muteSubject(database, { subject, kind, by }, MUTED_FOR, project().timezone)
      return `/incidents/${incident.id}?done=mute`
    }),
  )
}

/** Back to where the button was pressed: the filtered list, otherwise the incident's own page. */
function afterAck({ from, ...listing }: Record<string, string>, id: number | undefined): string {
  return from === 'list'
    ? `${listingHref(readListing(listing), { done: 'ack' })}#${id}`
    : `/incidents/${id}?done=ack`
}

async function runAt({ database }: PageContext, context: Context): Promise<Run> {
  const id = context.req.param('id') ?? ''
  const run = await findRun(database.pool, id)
  if (run === undefined) throw new Missing(`There is no run ${id} in the ledger.`)
  return run
}

function kindOf({ project }: PageContext, kind: string | undefined, name: string): Kind {
  if (kind === 'features' || kind === 'scores') return kind
  if (kind !== undefined) throw new Missing(`There is no kind ${kind}: expected features or scores.`)
  return project().models[name] === undefined ? 'features' : 'scores'
}

async function slotAt({ database, project }: PageContext, kind: Kind, name: string, partition: string) {
  const slot = await findSlot(database.pool, kind, name, parseAsOf(partition, project().timezone).label)
  if (slot === undefined) throw new Missing(`There is no slot ${name}:${partition} in the ledger.`)
  return slot
}
