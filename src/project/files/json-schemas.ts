import * as z from 'zod'
import { exampleSchema } from '../schema/example-schema.ts'
import { modelSchema } from '../schema/model-schema.ts'
import { scheduleSchema } from '../schema/schedule-schema.ts'
import { settingsSchema } from '../schema/settings-schema.ts'
import { viewSchema } from '../schema/view-schema.ts'

/** The JSON Schemas of the five kinds of file, by file name. YAML editors support draft-07 best. */
export function jsonSchemas(): Record<string, string> {
  const kinds = {
    settings: settingsSchema,
    view: viewSchema,
    example: exampleSchema,
    model: modelSchema,
    schedule: scheduleSchema,
  }
  return Object.fromEntries(
    Object.entries(kinds).map(([name, schema]) => {
      const json = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' })
      return [`${name}.schema.json`, `${JSON.stringify(json, null, 2)}\n`]
    }),
  )
}
