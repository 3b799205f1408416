/**
 * `.tripoint/cluster.json`: who this cluster is, its secrets, and how far its making got.
 *
 * `bootstrapped` is the difference between "not there yet" and "lost". A register that is missing
 * before it is created; one that is missing afterwards had votes and entries, so a cluster that
 * went on with a fresh one could commit two histories. It is refused instead (docs/raft.md).
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { readJsonFile, writeFileDurably } from './durable-file.ts';

const SECRET_BYTES = 32;
const CLUSTER_ID_BYTES = 6;

const schema = z.strictObject({
  version: z.literal(1),
  clusterId: z.string().regex(/^[a-z0-9-]{1,64}$/),
  /** Bearer token of people and of the CLI. */
  operatorToken: z.string().min(20),
  /** Bearer token between the regions and the DNS process. */
  dnsToken: z.string().min(20),
  /** Heartbeat tokens by the variable that the configuration file names. */
  tokens: z.record(z.string(), z.string().min(20)),
  /** All registers exist; from now on a missing one is a loss. */
  bootstrapped: z.boolean(),
  /** SHA-256 of the policies last applied from the configuration file; null = none yet. */
  configuredFrom: z.string().nullable(),
});

export type ClusterRecord = z.infer<typeof schema>;

/** Reads the record, or makes a new cluster. @throws AppError `cluster-file-invalid`. */
export async function openClusterRecord(path: string): Promise<ClusterRecord> {
  const file = await readJsonFile(path);
  if (file.kind === 'absent') {
    const record = newClusterRecord();
    await saveClusterRecord(path, record);
    return record;
  }
  const parsed = schema.safeParse(file.value);
  if (!parsed.success) {
    throw new AppError(`${path} is not a cluster record: ${z.prettifyError(parsed.error)}`, {
      code: 'cluster-file-invalid',
      hint: 'Restore the file, or remove the whole folder to begin anew.',
      retryable: false,
    });
  }
  return parsed.data;
}

export async function saveClusterRecord(path: string, record: ClusterRecord): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify(record, null, 2)}\n`);
}

/** The record with a token for each of these variables; tokens that stand are kept. */
export function withTokens(record: ClusterRecord, variables: readonly string[]): ClusterRecord {
  const added = variables
    .filter((name) => record.tokens[name] === undefined)
    .map((name) => [name, newSecret()] as const);
  return { ...record, tokens: { ...Object.fromEntries(added), ...record.tokens } };
}

/** 256 random bits in URL-safe text. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function newClusterRecord(): ClusterRecord {
  return {
    version: 1,
    clusterId: `local-${randomBytes(CLUSTER_ID_BYTES).toString('hex')}`,
    operatorToken: newSecret(),
    dnsToken: newSecret(),
    tokens: {},
    bootstrapped: false,
    configuredFrom: null,
  };
}
