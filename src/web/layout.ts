import { html } from 'hono/html'

type Html = ReturnType<typeof html>

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; }
td:first-child, time { white-space: nowrap; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.scroll { overflow-x: auto; }
pre, code { font: .9em ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.held, .failed { color: light-dark(#a3000b, #ff8a80); font-weight: 600; }
.published { color: light-dark(#0a6b2d, #7bd88f); }
nav a { margin-right: 1rem; }
`

/** A page: works without JavaScript, in light and dark, and on a phone. */
export function layout(title: string, body: Html | Promise<Html>) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<nav><a href="/">Nights</a><a href="/incidents">Incidents</a><a href="/queues">Queues</a></nav>
<main><h1>${title}</h1>
${body}
</main>
</body>
</html>`
}
