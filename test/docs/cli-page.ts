/** Renders `docs/cli.md` from the commands themselves. */
import type { Command } from 'commander';
import { EXIT, EXIT_MEANINGS } from '../../lib/cli/exit-codes.ts';
import { createProgram } from '../../lib/cli/program.ts';
import { CLI_ENVIRONMENT } from '../../lib/config/environment.ts';
import { markdownTable } from './generated-page.ts';

const HELP_COLUMNS = 96;

export function renderCliPage(): string {
  const parts = [
    INTRODUCTION,
    '## Exit codes',
    markdownTable(
      ['code', 'meaning'],
      Object.entries(EXIT).map(([name, code]) => [
        `\`${code}\``,
        EXIT_MEANINGS[name as keyof typeof EXIT],
      ]),
    ),
    '## Environment',
    markdownTable(
      ['variable', 'meaning'],
      Object.entries(CLI_ENVIRONMENT).map(([key, name]) => [
        `\`${name}\``,
        VARIABLE_MEANINGS[key as keyof typeof CLI_ENVIRONMENT],
      ]),
    ),
    '## Commands',
    ...commandsOf(documentedProgram()).map(
      ({ title, help }) => `### ${title}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\``,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Generated from lib/cli; change it there and run UPDATE_DOCS=1 npm test -- test/docs -->

# Command line

In a clone: \`npx tripoint …\`, or \`npm run tripoint -- …\`. The launcher runs on Node 20 and brings
the Node that it needs.

**Where commands go.** \`--endpoint\` and \`--token-file\` win. Then comes a local mode that was started
in this folder (\`.tripoint/local.json\`, or \`--dir\`), then the environment. Several endpoints are
tried until one answers. A token is sent over https, or to this machine, and nowhere else.

**Output.** Standard output carries data, standard error messages. With \`--json\` standard output is
exactly one JSON document, also on failure (\`{"error": …}\`); what streams (\`log --follow\`,
\`status --watch\`) prints one document on each line. \`--quiet\` leaves out messages, never errors.
Colour is never the only sign of a state, and off where the output is no terminal.

**Changes.** What moves traffic shows its plan with \`--dry-run\`: the decision, each DNS record, the
TTL. It asks before it acts; where nobody can be asked it prints the plan, changes nothing and exits
with ${EXIT.usage}, unless \`--yes\` is given. The target that was shown is named in the command, so what was
confirmed is what is done. A command is sent under one key until its outcome is known: a lost answer
never doubles it. When the outcome stays unknown, the command id is printed.`;

/** By key of CLI_ENVIRONMENT: a new variable without a meaning does not compile. */
const VARIABLE_MEANINGS: { readonly [key in keyof typeof CLI_ENVIRONMENT]: string } = {
  endpoints: 'URLs of the control regions, separated by commas.',
  token: 'Operator token, for commands and for reads that are not open.',
  noColor: 'Any value turns colour off.',
  forceColor: 'Any value but `0` and `false` turns colour on.',
  terminal: '`dumb` turns colour off.',
  npmEvent: 'Set by npm: suggested commands then begin as this one did, e.g. with `npx`.',
};

function documentedProgram(): Command {
  const program = createProgram(() => Promise.resolve());
  for (const command of [program, ...descendants(program)]) {
    command.configureOutput({ getOutHelpWidth: () => HELP_COLUMNS, getOutHasColors: () => false });
    if (command !== program) {
      command.configureHelp({ ...command.configureHelp(), showGlobalOptions: false });
    }
  }
  return program;
}

function commandsOf(program: Command): readonly { title: string; help: string }[] {
  return [program, ...descendants(program)].map((command) => ({
    title: titleOf(command),
    help: command.helpInformation(),
  }));
}

function descendants(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function titleOf(command: Command): string {
  return command.parent === null ? command.name() : `${titleOf(command.parent)} ${command.name()}`;
}
