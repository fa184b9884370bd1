import type { Run } from '../../ledger/nights/run-records.ts'
import type { Project } from '../../project/project.ts'
import type { ModelVersions } from '../../registry/model-versions.ts'
import { type Command, commandsFor } from './next-commands.ts'

/**
 * What can be done about a run that is the latest of its slot, by the same table as mails; nothing if it did not fail.
 * `show` is left out: the reader sees the run already. `versions` are those of its model.
 */
export function runCommands(
  project: Pick<Project, 'people'>,
  run: Run,
  versions: ModelVersions | undefined,
  recipient: string,
): Command[] {
  const { state, failure } = run
  if (failure === null || (state !== 'failed' && state !== 'held' && state !== 'publishing')) return []
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
