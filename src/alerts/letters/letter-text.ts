import type { Item, Letter } from './letter.ts'

/** A letter as plain text. No columns and no rules: phones use a proportional font, 45 characters wide. */
export function letterText(letter: Letter): string {
  const { button } = letter
  const item = (it: Item) => itemText(it, button?.href)
  const blocks = [
    letter.lead.join('\n'),
    button === undefined ? '' : `${button.text}:\n  ${button.href}`,
    ...letter.sections.map(
      (section) => `${section.title.toUpperCase()}\n${section.items.map(item).join('\n')}`,
    ),
    letter.foot.join('\n'),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

/** `shown` is an address that the mail has already: it is not repeated. */
function itemText(it: Item, shown: string | undefined): string {
  const below = (link: string | undefined) => (link === undefined || link === shown ? '' : `\n  ${link}`)
  switch (it.kind) {
    case 'text':
      return it.text
    case 'point':
      return `- ${it.text}`
    case 'fact':
      return `${it.label}: ${it.text}${below(it.link)}`
    case 'quote':
      return it.text
        .split('\n')
        .map((line) => `> ${line}`)
        .join('\n')
    case 'picture':
      return it.text
    case 'command':
      return `${it.why}${/[?.]$/.test(it.why) ? '' : ':'}\n  ${it.command}`
    case 'entry':
      return [`- ${it.title}`, ...it.lines.map((line) => `  ${line}`)].join('\n') + below(it.link)
  }
}
