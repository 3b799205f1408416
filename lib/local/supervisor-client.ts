/**
 * Talks to the supervisor of a folder: what `tripoint local …` and the end-to-end tests use.
 *
 * Finds it through `local.json`. That file outlives a killed supervisor, so "nobody answers there"
 * is an expected error with its own code.
 */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { readLocalFile } from './local-file.ts';

/** A region opens a store and joins the others; on a busy machine that takes some seconds. */
const REQUEST_TIMEOUT_MS = 30_000;

const processSchema = z.object({
  name: z.string(),
  kind: z.enum(['region', 'dns', 'site']),
  state: z.enum(['starting', 'running', 'down']),
  pid: z.int().nullable(),
  exit: z.object({ code: z.int().nullable(), signal: z.string().nullable() }).nullable(),
});
const listSchema = z.object({ processes: z.array(processSchema) });
const killedSchema = z.object({ name: z.string(), pid: z.int() });
const startedSchema = z.object({ name: z.string(), pid: z.int(), elapsedMs: z.number() });
const problemSchema = z.object({ code: z.string(), detail: z.string() });

export type LocalProcess = z.infer<typeof processSchema>;

/** Every method throws AppError: `local-not-running`, or the code that the supervisor answered. */
export interface SupervisorClient {
  readonly processes: () => Promise<readonly LocalProcess[]>;
  /** `kill -9`; resolves when the process is gone. */
  readonly kill: (name: string) => Promise<{ readonly name: string; readonly pid: number }>;
  /** Resolves when the process does its work. */
  readonly start: (
    name: string,
  ) => Promise<{ readonly name: string; readonly pid: number; readonly elapsedMs: number }>;
  /** Resolves when the supervisor has begun to stop everything. */
  readonly stop: () => Promise<void>;
}

/** @throws AppError `local-not-started`, `local-file-invalid`, `file-unreadable`. */
export async function createSupervisorClient(options: {
  readonly dir: string;
}): Promise<SupervisorClient> {
  const { supervisor } = await readLocalFile(options.dir);
  const call = <Answer>(method: 'GET' | 'POST', path: string, answer: z.ZodType<Answer>) =>
    request({ ...supervisor, method, path }, answer);
  return {
    processes: async () => (await call('GET', '/processes', listSchema)).processes,
    kill: (name) => call('POST', `/processes/${encodeURIComponent(name)}/kill`, killedSchema),
    start: (name) => call('POST', `/processes/${encodeURIComponent(name)}/start`, startedSchema),
    stop: async () => {
      await call('POST', '/stop', z.object({}));
    },
  };
}

interface SupervisorRequest {
  readonly url: string;
  readonly token: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

async function request<Answer>(
  { url, token, method, path }: SupervisorRequest,
  answer: z.ZodType<Answer>,
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new AppError(`no supervisor answers at ${url}`, {
      code: 'local-not-running',
      hint: 'Start local mode with `npm start`.',
      retryable: true,
      cause,
    });
  });
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    throw problemError(response.status, body);
  }
  const parsed = answer.safeParse(body);
  return parsed.success ? parsed.data : Promise.reject(problemError(response.status, body));
}

function problemError(status: number, body: unknown): AppError {
  const problem = problemSchema.safeParse(body);
  const known = problem.success;
  return new AppError(known ? problem.data.detail : `the supervisor answered ${status}`, {
    code: known ? problem.data.code : 'supervisor-answer-unexpected',
    hint: known
      ? '`tripoint local ps` lists the processes and their states.'
      : 'Another program may have taken its port: start local mode again.',
    retryable: status >= 500,
  });
}
