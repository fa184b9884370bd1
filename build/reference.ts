// Writes docs/commands.md from the program's own help, and docs/files.md from the schemas of the files that people write.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { DescribedCommand } from '../src/cli/terminal/program.ts'
import { jsonSchemas } from '../src/project/files/json-schemas.ts'
import { commandsPage, filesPage } from './reference-pages.ts'

const described = execFileSync(process.execPath, ['dist/cli.js', 'describe'], { encoding: 'utf8' })
writeFileSync('docs/commands.md', commandsPage(JSON.parse(described) as DescribedCommand[]))
writeFileSync('docs/files.md', filesPage(jsonSchemas()))
