import type { ClientBase, Pool } from 'pg'
import type { Trigger } from '../../ledger/nights/run-request.ts'
import type { Model } from '../../project/project.ts'
import { type Challenge, challengesOf } from '../../registry/challengers.ts'
import { championChanges } from '../../registry/history-records.ts'
import { champion } from '../../registry/version-records.ts'
import { type JudgedNight, judgeNights, type NightInShadow, type Rival } from './counted-nights.ts'
import { breachesOf, type ShadowWindow, windowOver } from './shadow-window.ts'

/** Where a version stands in shadow: the nights that count, and whether they meet what model.yaml requires. */
export interface ShadowStanding {
  model: string
  version: number
  /** `ended`: it was in shadow before. `never`: it was not. */
  state: 'scoring' | 'ended' | 'never'
  /** The newest time in shadow. */
  started_at: string | null
  started_by: string | null
  stopped_at: string | null
  /** What it would replace, or has replaced: only nights that were compared with it count. */
  against: Rival
  required: number
  counted: number
  /** The newest counted nights, as many as are required; undefined if none was compared. */
  window: ShadowWindow | undefined
  /** What of `shadow.require` the window does not meet. */
  breaches: string[]
  /** Enough nights, and no breach. */
  passed: boolean
  /** Oldest first; nights that do not count say why. */
  nights: JudgedNight[]
}

type Connection = ClientBase | Pool

export async function shadowStanding(
  connection: Connection,
  model: Model,
  version: number,
): Promise<ShadowStanding> {
  const { min_nights: required, require } = model.shadow
  const challenges = (await challengesOf(connection, model.name)).filter((each) => each.version === version)
  const against = await rivalOf(connection, model, version)
  const found = await nightsInShadow(connection, model.name, version)
  const nights = judgeNights(found, challenges, against, require.min_coverage)
  const counting = nights.filter(({ counts }) => counts)
  const judged = counting.slice(-Math.max(required, 1))
  const bounded = Object.keys(require).some((key) => key !== 'min_coverage')
  const breaches =
    against.kind === 'none' && bounded && counting.length > 0
      ? ['shadow.require sets bounds, but there is nothing to compare with: declare shadow.current']
      : breachesOf(judged, require)
  const newest: Challenge | undefined = challenges.at(-1)
  return {
    model: model.name,
    version,
    state: newest === undefined ? 'never' : newest.stopped_at === null ? 'scoring' : 'ended',
    started_at: newest?.started_at ?? null,
    started_by: newest?.started_by ?? null,
    stopped_at: newest?.stopped_at ?? null,
    against,
    required,
    counted: counting.length,
    window: windowOver(judged),
    breaches,
    passed: counting.length >= required && breaches.length === 0,
    nights,
  }
}

/**
 * The champion; for the champion itself what its promotion replaced (a rollback to it compares nothing); without one the
 * current process.
 */
async function rivalOf(connection: Connection, { name, shadow }: Model, version: number): Promise<Rival> {
  const live = (await champion(connection, name))?.version ?? null
  const replaced =
    live === version
      ? ((await championChanges(connection, name)).findLast(
          (change) => change.event === 'promoted' && change.version === version,
        )?.from_version ?? null)
      : live
  if (replaced !== null) return { kind: 'champion', version: replaced }
  return { kind: shadow.current === undefined ? 'none' : 'current', version: null }
}

/** Nights that the version has scored as a challenger, and scheduled nights that it should have scored. */
const NIGHTS = `
select s.partition, s.as_of, case when s.schedule is not null then s.due end as due,
       r.backfill is not null as backfilled, p.at as first_at, p.trigger as first_trigger, p.backfilled as first_backfilled,
       w.first_at as scored_at, w.failure->>'message' as failure,
       n.against, n.against_version, n.state, n.note, n.figures, n.realized, n.realized_note
  from nightshift.slots s
  join nightshift.versions v on v.model = s.name and v.version = $2
  left join nightshift.shadow_scores w
    on w.model = s.name and w.version = $2 and w.partition = s.partition and w.role = 'challenger'
  left join nightshift.shadow_nights n on n.model = s.name and n.version = $2 and n.partition = s.partition
  left join nightshift.runs r on r.id = s.published_run
  left join nightshift.slots f on f.kind = 'features' and f.name = v.view and f.partition = s.partition
  left join lateral (
    select t.at, o.trigger, o.backfill is not null as backfilled
      from nightshift.standings t join nightshift.runs o on o.id = t.run
     where t.slot = case when s.published_run is null then f.id else s.id end
     order by t.id limit 1) p on true
 where s.kind = 'scores' and s.name = $1
   and (w.partition is not null
        or exists (select from nightshift.challengers c
                    where c.model = $1 and c.version = $2 and s.schedule is not null and s.due >= c.started_at
                      and s.due <= coalesce(c.stopped_at, now())))
 order by s.as_of`

type NightRow = Omit<NightInShadow, 'first'> & {
  first_at: string | null
  first_trigger: Trigger | null
  first_backfilled: boolean | null
}

async function nightsInShadow(
  connection: Connection,
  model: string,
  version: number,
): Promise<NightInShadow[]> {
  const { rows } = await connection.query<NightRow>(NIGHTS, [model, version])
  return rows.map(({ first_at, first_trigger, first_backfilled, ...row }) => ({
    ...row,
    first:
      first_at === null || first_trigger === null
        ? null
        : { at: first_at, trigger: first_trigger, backfilled: first_backfilled === true },
  }))
}

/** The standings of all versions of a model that are or were in shadow, newest version first. */
export async function shadowStandings(connection: Connection, model: Model): Promise<ShadowStanding[]> {
  const challenges = await challengesOf(connection, model.name)
  const versions = [...new Set(challenges.map(({ version }) => version))].sort((a, b) => b - a)
  return Promise.all(versions.map((version) => shadowStanding(connection, model, version)))
}
