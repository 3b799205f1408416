/**
 * `.tripoint/local.json`: where the running processes are, for the CLI and other tools beside it.
 *
 * Written by the supervisor when all is up, readable by the owner only, because it holds tokens. It
 * stays when the supervisor is killed: whoever reads it must be ready to find nobody at home.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import type { ClusterRecord } from './cluster-file.ts';
import { readJsonFile, writeFileDurably } from './durable-file.ts';
import type { Layout } from './local-layout.ts';

const urlSchema = z.strictObject({ url: z.url() });

const schema = z.strictObject({
  version: z.literal(1),
  /** Process id of the supervisor. */
  pid: z.int().positive(),
  regions: z.record(z.string(), urlSchema),
  dns: z.strictObject({ host: z.string(), port: z.int() }),
  supervisor: z.strictObject({ url: z.url(), token: z.string() }),
  operatorToken: z.string(),
  /** Sites that run on this machine. */
  sites: z.record(z.string(), urlSchema),
});

export type LocalFile = z.infer<typeof schema>;

export function describeLocal(options: {
  readonly layout: Layout;
  readonly record: ClusterRecord;
  readonly supervisorToken: string;
  /** URL of each local site by process name. */
  readonly siteUrls: ReadonlyMap<string, string>;
}): LocalFile {
  const { layout, record, supervisorToken, siteUrls } = options;
  return {
    version: 1,
    pid: process.pid,
    regions: Object.fromEntries(
      layout.regions.map(({ region, apiUrl }) => [region, { url: apiUrl }]),
    ),
    dns: { host: layout.dns.host, port: layout.dns.port },
    supervisor: { url: layout.supervisor.url, token: supervisorToken },
    operatorToken: record.operatorToken,
    sites: Object.fromEntries([...siteUrls].map(([name, url]) => [name, { url }])),
  };
}

export async function writeLocalFile(path: string, file: LocalFile): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** @throws AppError `local-not-started` when there is no such file, `local-file-invalid`. */
export async function readLocalFile(dir: string): Promise<LocalFile> {
  const path = join(dir, 'local.json');
  const file = await readJsonFile(path);
  if (file.kind === 'absent') {
    throw new AppError(`nothing was started in ${dir}`, {
      code: 'local-not-started',
      hint: 'Start local mode with `npm start`, or name its folder with --dir.',
      retryable: true,
    });
  }
  const parsed = schema.safeParse(file.value);
  if (!parsed.success) {
    throw new AppError(`${path} is not what local mode writes`, {
      code: 'local-file-invalid',
      hint: 'Start local mode again: it writes the file anew.',
      retryable: false,
      cause: parsed.error,
    });
  }
  return parsed.data;
}
