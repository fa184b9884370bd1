import type { Item, Letter } from './letter.ts'

/** How letters are written; what runs the commands is set in when one is sent. */
const WRITTEN = /\bnpx nightshift(?= )/g

/** A text of ours with its commands as they are typed where the project runs. */
export function ownText(text: string, command: string): string {
  return text.replace(WRITTEN, () => command)
}

/**
 * The letter with its commands as they are typed where the project runs. What is quoted from outside stays as it is; the
 * first lines have no commands of ours.
 */
export function withOwnCommands(letter: Letter, command: string): Letter {
  const own = (text: string) => ownText(text, command)
  return {
    ...letter,
    sections: letter.sections.map((section) => ({
      ...section,
      items: section.items.map((item) => ownItem(item, own)),
    })),
    foot: letter.foot.map(own),
  }
}

function ownItem(item: Item, own: (text: string) => string): Item {
  switch (item.kind) {
    case 'text':
    case 'point':
    case 'fact':
    case 'picture':
      return { ...item, text: own(item.text) }
    case 'command':
      return { ...item, command: own(item.command), why: own(item.why) }
    case 'entry':
      return { ...item, lines: item.lines.map(own) }
    case 'quote':
      return item
  }
}

/** The letter with the machine and the folder of its project as the last line. */
export function withPlace(letter: Letter, { host, folder }: { host: string; folder: string }): Letter {
  return { ...letter, foot: [...letter.foot, `Written on host ${host} for the project in ${folder}.`] }
}
