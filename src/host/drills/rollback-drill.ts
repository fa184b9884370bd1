import { startScores } from '../../actions/nights/request-night.ts'
import { rollBack } from '../../actions/rollback/roll-back.ts'
import { withdrawChampion } from '../../actions/rollback/withdraw-champion.ts'
import { duration } from '../../format/elapsed.ts'
import { findRun } from '../../ledger/nights/run-records.ts'
import type { Slot } from '../../ledger/nights/slots.ts'
import { partitionPath } from '../../pipeline/partition/partition-files.ts'
import { promote } from '../../registry/champion.ts'
import type { Version } from '../../registry/version-records.ts'
import { writerOf } from '../../storage/published-file.ts'
import { endOf } from '../simulation/simulate.ts'
import { type DrillRequest, type DrillResult, failed } from './drill.ts'
import { type CopyOfDrill, drillNights, inLife, nightOf } from './life-of-drill.ts'

/**
 * Lets the version publish the newest night in a copy, rolls it back to the champion, and forward again. The figure is the
 * time until the file that readers open is the old one. A first version has no scores to go back to: its night is withdrawn.
 */
export async function rollbackDrill(request: DrillRequest): Promise<DrillResult> {
  const { version, champion, say } = request
  const nights = await drillNights(request, 1)
  const champions = [...(champion === undefined ? [] : [champion.version]), version.version]
  return inLife(request, 'rollback', { nights, champions }, async (copy) => {
    say(`version ${version.version} publishes ${nights[0]?.label} in a copy`)
    await copy.life.through({ until: endOf(nights, copy.project.timezone) })
    const slot = await nightOf(copy)
    if (slot.state !== 'published') {
      return failed(
        `version ${version.version} did not publish ${slot.partition} in the copy: ${slot.reason ?? slot.state}`,
      )
    }
    return champion === undefined ? withdrawn(request, copy, slot) : rolledBack(request, copy, slot, champion)
  })
}

async function rolledBack(
  request: DrillRequest,
  copy: CopyOfDrill,
  slot: Slot,
  champion: Version,
): Promise<DrillResult> {
  const { version, model, by, say } = request
  const go = async (from: Version, to: Version) => {
    const begun = performance.now()
    const reason = 'drill'
    const { cold } = await rollBack(
      copy.life.context,
      model,
      { from: from.version, to },
      { reason, by },
      false,
    )
    if (cold.length > 0) await scoreAgain(copy, request)
    const read = await versionThatReadersSee(copy, slot)
    return {
      seconds: (performance.now() - begun) / 1000,
      warm: cold.length === 0,
      right: read === to.version,
      read,
    }
  }
  say(`back to version ${champion.version}`)
  const back = await go(version, champion)
  if (!back.right)
    return failed(`after the rollback to version ${champion.version} readers saw ${seen(back.read)}`)
  say(`forward to version ${version.version}`)
  const forth = await go(champion, version)
  if (!forth.right)
    return failed(`back at version ${champion.version}, but forward again readers saw ${seen(forth.read)}`)
  const how = back.warm ? 'its shadow scores were there' : 'it had to score the night again'
  return {
    passed: true,
    seconds: back.seconds,
    note: `readers of ${slot.partition} saw version ${champion.version} again after ${duration(back.seconds * 1000)} (${how}), and version ${version.version} after another ${duration(forth.seconds * 1000)}`,
  }
}

async function withdrawn(request: DrillRequest, copy: CopyOfDrill, slot: Slot): Promise<DrillResult> {
  const { version, model, by, say } = request
  say('the night is withdrawn')
  const begun = performance.now()
  await withdrawChampion(copy.life.context, model, { reason: 'drill', by })
  const left = await versionThatReadersSee(copy, slot)
  const seconds = (performance.now() - begun) / 1000
  if (left !== undefined) return failed(`after the withdrawal readers still saw ${seen(left)}`)
  say(`version ${version.version} is promoted again`)
  const again = performance.now()
  await promote(copy.database, {
    model: model.name,
    version: version.version,
    expected: null,
    by,
    reason: 'drill',
    event: 'promoted',
  })
  await scoreAgain(copy, request)
  const read = await versionThatReadersSee(copy, slot)
  if (read !== version.version) return failed(`withdrawn, but promoted again readers saw ${seen(read)}`)
  const instead = model.shadow.current === undefined ? 'no scores' : 'the process that it replaces'
  return {
    passed: true,
    seconds,
    note: `no version was there before: ${slot.partition} was withdrawn after ${duration(seconds * 1000)}, which leaves readers ${instead}, and published again after another ${duration(performance.now() - again)}`,
  }
}

/** The champion scores the night again. */
async function scoreAgain(copy: CopyOfDrill, { model, by }: DrillRequest): Promise<void> {
  const asOf = copy.nights.at(-1)
  if (asOf === undefined) return
  await startScores(copy, model.name, undefined, { asOf, forced: true, by })
  await copy.life.through({ until: await copy.life.context.clock() })
}

/** The version of the run that wrote the file at the stable path. */
async function versionThatReadersSee(
  { database, project, record }: CopyOfDrill,
  { partition }: Slot,
): Promise<number | undefined> {
  const run = await writerOf(partitionPath(project.warehouse, 'scores', record.model, partition).file)
  return run === undefined ? undefined : ((await findRun(database.pool, run))?.version ?? undefined)
}

function seen(version: number | undefined): string {
  return version === undefined ? 'no scores' : `version ${version}`
}
