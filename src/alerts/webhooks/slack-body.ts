import { cut, oneLine } from '../../format/one-line.ts'
import type { Item, Letter } from '../letters/letter.ts'
import { incidentLink } from '../letters/links.ts'
import type { PostContent } from './post-content.ts'

/** Slack's limits: characters of a header and of a section, and blocks of a message. */
const HEADER = 150
const SECTION = 3000
const BLOCKS = 50
/** Escaping makes `&` five characters long, so what is escaped is cut well below the limit. */
const ROOM = SECTION / 5

type Block =
  | { type: 'header'; text: { type: 'plain_text'; text: string } }
  | { type: 'section'; text: { type: 'mrkdwn'; text: string } }
  | { type: 'context'; elements: { type: 'mrkdwn'; text: string }[] }

/** A message as Slack's incoming webhooks take it: `text` for notifications, `blocks` for the channel. */
export function slackBody({ project, subject, letter, incidents }: PostContent): {
  text: string
  blocks: Block[]
} {
  const [headline = subject, ...rest] = letter.lead
  const links = incidents.slice(0, 10).flatMap((incident) => {
    const link = incidentLink(incident.facts.baseUrl, incident.id)
    return link === undefined ? [] : [`<${link}|Incident ${incident.id}>`]
  })
  const blocks: Block[] = [
    { type: 'header', text: { type: 'plain_text', text: oneLine(headline, HEADER) } },
    ...section([escaped(rest.join('\n')), links.join('   ')]),
    ...letter.sections.flatMap(sectionBlocks),
  ]
  const foot: Block[] = letter.foot
    .slice(-1)
    .map((line) => ({ type: 'context', elements: [{ type: 'mrkdwn', text: escaped(line) }] }))
  return {
    text: `${escaped(`${project}: ${subject}`)}\n${escaped(headline)}`,
    blocks: [...blocks.slice(0, BLOCKS - foot.length), ...foot],
  }
}

function sectionBlocks({ title, items }: Letter['sections'][number]): Block[] {
  const blocks: Block[] = []
  let lines = [`*${escaped(title)}*`]
  for (const line of items.map(itemText)) {
    if ([...lines, line].join('\n').length > SECTION) {
      blocks.push(...section(lines))
      lines = []
    }
    lines.push(line)
  }
  return [...blocks, ...section(lines)]
}

/** None if there is nothing to say: Slack refuses an empty block. */
function section(lines: string[]): Block[] {
  const text = lines.filter((line) => line !== '').join('\n')
  return text === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text } }]
}

function itemText(item: Item): string {
  switch (item.kind) {
    case 'text':
    case 'picture':
      return escaped(item.text)
    case 'point':
      return `• ${escaped(item.text)}`
    case 'fact':
      return `${escaped(item.label)}: ${escaped(item.text)}`
    case 'quote':
      return escaped(item.text)
        .split('\n')
        .map((line) => `> ${line}`)
        .join('\n')
        .slice(0, SECTION)
    case 'command':
      return `${escaped(item.why)}\n\`\`\`${escaped(item.command)}\`\`\`${item.page === undefined ? '' : `\n<${item.page.href}|${escaped(item.page.text)}>`}`
    case 'entry':
      return `• *${escaped(item.title)}*\n${escaped(item.lines.join('\n'))}`
  }
}

/** Slack reads these three characters as markup, such as `<!channel>`; all others are harmless. */
function escaped(text: string): string {
  return cut(text, ROOM).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
