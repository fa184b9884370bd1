import { clockTime } from '../../format/clock-time.ts'
import { announceRequest } from '../../ledger/connection/notifications.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { Model } from '../../project/project.ts'
import { readAsOfOption } from '../../project/time/as-of-option.ts'
import { champion, refuseUnregistered } from '../../registry/version-records.ts'
import { askedVersion } from '../ask-gate.ts'
import { drilledVersion, drillNamed } from '../drilled-version.ts'
import type { ProjectLedger } from '../project-ledger.ts'
import { type PromotionRequest, refuseUnexplained } from '../promote-version.ts'
import { type RollbackRequest, rollbackTarget } from '../rollback/roll-back.ts'
import { refuseTarget } from '../rollback/withdraw-champion.ts'
import { type Operation, type OperationRequest, operationsOf, recordRequest } from './operation-record.ts'

/** Each asks for work that a worker does, and throws a ConfigurationError in the words of the command that does the same. */

export async function requestGate(
  ledger: ProjectLedger,
  model: Model,
  { version: number, by }: { version: number | undefined; by: string | null },
): Promise<Operation> {
  const { version } = await askedVersion(ledger, model, number)
  return request(ledger, 'check', { model: model.name, kind: 'gate', version: version?.version ?? null, by })
}

export async function requestDrill(
  ledger: ProjectLedger,
  model: Model,
  { drill: what, version: number, by }: { drill: string; version: number | undefined; by: string | null },
): Promise<Operation> {
  const drill = drillNamed(model, what)
  const { version } = await drilledVersion(ledger, model, number)
  return request(ledger, 'drill', {
    model: model.name,
    kind: 'drill',
    drill,
    version: version.version,
    by,
  })
}

export async function requestPromotion(
  ledger: ProjectLedger,
  model: Model,
  { version, override, reason, by }: Omit<PromotionRequest, 'takesWaivers'>,
): Promise<Operation> {
  const { pool } = ledger.database
  refuseUnexplained({ override, by })
  await refuseUnregistered(pool, 'promote', model.name, version)
  const live = await champion(pool, model.name)
  if (live?.version === version)
    throw new ConfigurationError(
      `promote ${model.name}: expected a version that is not live, got: ${version}, which is the champion already`,
    )
  const options = { ...(override === null ? {} : { override }), ...(reason === undefined ? {} : { reason }) }
  return request(ledger, 'promote', { model: model.name, kind: 'promotion', version, options, by })
}

/** The version to go back to is decided now: another change of the champion meanwhile is not undone as well. */
export async function requestRollback(
  ledger: ProjectLedger,
  model: Model,
  { to, from, reason, withdraw, by }: RollbackRequest & { withdraw: boolean },
): Promise<Operation> {
  if (from !== undefined) readAsOfOption('--from', from)
  const rest = { ...(from === undefined ? {} : { from }), ...(reason === undefined ? {} : { reason }) }
  const asked = { model: model.name, kind: 'rollback' as const, by }
  if (!withdraw) {
    const target = await rollbackTarget(ledger, model, { to }, true)
    return request(ledger, 'rollback', { ...asked, version: target.to.version, options: rest })
  }
  refuseTarget(model, to)
  const live = await champion(ledger.database.pool, model.name)
  if (live === undefined)
    throw new ConfigurationError(
      `rollback ${model.name}: no version is champion, so there is nothing to withdraw`,
    )
  return request(ledger, 'rollback', {
    ...asked,
    version: live.version,
    options: { ...rest, withdraw: true },
  })
}

async function request(
  { project, database: { pool } }: ProjectLedger,
  command: string,
  wanted: OperationRequest,
): Promise<Operation> {
  const asked = await recordRequest(pool, wanted)
  if (asked !== undefined) {
    await announceRequest(pool)
    return asked
  }
  const open = (await operationsOf(pool, wanted.model)).find(
    ({ state, kind, drill }) =>
      (state === 'requested' || state === 'running') &&
      kind === wanted.kind &&
      drill === (wanted.drill ?? null),
  )
  const since = clockTime(open?.requested_at, project.timezone)
  throw new ConfigurationError(
    `${command} ${wanted.model}: one at a time, and ${open === undefined ? 'one has just ended: try again' : `number ${open.id}, asked for ${since}, is ${open.state === 'running' ? 'under way' : 'waiting'}`}`,
  )
}
