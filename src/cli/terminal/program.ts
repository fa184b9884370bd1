import { Command, type ErrorOptions } from 'commander'

const INCOMPLETE = 'nightshift.incomplete'

/** A command whose errors about its call name all that is missing, and the command's own help. */
export class Program extends Command {
  override createCommand(name?: string): Program {
    return new Program(name)
  }

  /** Called by commander for the first option that is missing. */
  missingMandatoryOptionValue(): void {
    this.refuseIncomplete()
  }

  /** Called by commander for the first argument that is missing. */
  missingArgument(): void {
    this.refuseIncomplete()
  }

  /** Behind each error about a call stands the help of the command that was called. */
  override error(message: string, options?: ErrorOptions): never {
    const help = `(${pathOf(this)} --help ${this.commands.length > 0 ? 'lists the commands' : 'lists the options'})`
    // What is incomplete says its usage itself.
    this.showHelpAfterError(options?.code === INCOMPLETE ? false : help)
    return super.error(message, options)
  }

  private refuseIncomplete(): void {
    const args = this.registeredArguments
      .filter(({ required }, index) => required && this.args[index] === undefined)
      .map((argument) => `<${argument.name()}>`)
    const options = this.options
      .filter((option) => option.mandatory && this.getOptionValue(option.attributeName()) === undefined)
      .map(({ flags }) => flags)
    const missing = [...args, ...options].join(', ')
    this.error(`error: missing ${missing}\nUsage: ${usageOf(this)}\n(${pathOf(this)} --help explains each)`, {
      code: INCOMPLETE,
    })
  }
}

/** `nightshift run <model> --as-of <as-of> [options]`: what is required stands in the line. */
export function usageOf(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  const required = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags)
  const rest = command.commands.length > 0 ? ['[options]', '[command]'] : ['[options]']
  return [pathOf(command), ...args, ...required, ...rest].join(' ')
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

/** A command as docs/commands.md shows it. */
export interface DescribedCommand {
  group: string
  usage: string
  description: string
  options: { flags: string; description: string; required: boolean; default: string | undefined }[]
}

/** All commands that `--help` lists, in its order. */
export function describeCommands(program: Command): DescribedCommand[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      group: command.helpGroup() ?? '',
      usage: usageOf(command),
      description: command.description(),
      options: command.options
        .filter(({ hidden }) => !hidden)
        .map(({ flags, description, mandatory, defaultValue }) => ({
          flags,
          description,
          required: mandatory,
          default: defaultValue === undefined ? undefined : String(defaultValue),
        })),
    }))
}
