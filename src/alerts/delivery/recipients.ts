import type { Model, Project } from '../../project/project.ts'
import { sortAddresses } from './address.ts'

/** By model the view that its champion scores, which may be another than that of model.yaml. */
export type LiveViews = Readonly<Record<string, string>>

/** Who is mailed: those on call, else the owner. `refused`: what is no address. */
export function recipientsOf(of: { onCall: string[]; owner: string }): {
  addresses: string[]
  refused: string[]
} {
  const { addresses, refused } = sortAddresses(of.onCall)
  if (addresses.length > 0) return { addresses, refused }
  const owner = sortAddresses([of.owner])
  return { addresses: owner.addresses, refused: [...refused, ...owner.refused] }
}

/** The models that are left without scores where a model, or the features of a view, fail. */
export function concernedBy(
  project: Pick<Project, 'models'>,
  { kind, name }: { kind: 'model' | 'view'; name: string },
  live: LiveViews,
): Model[] {
  return Object.values(project.models).filter((model) =>
    kind === 'model' ? model.name === name : model.view === name || live[model.name] === name,
  )
}

/** A model or view, and who is mailed when it fails. */
export interface Notified {
  kind: 'model' | 'view'
  name: string
  addresses: string[]
  /** The file that would name somebody. */
  file: string
}

/** Who is mailed about each model and each view of the project. */
export function notifiedBySubject(project: Pick<Project, 'models' | 'views'>, live: LiveViews): Notified[] {
  const notified = (kind: 'model' | 'view', name: string, owner: string, file: string): Notified => {
    const onCall = concernedBy(project, { kind, name }, live).flatMap((model) => model.on_call)
    return { kind, name, addresses: recipientsOf({ onCall, owner }).addresses, file }
  }
  return [
    ...Object.values(project.models).map(({ name, owner }) =>
      notified('model', name, owner, `on_call or owner in models/${name}/model.yaml`),
    ),
    ...Object.values(project.views).map(({ name, owner }) =>
      notified(
        'view',
        name,
        owner,
        `owner in features/${name}/view.yaml, or on_call of a model that is scored on it`,
      ),
    ),
  ]
}

/** `model churn`. */
export function titleOf({ kind, name }: Notified): string {
  return `${kind} ${name}`
}

/** The warning about a model or view whose failure nobody would be mailed. */
export function unnotifiedText(subject: Notified): string {
  return `nobody is notified when ${titleOf(subject)} fails: write a mail address as ${subject.file}`
}
