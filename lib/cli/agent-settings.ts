/**
 * What `tripoint agent` was told, by flags and by its environment, checked as a whole.
 *
 * Flags win over variables. Everything that is wrong is listed at once: whoever writes a unit file
 * sees all of it in the first line of the journal, and not one fault after each restart.
 */

import type { Command } from '../agent/child-command.ts';
import { shellWords, splitWords } from '../agent/command-line.ts';
import {
  CHECK_TIMEOUT_MS_DEFAULT,
  COMMAND_TIMEOUT_MS_MAX,
  COMMAND_TIMEOUT_MS_MIN,
  INTERVAL_MS_MAX,
  INTERVAL_MS_MIN,
} from '../agent/limits.ts';
import type { CheckPlan, SidecarOptions } from '../agent/sidecar.ts';
import { AppError, describeError } from '../base/errors.ts';
import { formatDuration, parseDuration } from '../config/duration.ts';
import { AGENT_ENVIRONMENT, CLI_ENVIRONMENT } from '../config/environment.ts';
import type { Variables } from '../config/expansion.ts';
import { originOf, readTokenFile } from './target.ts';

/** As commander gives them. */
export interface AgentFlags {
  readonly service?: string;
  readonly site?: string;
  readonly interval?: string;
  readonly checkUrl?: string;
  readonly checkCommand?: string;
  readonly checkInterval?: string;
  readonly checkTimeout?: string;
  readonly lagCommand?: string;
  readonly onPromote?: string;
  readonly onDemote?: string;
  readonly promoteTimeout?: string;
  readonly demoteTimeout?: string;
  readonly shell?: boolean;
  readonly leavingOnExit?: boolean;
  readonly once?: boolean;
}

export type AgentSettings = Omit<SidecarOptions, 'clock' | 'random' | 'onEvent'>;

export const AGENT_DEFAULTS = {
  intervalMs: 1000,
  promoteTimeoutMs: 60_000,
} as const;

export interface AgentInputs {
  readonly flags: AgentFlags;
  /** `--endpoint` and `--token-file`, which every command has. */
  readonly endpoint: readonly string[];
  readonly tokenFile: string | null;
  readonly variables: Variables;
}

