/** Addresses of pages. If a model and a view share a name, the plain address is the model's. */

export function nightHref(
  { kind, name, partition }: { kind: string; name: string; partition: string },
  models: Record<string, unknown>,
): string {
  const which = kind === 'features' && models[name] !== undefined ? '?kind=features' : ''
  return `/nights/${encodeURIComponent(name)}/${encodeURIComponent(partition)}${which}`
}

/** The list of a night of scores. */
export function listHref(night: { model: string; partition: string }): string {
  return `${nightHref({ kind: 'scores', name: night.model, partition: night.partition }, {})}/list`
}

/** One row of a list takes `?entity=`, its columns joined by `/`. */
export function rowPage(night: { model: string; partition: string }): string {
  return `${nightHref({ kind: 'scores', name: night.model, partition: night.partition }, {})}/row`
}

export function rowHref(night: { model: string; partition: string }, entity: string[]): string {
  return withQuery(rowPage(night), { entity: entity.join('/') })
}

export function runHref(id: string): string {
  return `/runs/${encodeURIComponent(id)}`
}

export function modelHref(name: string): string {
  return `/models/${encodeURIComponent(name)}`
}

export function readinessHref(model: string): string {
  return `${modelHref(model)}/readiness`
}

export function registryHref(name: string): string {
  return `/registry/${encodeURIComponent(name)}`
}

export function evaluationHref(model: string, id: number): string {
  return `${registryHref(model)}/evaluations/${id}`
}

export function backfillHref(id: number): string {
  return `/backfills/${id}`
}

export function runbookHref(model: string, anchor: string): string {
  return `/models/${encodeURIComponent(model)}/runbook${anchor}`
}

/** The path with query parameters; undefined and empty values are left out. */
export function withQuery(path: string, query: Record<string, string | number | undefined>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text === '' ? path : `${path}?${text}`
}
