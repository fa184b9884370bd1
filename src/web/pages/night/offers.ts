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
  /** Its open incident whose mails are not muted. */
  incident?: number | undefined
}

/** What the table of remedies says about the run, and skipping the night where that is possible. */
export function offersFor(at: SlotAndRun, project: Pick<Project, 'people'>, recipient: string): Offered[] {
  const { slot, run, versions } = at
  const isLatest = run !== undefined && run.id === slot.run
  const offered = withSkip(at, isLatest ? runCommands(project, run, versions, recipient) : [])
  const own = nightPage(slot).href
  return offered.map(({ page, ...it }) => (page?.href === own ? it : { ...it, page }))
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
  if (step === 'mute' && at.incident !== undefined)
    return {
      path: `/incidents/${at.incident}/mute`,
      text: 'No such mails for three days',
      reason: false,
      second: true,
    }
  if (run === undefined || run.id !== slot.run) return undefined
  if (step === 'again' && (run.state === 'failed' || run.state === 'held'))
    return { path: `/runs/${run.id}/retry`, text: 'Run it again', reason: false }
  if (step === 'again' && run.state === 'waiting')
    return { path: `/runs/${run.id}/retry`, text: 'Look for the data now', reason: false }
  if (step === 'release' && run.state === 'held')
    return { path: `/runs/${run.id}/release`, text: 'Publish the held run', reason: true, second: true }
  return undefined
}

type PageOf = (model: string) => NonNullable<Offered['page']>

const registry: PageOf = (model) => ({ href: registryHref(model), text: 'Open the registry' })
const model: PageOf = (name) => ({ href: modelHref(name), text: 'Open the model' })

/** Pages that show or do the same as commands about a model. */
const PAGES: Partial<Record<StepName, PageOf>> = {
  check: (name) => ({ href: readinessHref(name), text: 'Open its readiness' }),
  history: registry,
  outcomes: model,
  promote: (name) => ({ href: `${registryHref(name)}#change`, text: 'Promote' }),
  rollback: (name) => ({ href: `${registryHref(name)}#change`, text: 'Roll back' }),
  status: model,
  versions: registry,
}

/** Steps about values of a night, of features or scores, which its page shows. */
const SHOWN_BY_NIGHT: ReadonlySet<StepName> = new Set<StepName>(['drift', 'forced', 'parity', 'report'])

function nightPage(slot: Slot): NonNullable<Offered['page']> {
  return { href: nightHref(slot, { [slot.name]: slot }), text: 'Open the night' }
}

function pageFor(step: Command['step'], { slot, run }: SlotAndRun): Offered['page'] {
  if (step === 'show') return run && { href: runHref(run.id), text: 'Open the run' }
  if (step === undefined) return undefined
  if (step === 'doctor') return { href: '/workers', text: 'Open the workers' }
  if (SHOWN_BY_NIGHT.has(step)) return nightPage(slot)
  if (slot.kind !== 'scores') return undefined
  return PAGES[step]?.(slot.name)
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
  return { path, text: 'Skip this night', reason: true, second: true }
}
