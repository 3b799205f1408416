/** What copying a table and making one from a copy have in common. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { SnapshotStore } from '../../../backup/snapshot-store.ts';
import type { Clock } from '../../../base/clock.ts';
import type { MonotonicMillis } from '../../../base/identifiers.ts';
import type { ActionOutcome } from '../../../recovery/action-ports.ts';
import type { DynamoClient } from '../../dynamodb/client.ts';
import { PART_BYTES_MAX } from '../limits.ts';

export interface TableOptions {
  readonly clientOf: (region: string) => DynamoClient;
  /** By region. Copies are kept outside of the table's own region where that is possible. */
  readonly stores: ReadonlyMap<string, SnapshotStore>;
  readonly clock: Clock;
  readonly budgetMs: number;
}

/** One call's share of the work. */
export interface Errand {
  readonly client: DynamoClient;
  readonly store: SnapshotStore;
  readonly clock: Clock;
  /** No new page or part is begun after this. */
  readonly until: MonotonicMillis;
}

export type Failure = Exclude<ActionOutcome, { readonly kind: 'done' }>;

const zip = promisify(gzip);
const unzip = promisify(gunzip);

export function pack(text: string): Promise<Buffer> {
  return zip(text, { level: 6 });
}

/** null = it is no gzip, or unpacks to more than a part can hold. */
export async function unpack(bytes: Uint8Array): Promise<string | null> {
  try {
    return (await unzip(bytes, { maxOutputLength: PART_BYTES_MAX })).toString('utf8');
  } catch {
    return null;
  }
}

export function sha256Text(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

export function sha256Bytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function isOver({ clock, until }: Pick<Errand, 'clock' | 'until'>): boolean {
  return clock.monotonicNow() >= until;
}
