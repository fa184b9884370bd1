import { didYouMean } from './files/nearest.ts'
import { ConfigurationError } from './files/problem.ts'
import type { Model, Project, View } from './project.ts'

/** A model by its name; throws a ConfigurationError that lists the candidates. */
export function modelNamed(project: Project, name: string): Model {
  return project.models[name] ?? unknownName('model', name, Object.keys(project.models))
}

/** A view by its name; throws a ConfigurationError that lists the candidates. */
export function viewNamed(project: Project, name: string): View {
  return project.views[name] ?? unknownName('view', name, Object.keys(project.views))
}

export function unknownName(what: string, name: string, names: string[]): never {
  throw new ConfigurationError(
    `expected a ${what} of this project (${names.join(', ') || 'there is none'}), got: ${name}${didYouMean(name, names)}`,
  )
}
