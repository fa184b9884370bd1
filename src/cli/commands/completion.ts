import { didYouMean } from '../../project/files/nearest.ts'
import { ConfigurationError } from '../../project/files/problem.ts'
import type { GlobalOptions } from '../command.ts'

/**
 * What each shell evaluates: it asks the command that is typed for the words that fit, and completes files where there is none. A
 * tab separates a word from what it is. A zsh whose `.zshrc` has not loaded completion yet has no `compdef`.
 */
const SCRIPTS: Record<string, string> = {
  bash: `_nightshift() {
  local IFS=$'\\n'
  COMPREPLY=($("$1" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
}
complete -o default -F _nightshift nightshift
`,
  zsh: `#compdef nightshift
_nightshift() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null | sed -e 's/:/\\\\:/g' -e 's/	/:/')}")
  if [[ -n "\${found[*]}" ]]; then _describe nightshift found; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _nightshift nightshift
`,
  fish: `function __nightshift_words
  set -l words (commandline -opc) (commandline -ct)
  $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c nightshift -f -n 'test (count (__nightshift_words)) -gt 0' -a '(__nightshift_words)'
complete -c nightshift -F -n 'test (count (__nightshift_words)) -eq 0'
`,
}

/** `completion bash|zsh|fish`: prints the script that teaches the shell to complete. */
export default function completion([shell = '']: string[], _options: GlobalOptions): Promise<number> {
  const script = SCRIPTS[shell]
  if (script === undefined) {
    const shells = Object.keys(SCRIPTS)
    throw new ConfigurationError(
      `completion: expected ${shells.join(', ')}, got: ${shell}${didYouMean(shell, shells)}`,
    )
  }
  process.stdout.write(script)
  return Promise.resolve(0)
}
