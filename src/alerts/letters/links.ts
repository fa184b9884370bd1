/** URLs of the web pages that mails link to. */

export function runLink(baseUrl: string | undefined, run: string | undefined): string | undefined {
  return run === undefined ? undefined : under(baseUrl, `runs/${encodeURIComponent(run)}`)
}

/** The page of a night of a model, or of a view, which may have the same name. */
export function nightLink(
  baseUrl: string | undefined,
  {
    subject,
    subjectKind,
    partition,
  }: { subject: string; subjectKind: 'model' | 'view'; partition?: string | undefined },
): string | undefined {
  if (partition === undefined) return undefined
  const kind = subjectKind === 'view' ? '?kind=features' : ''
  return under(baseUrl, `nights/${encodeURIComponent(subject)}/${encodeURIComponent(partition)}${kind}`)
}

/** The page of a model, or one below it, such as `readiness`. */
export function modelLink(baseUrl: string | undefined, model: string, below = ''): string | undefined {
  return under(baseUrl, `models/${encodeURIComponent(model)}${below === '' ? '' : `/${below}`}`)
}

export function runbookLink(baseUrl: string | undefined, model: string, anchor: string): string | undefined {
  return modelLink(baseUrl, model, `runbook${anchor.startsWith('#') ? anchor : `#${anchor}`}`)
}

export function registryLink(baseUrl: string | undefined, model: string): string | undefined {
  return under(baseUrl, `registry/${encodeURIComponent(model)}`)
}

export function incidentLink(baseUrl: string | undefined, id: number): string | undefined {
  return under(baseUrl, `incidents/${id}`)
}

/** The page of all open incidents. */
export function openIncidentsLink(baseUrl: string | undefined): string | undefined {
  return under(baseUrl, 'incidents?state=open')
}

export function workersLink(baseUrl: string | undefined): string | undefined {
  return under(baseUrl, 'workers')
}

export function overviewLink(baseUrl: string | undefined): string | undefined {
  return under(baseUrl, '')
}

function under(baseUrl: string | undefined, path: string): string | undefined {
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return undefined
  const { protocol } = new URL(baseUrl)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  return `${baseUrl.replace(/\/+$/, '')}/${path}`
}
