/** The archived log in a bucket, read over HTTP by the SDK as `tripoint log verify` reads it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBucket } from '../../../lib/aws/compose-archive.ts';
import type { SnapshotStore } from '../../../lib/backup/snapshot-store.ts';
import { regionId } from '../../../lib/base/identifiers.ts';
import { auditLog, type LogAudit } from '../../../lib/control/log-audit.ts';
import { segmentPieces } from '../../../lib/control/log-piece.ts';
import { type S3StandIn, startS3StandIn } from '../../support/s3-stand-in.ts';
import { notesLog, sha256, stored } from '../control/archived-log.ts';

const LOG = notesLog(60);
const LAST = 'log/0000000000000041-0000000000000060.jsonl';
let standIn: S3StandIn;
let store: SnapshotStore;

beforeEach(async () => {
  standIn = await startS3StandIn({ pageKeysMax: 2 });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const bucket = { region: regionId('us-east-1'), bucket: standIn.bucket };
  store = openBucket(bucket, { endpoint: standIn.url, credentials });
  const local = await stored(LOG, [20, 40, 60]);
  for (const key of local.keys()) {
    await store.put(key, new TextEncoder().encode(local.text(key)));
  }
});

afterEach(() => standIn.close());

function audit(): Promise<LogAudit> {
  const place = { name: 'us-east-1', store, pieces: () => segmentPieces('us-east-1', store) };
  return auditLog([place], { sha256, known: [] });
}

test('an archive in a bucket is intact, and nothing is written', async () => {
  const before = standIn.requests.length;
  expect(await audit()).toMatchObject({ outcome: 'intact', intactUpTo: 60 });
  const verbs = standIn.requests.slice(before).map(({ line }) => line.split(' ')[0]);
  expect(new Set(verbs)).toEqual(new Set(['GET']));
});

test('an object that rotted, or was written by somebody else, is found', async () => {
  standIn.plant(LAST, { bytes: new TextEncoder().encode('something else\n'), sha256: null });
  expect(await audit()).toMatchObject({
    outcome: 'broken',
    intactUpTo: 40,
    breaks: [{ index: 41, piece: LAST }],
  });
});
