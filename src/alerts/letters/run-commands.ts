import type { Run } from '../../ledger/nights/run-records.ts'
import type { Project } from '../../project/project.ts'
import type { ModelVersions } from '../../registry/model-versions.ts'
import { type Command, commandsFor } from './next-commands.ts'

/** In which something is wrong that somebody can do something about. */
const STATES = ['failed', 'held', 'publishing', 'waiting'] as const

/**
 * What can be done about a run that is the latest of its slot, by the same table as mails; nothing if it neither failed nor waits.
 * `show` is left out: the reader sees the run already. `versions` are those of its model.
 */
export function runCommands(
  project: Pick<Project, 'people'>,
  run: Run,
  versions: ModelVersions | undefined,
  recipient: string,
): Command[] {
  const { failure } = run
  const state = STATES.find((each) => each === run.state)
  if (failure === null || state === undefined) return []
  const commands = commandsFor(
    {
      subject: run.name,
      subjectKind: run.kind === 'scores' ? 'model' : 'view',
      partition: run.partition,
      run: run.id,
      slot: `${run.name}:${run.partition}`,
      state,
      failure,
      checks: run.checks.filter(({ passed }) => !passed),
      versions,
      isPinned: run.pinned,
      people: Object.keys(project.people),
    },
    recipient,
  )
  return commands.filter(({ step }) => step !== 'show')
}
