import { html, raw } from 'hono/html'
import { escaped } from '../charts/escape.ts'
import type { Project } from '../project/project.ts'
import type { Html } from './layout.ts'
import { styleText } from './style/mount-style.ts'

/**
 * A page as one file: it includes style and pictures, loads nothing and runs no script. Links lead to the pages
 * (`alerts.base_url`); without a base URL they are plain text.
 */
export function standalone({
  title,
  lead,
  body,
  foot,
  project,
}: {
  title: string
  lead: string
  body: Html
  foot: Html
  project: Project
}): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Nightshift</title>
<link rel="icon" href="data:,">
<style>${raw(styleText())}</style>
</head>
<body>
<main id="main">
<div class="page-head"><div><p class="crumbs">Nightshift, ${project.name}</p><h1>${title}</h1><p class="quiet">${lead}</p></div></div>
${body}
</main>
<footer class="foot">${foot}</footer>
</body>
</html>
`
  return linked(String(page), project.alerts?.base_url)
}

/** Makes links into the pages absolute; without a base URL, replaces them with their text. */
function linked(text: string, base: string | undefined): string {
  if (base !== undefined) {
    const to = escaped(base.replace(/\/+$/, ''))
    // A replacement function, because `$&` in an address must not be expanded.
    return text.replaceAll(' href="/', () => ` href="${to}/`)
  }
  return text.replace(/<a href="\/[^"]*"[^>]*>([\s\S]*?)<\/a>/g, '$1')
}
