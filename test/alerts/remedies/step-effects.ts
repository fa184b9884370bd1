import { activeMutes } from '../../../src/alerts/incidents/mutes.ts'
import type { StepName } from '../../../src/failures/remedies.ts'
import { listRetrainings } from '../../../src/monitoring/retraining/record.ts'
import type { Ground } from './ground.ts'
import type { Scene } from './scene.ts'

/** What holds after a command that changes something, if it does what it says. */
const CHANGING: Partial<Record<StepName, string>> = {
  again: 'published, incident closed',
  forced: 'published, incident closed',
  mute: 'no mails about it for three days',
  night: 'published, incident closed',
  promote: 'version 1 is live',
  readers: 'scored on the newest features',
  release: 'published, incident closed',
  retrain: 'a new version is registered, the live one is unchanged',
  rollback: 'version 1 is live',
  skip: 'skipped, incident closed',
}

/** What a command that only reads has to print. */
export const READING: Partial<Record<StepName, RegExp>> = {
  check: /value|version/,
  doctor: /database.*schema is current/,
  drift: /ALERTS/,
  history: /promoted/,
  outcomes: /measured/,
  parity: /[1-9]\d* differing/,
  report: /reports\/\S+\.html/,
  show: /failure {4}\S+: \S+/,
  status: /\d{4}-\d\d-\d\d/,
  validate: /\S/,
  versions: /version|no versions/,
}

/** Which button of a night's page does the same as a command. */
export const BUTTONS: Partial<Record<StepName, RegExp>> = {
  again: /^\/runs\/\w+\/retry$/,
  release: /^\/runs\/\w+\/release$/,
  skip: /^\/slots\/\w+\/\w+\/[\d-]+\/skip$/,
}

/** What must hold after a command of a scene. Undefined: it only reads. */
export function promised({ subject, after }: Scene, step: StepName): string | undefined {
  const of = after?.[step] ?? CHANGING[step]
  return subject.kind === 'scores' ? of?.replace(/^published,/, 'published with version 1,') : of
}

/** What holds after a command. */
export async function effect(
  ground: Ground,
  { kind, subject }: Scene,
  step: StepName,
  night: string,
): Promise<string> {
  const { pool } = ground.life.database
  switch (step) {
    case 'rollback':
    case 'promote': {
      const version = await ground.champion(subject.name)
      return version === null ? 'no version is live' : `version ${version} is live`
    }
    case 'readers':
      return (await ground.areScoresCurrent('second', night))
        ? 'scored on the newest features'
        : 'scored on older features'
    case 'mute': {
      const mutes = await activeMutes(pool, new Date())
      const mute = mutes.find((each) => each.subject === subject.name && each.kind === kind)
      const days = mute === undefined ? 0 : (Date.parse(mute.until) - Date.now()) / 86_400_000
      return days > 2.9 && days <= 3 ? 'no mails about it for three days' : 'mails go on'
    }
    case 'retrain': {
      const [last] = await listRetrainings(pool, subject.name, { limit: 1, dryRun: false })
      const isNew = last?.state === 'done' && last.version !== null
      const isUnchanged = last?.champion === (await ground.champion(subject.name))
      return `${isNew ? 'a new' : 'no new'} version is registered, the live one is ${isUnchanged ? 'unchanged' : 'another'}`
    }
    default: {
      const open = await ground.open(subject)
      const version = await ground.publishedVersion(subject, night)
      const state = `${await ground.state(subject, night)}${version === null ? '' : ` with version ${version}`}`
      return `${state}, incident ${open.length === 0 ? 'closed' : 'open'}`
    }
  }
}
