import { type Command, quoted } from '../../../alerts/letters/next-commands.ts'
import { runCommands } from '../../../alerts/letters/run-commands.ts'
import type { StepName } from '../../../failures/remedies.ts'
import type { Run } from '../../../ledger/nights/run-records.ts'
import type { Slot } from '../../../ledger/nights/slots.ts'
import type { Project } from '../../../project/project.ts'
import type { ModelVersions } from '../../../registry/model-versions.ts'
import { modelHref, nightHref, readinessHref, registryHref, runHref } from '../../addresses.ts'
import type { Button } from '../../buttons/button.ts'

/** Something that can be done about a night: a command, and what does the same on the pages. */
export interface Offered {
  why: string
  /** As letters have it: `npx nightshift ...`. */
  command: string
  button: Button | undefined
  /** The page whose button does it. */
  page?: { href: string; text: string } | undefined
}

/** A slot, and a run of it. */
export interface SlotAndRun {
  slot: Slot
  /** Undefined: nothing has run yet. */
  run: Run | undefined
  /** Of scores: the versions that can be turned to. */
  versions: ModelVersions | undefined
}

/** What the table of remedies says about the run, and skipping the night where that is possible. */
export function offersFor(at: SlotAndRun, project: Pick<Project, 'people'>, recipient: string): Offered[] {
  const { slot, run, versions } = at
  const isLatest = run !== undefined && run.id === slot.run
  return withSkip(at, isLatest ? runCommands(project, run, versions, recipient) : [])
}

/** These commands with their buttons, and skipping the night where that is possible. */
export function withSkip(at: SlotAndRun, commands: Command[]): Offered[] {
  const offered = commands.map((command) => offerOf(command, at))
  return commands.some(({ step }) => step === 'skip') || !isSkippable(at) ? offered : [...offered, skip(at)]
}

/** A command with what does the same on the pages. `at`: what it is about; undefined: no single night. */
export function offerOf({ step, why, command }: Command, at: SlotAndRun | undefined): Offered {
  if (at === undefined) return { why, command, button: undefined }
  return { why, command, button: buttonFor(step, at), page: pageFor(step, at) }
}

function buttonFor(step: Command['step'], at: SlotAndRun): Button | undefined {
  const { slot, run } = at
  if (step === 'skip') return isSkippable(at) ? skipButton(slot) : undefined
  if (run === undefined || run.id !== slot.run) return undefined
  if (step === 'again' && (run.state === 'failed' || run.state === 'held'))
    return { path: `/runs/${run.id}/retry`, text: 'Run it again', reason: false }
  if (step === 'again' && run.state === 'waiting')
    return { path: `/runs/${run.id}/retry`, text: 'Look for the data now', reason: false }
  if (step === 'release' && run.state === 'held')
    return { path: `/runs/${run.id}/release`, text: 'Publish the held run', reason: true }
  return undefined
}

type PageOf = (model: string, partition: string) => NonNullable<Offered['page']>

const registry: PageOf = (model) => ({ href: registryHref(model), text: 'Open the registry' })
const model: PageOf = (name) => ({ href: modelHref(name), text: 'Open the model' })
const night: PageOf = (name, partition) => ({
  href: nightHref({ kind: 'scores', name, partition }, {}),
  text: 'Open the night',
})

/** Pages that show or do the same as commands about a model. */
const PAGES: Partial<Record<StepName, PageOf>> = {
  check: (name) => ({ href: readinessHref(name), text: 'Open its readiness' }),
  drift: night,
  history: registry,
  outcomes: model,
  promote: (name) => ({ href: `${registryHref(name)}#change`, text: 'Promote' }),
  report: night,
  rollback: (name) => ({ href: `${registryHref(name)}#change`, text: 'Roll back' }),
  status: model,
  versions: registry,
}

function pageFor(step: Command['step'], { slot, run }: SlotAndRun): Offered['page'] {
  if (step === 'show') return run && { href: runHref(run.id), text: 'Open the run' }
  if (step === undefined || slot.kind !== 'scores') return undefined
  return PAGES[step]?.(slot.name, slot.partition)
}

function isSkippable({ slot, run }: SlotAndRun): boolean {
  const busy = run !== undefined && (run.state === 'running' || run.state === 'publishing')
  if (busy || slot.state === 'published' || slot.state === 'skipped') return false
  return run === undefined || run.id === slot.run
}

function skip({ slot }: SlotAndRun): Offered {
  const { name, partition } = slot
  return {
    why: 'If this night is not needed, skip it; its readers are notified.',
    command: `npx nightshift skip ${quoted(`${name}:${partition}`)} --reason 'the night is not needed'`,
    button: skipButton(slot),
  }
}

function skipButton({ kind, name, partition }: Slot): Button {
  const path = `/slots/${kind}/${encodeURIComponent(name)}/${encodeURIComponent(partition)}/skip`
  return { path, text: 'Skip this night', reason: true }
}