/** @throws AppError `agent-options`, which lists every fault; `token-file-unreadable`. */
export async function readAgentSettings(inputs: AgentInputs): Promise<AgentSettings> {
  const faults: string[] = [];
  const reader = createReader(inputs, (fault) => {
    faults.push(fault);
  });
  const token = await findToken(inputs, reader);
  const settings = composeSettings(inputs, reader, token);
  if (inputs.flags.once === true && (settings.promote ?? settings.demote) !== null) {
    faults.push(
      '--once runs no hooks: a role is only worth as much as the lease that comes with it',
    );
  }
  if (faults.length > 0) {
    throw new AppError(
      `the agent cannot start:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
      {
        code: 'agent-options',
        hint: '`tripoint agent --help` lists the flags; docs/agent.md lists their variables.',
        retryable: false,
      },
    );
  }
  return settings;
}

type Switch = 'shell' | 'leavingOnExit';
type Name = Exclude<keyof typeof AGENT_ENVIRONMENT, 'token' | 'tokenFile' | 'endpoints' | Switch>;

interface Reader {
  /** The flag, else the variable; null when both are missing or empty. */
  readonly text: (name: Name) => string | null;
  readonly variable: (name: keyof typeof AGENT_ENVIRONMENT) => string | null;
  readonly isOn: (name: Switch) => boolean;
  readonly refuse: (fault: string) => void;
}

function createReader({ flags, variables }: AgentInputs, refuse: (fault: string) => void): Reader {
  const variable = (name: keyof typeof AGENT_ENVIRONMENT) => {
    const text = variables[AGENT_ENVIRONMENT[name]]?.trim() ?? '';
    return text === '' ? null : text;
  };
  return {
    refuse,
    variable,
    text: (name) => flags[name] ?? variable(name),
    isOn: (name) => flags[name] ?? variable(name) === '1',
  };
}

function composeSettings(inputs: AgentInputs, reader: Reader, token: string): AgentSettings {
  const intervalMs = readDuration(reader, 'interval', AGENT_DEFAULTS.intervalMs);
  if (intervalMs < INTERVAL_MS_MIN || intervalMs > INTERVAL_MS_MAX) {
    reader.refuse(`--interval is not between 100ms and 24h`);
  }
  const checkIntervalMs = readDuration(reader, 'checkInterval', intervalMs);
  const checkTimeoutMs = readTimeout(
    reader,
    'checkTimeout',
    Math.min(CHECK_TIMEOUT_MS_DEFAULT, checkIntervalMs),
  );
  const commandOf = commandReader(reader);
  return {
    service: required(reader, 'service'),
    site: required(reader, 'site'),
    endpoints: readEndpoints(inputs, reader),
    token,
    intervalMs,
    check: readCheck(reader, commandOf, checkTimeoutMs),
    checkIntervalMs,
    lag: commandOf('lagCommand', checkTimeoutMs),
    promote: commandOf(
      'onPromote',
      readTimeout(reader, 'promoteTimeout', AGENT_DEFAULTS.promoteTimeoutMs),
    ),
    demote: commandOf('onDemote', readTimeout(reader, 'demoteTimeout', clampTimeout(intervalMs))),
    isLeavingOnExit: reader.isOn('leavingOnExit'),
    environment: environmentWithout(token, inputs.variables),
  };
}

type CommandOf = (name: Name, timeoutMs: number) => Command | null;

function commandReader(reader: Reader): CommandOf {
  return (name, timeoutMs) => {
    const text = reader.text(name);
    if (text === null) {
      return null;
    }
    const words = reader.isOn('shell') ? shellWords(text) : splitWords(text);
    if (words.kind === 'refused') {
      reader.refuse(`${flagOf(name)}: ${words.detail} (--shell)`);
      return null;
    }
    return { words: words.words, timeoutMs };
  };
}

function readCheck(reader: Reader, commandOf: CommandOf, timeoutMs: number): CheckPlan {
  const url = reader.text('checkUrl');
  const command = commandOf('checkCommand', timeoutMs);
  if (url !== null && command !== null) {
    reader.refuse('--check-url and --check-command exclude each other');
  }
  if (url !== null) {
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
      reader.refuse(`--check-url ${JSON.stringify(url)} is not an http(s) URL`);
    }
    return { kind: 'url', url, timeoutMs };
  }
  return command === null ? { kind: 'none' } : { kind: 'command', command };
}

function readEndpoints({ endpoint }: AgentInputs, reader: Reader): readonly string[] {
  const listed = (reader.variable('endpoints') ?? '').split(',').map((part) => part.trim());
  const texts = endpoint.length > 0 ? endpoint : listed.filter((part) => part !== '');
  if (texts.length === 0) {
    reader.refuse(`no --endpoint, and ${AGENT_ENVIRONMENT.endpoints} is not set`);
  }
  return texts.flatMap((text) => {
    try {
      return [originOf(text)];
    } catch (thrown) {
      const hint = thrown instanceof AppError ? thrown.hint : describeError(thrown);
      reader.refuse(`--endpoint ${JSON.stringify(text)}: ${hint}`);
      return [];
    }
  });
}

/** A file may be readable by the agent alone; a variable by whoever may read its environment. */
async function findToken({ tokenFile }: AgentInputs, reader: Reader): Promise<string> {
  const file = tokenFile ?? reader.variable('tokenFile');
  const token = file === null ? reader.variable('token') : await readTokenFile(file);
  if (token === null) {
    const { tokenFile: fileName, token: tokenName } = AGENT_ENVIRONMENT;
    reader.refuse(`no token: set --token-file, ${fileName} or ${tokenName}`);
  }
  return token ?? '';
}

/** What checks and hooks may see: everything but tokens, by name and by value. */
function environmentWithout(token: string, variables: Variables): Readonly<Record<string, string>> {
  const secret: readonly string[] = [AGENT_ENVIRONMENT.token, CLI_ENVIRONMENT.token];
  const entries = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined || secret.includes(name) || (token !== '' && value.includes(token))
      ? []
      : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}

function required(reader: Reader, name: 'service' | 'site'): string {
  const text = reader.text(name);
  if (text === null) {
    reader.refuse(`no ${flagOf(name)}, and ${AGENT_ENVIRONMENT[name]} is not set`);
  }
  return text ?? '';
}

function readTimeout(reader: Reader, name: Name, otherwiseMs: number): number {
  const timeoutMs = readDuration(reader, name, otherwiseMs);
  if (timeoutMs !== clampTimeout(timeoutMs)) {
    const range = `${formatDuration(COMMAND_TIMEOUT_MS_MIN)} and ${formatDuration(COMMAND_TIMEOUT_MS_MAX)}`;
    reader.refuse(`${flagOf(name)} is not between ${range}`);
  }
  return timeoutMs;
}

function clampTimeout(timeoutMs: number): number {
  return Math.min(COMMAND_TIMEOUT_MS_MAX, Math.max(COMMAND_TIMEOUT_MS_MIN, timeoutMs));
}

function readDuration(reader: Reader, name: Name, otherwiseMs: number): number {
  const text = reader.text(name);
  const durationMs = text === null ? otherwiseMs : parseDuration(text);
  if (durationMs === null || durationMs === 0) {
    reader.refuse(`${flagOf(name)} ${JSON.stringify(text)} is not a duration such as 500ms or 30s`);
  }
  return durationMs ?? otherwiseMs;
}

function flagOf(name: Name): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
