/** URLs of the web pages that mails link to. */

export function runLink(baseUrl: string | undefined, run: string | undefined): string | undefined {
  return run === undefined ? undefined : under(baseUrl, `runs/${encodeURIComponent(run)}`)
}

/** The page of a model's night; a view of the same name has a different URL. */
export function nightLink(
  baseUrl: string | undefined,
  model: string,
  partition: string | undefined,
): string | undefined {
  return partition === undefined
    ? undefined
    : under(baseUrl, `nights/${encodeURIComponent(model)}/${encodeURIComponent(partition)}`)
}

export function modelLink(baseUrl: string | undefined, model: string): string | undefined {
  return under(baseUrl, `models/${encodeURIComponent(model)}`)
}

export function runbookLink(baseUrl: string | undefined, model: string, anchor: string): string | undefined {
  const section = anchor.startsWith('#') ? anchor : `#${anchor}`
  return under(baseUrl, `models/${encodeURIComponent(model)}/runbook${section}`)
}

export function incidentLink(baseUrl: string | undefined, id: number): string | undefined {
  return under(baseUrl, `incidents/${id}`)
}

function under(baseUrl: string | undefined, path: string): string | undefined {
  if (baseUrl === undefined || !URL.canParse(baseUrl)) return undefined
  const { protocol } = new URL(baseUrl)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  return `${baseUrl.replace(/\/+$/, '')}/${path}`
}
