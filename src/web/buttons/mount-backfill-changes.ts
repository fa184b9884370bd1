import type { Context, Hono } from 'hono'
import { type Backfill, findBackfill } from '../../jobs/backfills/backfill-records.ts'
import { cancelBackfill, pauseBackfill, resumeBackfill } from '../../jobs/backfills/change-backfill.ts'
import { personNamed } from '../../project/people.ts'
import { backfillHref, withQuery } from '../addresses.ts'
import type { PageContext } from '../page-context.ts'
import { act, formOf, Missing } from './act.ts'
import { allowed, personIn } from './presser.ts'

const CHANGES = { pause: pauseBackfill, resume: resumeBackfill, cancel: cancelBackfill } as const

/** The buttons of a backfill: each does what the command of the same name does. */
export function mountBackfillChanges(app: Hono, { database, project }: PageContext): void {
  for (const [name, change] of Object.entries(CHANGES)) {
    app.post(`/backfills/:id/${name}`, (context) =>
      act(context, async () => {
        const { id } = await backfillAt(database, context)
        const given = personIn(context, await formOf(context))
        await change(
          database,
          id,
          allowed(context, () => personNamed(project(), given)),
        )
        return withQuery(backfillHref(id), { done: name })
      }),
    )
  }
}

async function backfillAt({ pool }: PageContext['database'], context: Context): Promise<Backfill> {
  const id = context.req.param('id') ?? ''
  const found = /^\d{1,15}$/.test(id) ? await findBackfill(pool, Number(id)) : undefined
  if (found === undefined) throw new Missing(`There is no backfill ${id}.`)
  return found
}
