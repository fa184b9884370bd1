import type { IncidentKind } from '../../../src/failures/incident-kinds.ts'
import type { StepName } from '../../../src/failures/remedies.ts'
import type { Ground, Subject } from './ground.ts'

/** A cause, made to happen for real. */
export interface Scene {
  kind: IncidentKind
  cause: string
  subject: Subject
  /** Makes the night fail, so that an incident of the subject is open. */
  make(ground: Ground, night: string): Promise<void>
  /** What the words before a command ask for, such as data that arrives. */
  mend?(ground: Ground, night: string, step: StepName | undefined): Promise<void> | void
  /** What the words before the first of the commands that go together ask for. */
  cure?(ground: Ground): Promise<void> | void
  /** Commands that are followed one after the other; every other changing command has a night of its own. */
  together?: StepName[]
  /** What must hold after a command, where it is not what its name says. */
  after?: Partial<Record<StepName, string>>
  /** What a command that only reads has to print, where it is not what such commands print of failed runs. */
  says?: Partial<Record<StepName, RegExp>>
  /** Ends the incident where no command does, by another night. */
  settle?(ground: Ground, night: string): Promise<void>
  /** Once the scene is over. */
  leave?(ground: Ground): Promise<void> | void
  /** It has no run, so that its page has no button to retry one. */
  hasNoRun?: boolean
  /** All its commands are pasted in the short form too: what they leave is what later scenes begin with. */
  isWhole?: boolean
  /** It needs rights that not everybody has. */
  needsRoot?: boolean
  /** Its incident is closed in the same round: the schedule expects the night no more. */
  isClosed?: boolean
  /** Nights that pass while it is made. Default: one. */
  nights?: number
}
