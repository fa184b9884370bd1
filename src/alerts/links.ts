/** Addresses of the web pages that mails point to. */

export function runLink(baseUrl: string | undefined, run: string | undefined): string | undefined {
  return run === undefined ? undefined : under(baseUrl, `runs/${encodeURIComponent(run)}`)
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
