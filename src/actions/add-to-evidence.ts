import { Temporal } from 'temporal-polyfill'
import { localDay } from '../format/clock-time.ts'
import { ledgerNow } from '../ledger/connection/ledger-clock.ts'
import { authorHere } from '../ledger/identity/author.ts'
import { didYouMean } from '../project/files/nearest.ts'
import { ConfigurationError } from '../project/files/problem.ts'
import type { Model } from '../project/project.ts'
import { chargeOf, recordAcceptance } from '../readiness/acceptances.ts'
import { ITEM_IDS } from '../readiness/item.ts'
import { isSamePerson } from '../readiness/same-person.ts'
import { LONGEST_WAIVER_DAYS, recordWaiver, type Waiver } from '../readiness/waivers.ts'
import { champion, listVersions } from '../registry/version-records.ts'
import type { ProjectLedger } from './project-ledger.ts'

/**
 * Excuses an item of the gate until a date. Throws a ConfigurationError for an unknown item, a date that is past or more
 * than 90 days ahead, no reason, no name, and for the model's owner.
 */
export async function waive(
  { project, database }: ProjectLedger,
  model: Model,
  { item, until, reason, by: given }: { item: string; until: string; reason: string; by: string },
): Promise<Omit<Waiver, 'at'>> {
  const id = ITEM_IDS.find((each) => each === item)
  if (id === undefined)
    throw new ConfigurationError(
      `waive: expected an item of the gate (${ITEM_IDS.join(', ')}), got: ${item}${didYouMean(item, [...ITEM_IDS])}`,
    )
  const by = somebodyElse(model, given, 'waive')
  if (reason.trim() === '') throw new ConfigurationError('waive: expected --reason to say why, got: nothing')
  const today = Temporal.PlainDate.from(localDay(await ledgerNow(database.pool), project.timezone))
  const last = today.add({ days: LONGEST_WAIVER_DAYS })
  const end = dateOf(until)
  const day = end?.toString() ?? until
  if (
    end === undefined ||
    Temporal.PlainDate.compare(end, today) < 0 ||
    Temporal.PlainDate.compare(end, last) > 0
  )
    throw new ConfigurationError(
      `waive: expected --until to be a date from ${today} to ${last} (at most ${LONGEST_WAIVER_DAYS} days), got: ${until}`,
    )
  const waiver = { item: id, until: day, reason: reason.trim(), ...authorHere(by), by }
  await recordWaiver(database.pool, model.name, waiver)
  return waiver
}

/**
 * Records that somebody other than the owner takes a model over, from the owner, on-call and consumers that model.yaml names
 * now. Throws a ConfigurationError for no name and for the owner.
 */
export async function accept(
  { database }: ProjectLedger,
  model: Model,
  given: string,
): Promise<{ version: number | null; by: string }> {
  const by = somebodyElse(model, given, 'accept')
  const [newest] = await listVersions(database.pool, model.name)
  const live = await champion(database.pool, model.name)
  const version = newest?.version ?? live?.version ?? null
  const { owner } = model
  await recordAcceptance(database.pool, model.name, {
    version,
    owner,
    charge: chargeOf(model),
    ...authorHere(by),
    by,
  })
  return { version, by }
}

/** The name of whoever vouches for a model, which the owner cannot do. */
function somebodyElse({ name, owner }: Model, given: string, command: string): string {
  const by = given.trim()
  if (by === '')
    throw new ConfigurationError(`${command} ${name}: expected --by to name a person, got: nothing`)
  if (isSamePerson(by, owner))
    throw new ConfigurationError(
      `${command} ${name}: expected somebody other than the owner of the model, got: ${by}, who owns it`,
    )
  return by
}

function dateOf(text: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  try {
    return Temporal.PlainDate.from(text)
  } catch {
    return undefined
  }
}
