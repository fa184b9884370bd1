import type { Item, Letter } from './letter.ts'

export interface Attachment {
  filename: string
  /** Such as `image/png`. */
  type: string
  base64: string
  /** Content id by which the mail's HTML refers to it. */
  cid?: string
}

/** Width in the mail; the file has twice as many pixels. */
export const PICTURE_WIDTH = 600

type Picture = Extract<Item, { kind: 'picture' }>

/** The content id by which the mail's HTML refers to the picture. */
export function contentId(name: string): string {
  return `${name.replace(/[^A-Za-z0-9_-]/g, '_')}@nightshift`
}

/**
 * Draws the pictures of a letter as attachments. A picture that cannot be drawn is replaced by its text, since the
 * mail matters more; `failed` contains the reasons.
 */
export async function drawPictures(
  letter: Letter,
): Promise<{ letter: Letter; attachments: Attachment[]; failed: string[] }> {
  const pictures = letter.sections.flatMap(({ items }) =>
    items.filter((item): item is Picture => item.kind === 'picture'),
  )
  const attachments: Attachment[] = []
  const failed: string[] = []
  const lost = new Set<Item>()
  for (const picture of pictures) {
    try {
      const { renderPng } = await import('../../charts/render.ts')
      const png = await renderPng(picture.chart, { width: PICTURE_WIDTH })
      attachments.push({
        filename: `${picture.name.replace(/[^A-Za-z0-9_-]/g, '_')}.png`,
        type: 'image/png',
        base64: png.toString('base64'),
        cid: contentId(picture.name),
      })
    } catch (error) {
      failed.push(`${picture.name}: ${error instanceof Error ? error.message : String(error)}`)
      lost.add(picture)
    }
  }
  if (lost.size === 0) return { letter, attachments, failed }
  const sections = letter.sections.map((section) => ({
    ...section,
    items: section.items.map(
      (item): Item => (item.kind === 'picture' && lost.has(item) ? { kind: 'text', text: item.text } : item),
    ),
  }))
  return { letter: { ...letter, sections }, attachments, failed }
}
