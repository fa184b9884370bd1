import { html } from 'hono/html'
import { DEFAULT_COMMAND } from '../alerts/delivery/alert-settings.ts'
import { ownText } from '../alerts/letters/own-commands.ts'
import type { Project } from '../project/project.ts'
import type { Html } from './layout.ts'
import type { Viewer } from './page-context.ts'

type Prefix = Pick<Project, 'alerts'>

/** What is typed for Nightshift where the project runs. */
export function prefixOf({ alerts }: Prefix): string {
  return alerts?.command ?? DEFAULT_COMMAND
}

/** A command as it is typed where the project runs, which is how mails have it: `show abc` after `alerts.command`. */
export function typed(project: Prefix, command: string): string {
  return `${prefixOf(project)} ${command}`
}

/** Text of a letter, such as `npx nightshift show abc`, with its commands as they are typed where the project runs. */
export function retyped(project: Prefix, text: string): string {
  return ownText(text, prefixOf(project))
}

/** Shows a command after some words; nothing to a viewer, who may run none. */
export type Terminal = (words: string, command: string) => Html

export function terminalFor(viewer: Viewer | null, project: Prefix): Terminal {
  if (viewer?.role !== 'operator') return () => ''
  return (words, command) => html`${words}<code>${typed(project, command)}</code>`
}
