import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonSchemas } from '../../../src/project/files/json-schemas.ts'
import { SOURCE_KINDS } from '../../../src/project/source-kinds.ts'

const committed = new URL('../../../schemas/', import.meta.url)

interface Node {
  properties?: Record<string, Node> | undefined
  additionalProperties?: Node | boolean | undefined
  oneOf?: Node[] | undefined
  anyOf?: Node[] | undefined
  items?: Node | undefined
  description?: string | undefined
}
const Node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    properties: z.record(z.string(), Node).optional(),
    additionalProperties: z.union([z.boolean(), Node]).optional(),
    oneOf: z.array(Node).optional(),
    anyOf: z.array(Node).optional(),
    items: Node.optional(),
    description: z.string().optional(),
  }),
)

describe('the JSON Schemas', () => {
  it('in schemas/ are those that the code gives: else run `npm run schemas`', () => {
    const given = jsonSchemas()
    expect(readdirSync(committed).sort()).toEqual(Object.keys(given).sort())
    for (const [file, text] of Object.entries(given)) {
      expect(readFileSync(new URL(file, committed), 'utf8'), file).toBe(text)
    }
  })

  it('let a view declare every kind of source: else src/project/schema/view-schema.ts lacks one', () => {
    const text = jsonSchemas()['view.schema.json'] ?? ''
    expect(SOURCE_KINDS.filter((kind) => !text.includes(`"const": "${kind}"`))).toEqual([])
  })

  it('explain every key', () => {
    const silent: string[] = []
    const visit = (node: Node, path: string) => {
      for (const [key, child] of Object.entries(node.properties ?? {})) {
        if (child.description === undefined) silent.push(`${path}.${key}`)
        visit(child, `${path}.${key}`)
      }
      const others = [
        node.items,
        typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined,
      ]
      for (const child of [...others, ...(node.oneOf ?? []), ...(node.anyOf ?? [])])
        if (child) visit(child, path)
    }
    for (const [file, text] of Object.entries(jsonSchemas())) visit(Node.parse(JSON.parse(text)), file)
    expect(silent).toEqual([])
  })

  it('ask for no key that has a default', () => {
    const Required = z.object({ required: z.array(z.string()) })
    const required = Object.values(jsonSchemas()).map((text) => Required.parse(JSON.parse(text)).required)
    expect(required).toEqual([
      ['project', 'timezone'],
      ['view', 'entity', 'owner', 'sources'],
      ['example', 'as_of', 'sources', 'rows'],
      ['model', 'owner', 'on_call', 'view', 'score'],
      ['schedule', 'cron'],
    ])
  })
})
