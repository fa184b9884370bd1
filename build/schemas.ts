// Writes schemas/*.schema.json from the zod schemas that read the files. Editors complete and explain the keys by them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { jsonSchemas } from '../src/project/files/json-schemas.ts'

mkdirSync('schemas', { recursive: true })
for (const [file, text] of Object.entries(jsonSchemas())) writeFileSync(`schemas/${file}`, text)
