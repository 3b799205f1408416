/**
 * Which control plane a command talks to, and with which token.
 *
 * Flags win. Then comes a local mode that was started in this folder, then the environment: whoever
 * tries things out beside a running demo must not reach production because a variable is still set.
 * A token is sent over https or to this machine, never in the clear.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../base/errors.ts';
import { CLI_ENVIRONMENT, type CliSettings } from '../config/environment.ts';
import { readJsonFile } from '../local/durable-file.ts';
import { readLocalFile } from '../local/local-file.ts';
import { fileFailure } from './file-failure.ts';

/** Folder of local mode, unless `--dir` names another. */
export const LOCAL_DIR_DEFAULT = '.tripoint';

export interface Target {
  /** Origins of the control regions, without a trailing slash; at least one. */
  readonly endpoints: readonly string[];
  readonly token: string | null;
  readonly source: 'flags' | 'local' | 'environment';
  /** What the operator should know about the choice; null = nothing. */
  readonly note: string | null;
}

export interface TargetOptions {
  readonly endpoint: readonly string[];
  readonly tokenFile: string | null;
  readonly dir: string;
}

/** @throws AppError `no-endpoint`, `endpoint-invalid`, `token-file-unreadable`, `local-file-invalid`. */
export async function findTarget(options: TargetOptions, settings: CliSettings): Promise<Target> {
  const token = options.tokenFile === null ? null : await readTokenFile(options.tokenFile);
  if (options.endpoint.length > 0) {
    const endpoints = options.endpoint.map(originOf);
    return { endpoints, token: token ?? settings.token, source: 'flags', note: null };
  }
  const local = await readJsonFile(join(options.dir, 'local.json'));
  if (local.kind === 'found') {
    const file = await readLocalFile(options.dir);
    const isAmbiguous = settings.endpoints.length > 0;
    return {
      endpoints: Object.values(file.regions).map(({ url }) => originOf(url)),
      token: token ?? file.operatorToken,
      source: 'local',
      note: isAmbiguous
        ? `local mode in ${options.dir} is used; ${CLI_ENVIRONMENT.endpoints} is not (name it with --endpoint)`
        : null,
    };
  }
  if (settings.endpoints.length === 0) {
    throw new AppError('no control plane is known', {
      code: 'no-endpoint',
      hint: `Start local mode with \`npm start\`, or set ${CLI_ENVIRONMENT.endpoints} and ${CLI_ENVIRONMENT.token}, or use --endpoint and --token-file.`,
      retryable: false,
    });
  }
  const endpoints = settings.endpoints.map(originOf);
  return { endpoints, token: token ?? settings.token, source: 'environment', note: null };
}

export async function readTokenFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError(`the token file ${fileFailure(path, cause)}`, {
      code: 'token-file-unreadable',
      hint: 'Name a readable file that holds the token and nothing else.',
      retryable: false,
      cause,
    });
  });
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
    throw new AppError(`${path} does not hold one token`, {
      code: 'token-file-unreadable',
      hint: 'Put the token into it, on one line, and nothing else.',
      retryable: false,
    });
  }
  return token;
}

/** @throws AppError `endpoint-invalid`. */
export function originOf(text: string): string {
  const url = URL.parse(text);
  const isOrigin =
    url !== null && url.pathname === '/' && `${url.search}${url.hash}${url.username}` === '';
  const isPrivate = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url));
  if (url === null || !isOrigin || !isPrivate) {
    throw new AppError(`${JSON.stringify(text)} cannot be an endpoint`, {
      code: 'endpoint-invalid',
      hint: 'Write https://host, without a path; http:// only to this machine, because of the token.',
      retryable: false,
    });
  }
  return url.origin;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
