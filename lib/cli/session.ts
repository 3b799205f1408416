/**
 * One invocation of one command: its options, its output, and the control plane it talks to.
 *
 * Standard output carries the data and nothing else: lines for people, or with `--json` exactly one
 * JSON document, also when the command fails. Messages go to standard error.
 */
import { type ApiClient, createApiClient, type ReadAnswer } from '../api/client.ts';
import { AppError } from '../base/errors.ts';
import { type CliSettings, parseCliSettings } from '../config/environment.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Host } from './host.ts';
import type { Suggestion } from './render/next.ts';
import { describeSilences, type Failure, renderFailure, renderProblem } from './render/problems.ts';
import { COLOURED, PLAIN, type Style } from './render/style.ts';
import type { Sent } from './send.ts';
import { findTarget, LOCAL_DIR_DEFAULT, type Target } from './target.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** false = `--no-color`. */
  readonly color: boolean;
  readonly dir: string;
  readonly endpoint: readonly string[];
  readonly tokenFile: string | null;
}

type Answered = { readonly kind: 'ok' | 'accepted' };

export interface Session {
  readonly host: Host;
  readonly options: GlobalOptions;
  readonly settings: CliSettings;
  /** For standard output. */
  readonly style: Style;
  /** For standard error. */
  readonly messageStyle: Style;
  /** @throws AppError when no control plane is known or its description is not valid. */
  readonly connect: () => Promise<{ readonly client: ApiClient; readonly target: Target }>;
  /** The data: the document with `--json`, else the lines. */
  readonly result: (document: unknown, lines: () => readonly string[]) => void;
  /** Text exactly as it is, e.g. a report or a script. */
  readonly raw: (text: string) => void;
  /** Lines for people; nothing with `--quiet` or `--json`. */
  readonly message: (lines: readonly string[]) => void;
  readonly suggest: (suggestion: Suggestion | null) => void;
  /** Says what went wrong, whatever the options. Gives the exit code that belongs to it. */
  readonly failed: (failure: Failure, exitCode?: ExitCode) => ExitCode;
  /** The same for an answer that is not the one that was asked for. */
  readonly refused: (answer: Exclude<ReadAnswer<never> | Sent, Answered>) => ExitCode;
}

/** Longer than a region takes to say that the outcome of a command is unknown. */
const REQUEST_TIMEOUT_MS = 10_000;

export function createSession(host: Host, options: GlobalOptions): Session {
  const settings = parseCliSettings(host.variables);
  const wantsColour = options.color ? settings.colour : false;
  const style = (wantsColour ?? host.outputIsTerminal) ? COLOURED : PLAIN;
  const messageStyle = (wantsColour ?? host.messagesAreTerminal) ? COLOURED : PLAIN;
  const say = (lines: readonly string[]) => {
    for (const line of lines) {
      host.writeMessage(`${line}\n`);
    }
  };
  const message = (lines: readonly string[]) => {
    if (!(options.quiet || options.json)) {
      say(lines);
    }
  };
  const failWith = (document: object, lines: readonly string[], exitCode: ExitCode) => {
    if (options.json) {
      host.writeOutput(`${JSON.stringify({ error: document })}\n`);
    }
    say(lines);
    return exitCode;
  };
  const failed = (failure: Failure, exitCode: ExitCode = EXIT.error) =>
    failWith(failure, renderFailure(failure, messageStyle), exitCode);
  return {
    host,
    options,
    settings,
    style,
    messageStyle,
    message,
    connect: async () => {
      const target = await findTarget(options, settings);
      message(target.note === null ? [] : [messageStyle(target.note, 'dim')]);
      const { endpoints, token } = target;
      const client = createApiClient({
        endpoints,
        token,
        timeoutMs: REQUEST_TIMEOUT_MS,
        random: host.random,
        newKey: host.randomId,
      });
      return { target, client };
    },
    result: (document, lines) => {
      const text = options.json ? JSON.stringify(document) : lines().join('\n');
      host.writeOutput(text === '' ? '' : `${text}\n`);
    },
    raw: (text) => host.writeOutput(text.endsWith('\n') ? text : `${text}\n`),
    suggest: (suggestion) => {
      if (suggestion !== null) {
        const { why } = suggestion;
        const command = commandHere(suggestion.command, settings, options);
        message([
          `${messageStyle('Next:', 'dim')} ${messageStyle(command, 'plain')}  ${messageStyle(`(${why})`, 'dim')}`,
        ]);
      }
    },
    failed,
    refused: (answer) => {
      switch (answer.kind) {
        case 'problem': {
          const { problem } = answer;
          return failWith(problem, renderProblem(problem, messageStyle), exitCodeOf(problem));
        }
        case 'unreachable':
          return failed({ ...SILENT, message: describeSilences(answer.silences) });
        case 'unknown':
          return failed(unknownOutcome(answer), EXIT.unknown);
      }
    },
  };
}

const SILENT = {
  code: 'no-region-answers',
  message: 'no region answers',
  hint: 'Check the network and the endpoints; DNS and routing keep their last state meanwhile.',
} as const;

/** A command of `tripoint` as it must be typed to lead where this one did. */
function commandHere(
  command: string,
  { programName }: CliSettings,
  { dir, endpoint, tokenFile }: GlobalOptions,
): string {
  const place = [
    ...(dir === LOCAL_DIR_DEFAULT ? [] : ['--dir', dir]),
    ...endpoint.flatMap((url) => ['--endpoint', url]),
    ...(tokenFile === null ? [] : ['--token-file', tokenFile]),
  ];
  return [command.replace(/^tripoint/, programName), ...place.map(shellWord)].join(' ');
}

function shellWord(text: string): string {
  return /^[\w./@:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What to tell an operator of a command that may or may not be in the log. */
function unknownOutcome({ command, silences }: Extract<Sent, { kind: 'unknown' }>) {
  const causes = silences.map(({ endpoint, cause }) => `\n  ${endpoint}: ${cause}`).join('');
  return {
    code: 'outcome-unknown',
    message: `nobody knows whether the command was taken${causes}`,
    hint: `Command id ${command}. \`tripoint status\` and \`tripoint log\` show whether it was.`,
    command,
  };
}

/** What a problem of the API means for a script. */
function exitCodeOf({
  status,
  code,
}: {
  readonly status: number;
  readonly code: string;
}): ExitCode {
  if (status === 401 || status === 403) {
    return EXIT.unauthorised;
  }
  if (code === 'outcome-unknown') {
    return EXIT.unknown;
  }
  return status === 409 || status === 422 ? EXIT.refused : EXIT.error;
}

/** Codes of thrown errors that mean something more to a script than "failed". */
const EXIT_CODES: { readonly [code: string]: ExitCode | undefined } = {
  'no-endpoint': EXIT.usage,
  'endpoint-invalid': EXIT.usage,
  'token-file-unreadable': EXIT.usage,
  'agent-options': EXIT.usage,
  'heartbeat-options': EXIT.usage,
  unauthorized: EXIT.unauthorised,
  'not-running': EXIT.refused,
  'already-running': EXIT.refused,
};

export function exitCodeOfFailure({ code }: Failure): ExitCode {
  return EXIT_CODES[code] ?? EXIT.error;
}

/** What a thrown error tells a person: an AppError as it is, anything else as a defect. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof AppError) {
    return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return {
    code: 'defect',
    message: text,
    hint: 'This is a mistake in Tripoint: please report it.',
  };
}
