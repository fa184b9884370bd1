import { html } from 'hono/html'
import type { Viewer } from './page-context.ts'
import { styleHref } from './style/mount-style.ts'

export type Html = ReturnType<typeof html> | ''

const SECTIONS = [
  ['/', 'Overview'],
  ['/runs', 'Runs'],
  ['/incidents', 'Incidents'],
  ['/backfills', 'Backfills'],
  ['/registry', 'Registry'],
  ['/queues', 'Queue'],
  ['/mails', 'Mails'],
] as const
export type Section = (typeof SECTIONS)[number][1]

/** What surrounds a page's content, in addition to its title. */
export interface Frame {
  /** The signed-in user; null or omitted: no one is signed in, and there is no menu. */
  viewer?: Viewer | null
  /** Which entry of the menu the page belongs to. */
  section?: Section
  /** The path to this page, as [address, text]. */
  crumbs?: [href: string, words: string][]
  /** Sentences above the content of every page. */
  banners?: string[] | undefined
  /** Shown above the content, such as the result of an action. */
  notice?: string | undefined
  /** Shown next to the title, such as the state or downloads. */
  aside?: Html
  /** Shown below the content, such as the zone of the times. */
  foot?: Html
}

/** A page: works without JavaScript, in light and dark mode, by keyboard, with a screen reader, and on a phone. */
export function layout(title: string, body: Html, frame: Frame = {}) {
  const { viewer = null, crumbs = [], banners = [], notice, aside = '', foot = '' } = frame
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Nightshift</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${styleHref()}">
</head>
<body>
<a class="skip-link" href="#main">Skip to content</a>
<header class="top"><div class="top-inner">
<a class="brand" href="/"><svg viewBox="0 0 24 24" aria-hidden="true"><path fill="currentColor" d="M20.5 14.6A8.6 8.6 0 0 1 9.4 3.5 8.8 8.8 0 1 0 20.5 14.6z"/></svg>Nightshift</a>
${viewer === null ? '' : menu(frame.section)}
${viewer === null ? '' : who(viewer)}
</div></header>
<main id="main" tabindex="-1">
<div class="page-head"><div>${crumbs.length === 0 ? '' : trail(crumbs)}<h1>${title}</h1></div>${aside}</div>
${banners.map((banner) => html`<p class="notice banner">${banner}</p>`)}
${notice === undefined ? '' : html`<p class="notice" role="status">${notice}</p>`}
${body}
</main>
${foot === '' ? '' : html`<footer class="foot">${foot}</footer>`}
</body>
</html>`
}

function menu(section: Section | undefined) {
  return html`<nav class="menu" aria-label="Main"><ul>${SECTIONS.map(
    ([href, words]) =>
      html`<li><a href="${href}"${section === words ? html` aria-current="page"` : ''}>${words}</a></li>`,
  )}</ul></nav>`
}

function who({ name, role, csrf, local }: Viewer) {
  if (local === true) return html`<div class="who">${name}</div>`
  return html`<div class="who"><span>${name}, ${role}</span><form method="post" action="/signout"><input type="hidden" name="csrf" value="${csrf}"><button>Sign out</button></form></div>`
}

function trail(crumbs: [string, string][]) {
  return html`<nav class="crumbs" aria-label="Breadcrumbs">${crumbs.map(([href, words]) => html`<a href="${href}">${words}</a> / `)}</nav>`
}
