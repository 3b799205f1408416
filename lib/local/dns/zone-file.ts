/**
 * The zone on disk: one JSON file that is always whole.
 *
 * A save writes a new file beside the old one, flushes it, renames it over the old one and flushes
 * the directory, so that a crash at any instant leaves either the old zone or the new one. The
 * SHA-256 inside tells a damaged file from a good one; a damaged file is an error that a person
 * sees, because an empty zone served in its place would be an outage.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../base/errors.ts';
import { canonicalJson, type JsonValue } from '../../base/json.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import type { RecordSet } from '../../recovery/switch-port.ts';
import { buildZone, isInZone, recordSetsOf, type Zone } from './zone.ts';
import { recordSetSchema } from './zone-schema.ts';

/** Durable home of one zone. One process at a time. */
export interface ZoneStore {
  /** The zone as last saved; null when none was ever saved. Throws AppError when it is damaged. */
  readonly load: () => Promise<Zone | null>;
  /** Durable when it resolves. When it rejects, either zone may stand: load again. */
  readonly save: (zone: Zone) => Promise<void>;
}

const contentSchema = z.strictObject({
  format: z.literal(1),
  origin: z.string(),
  serial: z.int().positive(),
  nameServer: z.string(),
  recordSets: z.array(recordSetSchema),
});
const fileSchema = z.strictObject({ sha256: z.string(), zone: contentSchema });

export function zoneFile(path: string): ZoneStore {
  const target = resolve(path);
  return { load: () => load(target), save: (zone) => save(target, zone) };
}

async function load(path: string): Promise<Zone | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) {
      return null;
    }
    throw unreadable(path, thrown);
  }
  return parse(path, text);
}

function parse(path: string, text: string): Zone {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (thrown) {
    throw corrupt(path, 'it is not JSON', thrown);
  }
  const parsed = fileSchema.safeParse(document);
  if (!parsed.success) {
    throw corrupt(path, 'it does not have the form of a zone', parsed.error);
  }
  const { sha256, zone } = parsed.data;
  if (sha256 !== digest(canonicalJson(zone))) {
    throw corrupt(path, 'its content does not match its SHA-256', null);
  }
  const strays = zone.recordSets.filter(
    ({ name }) => name !== canonicalName(name) || !isInZone(zone, name),
  );
  if (strays.length > 0) {
    throw corrupt(path, `${strays[0]?.name} does not belong to ${zone.origin}`, null);
  }
  return buildZone(zone);
}

async function save(path: string, zone: Zone): Promise<void> {
  const { origin, serial, nameServer } = zone;
  const recordSets = recordSetsOf(zone).map(fileForm);
  const content = { format: 1, origin, serial, nameServer, recordSets };
  const text = canonicalJson({ sha256: digest(canonicalJson(content)), zone: content });
  const temporary = `${path}.new`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function fileForm({ name, type, ttlSeconds, values, weighted }: RecordSet): JsonValue {
  const share = weighted === undefined ? {} : { weighted: { ...weighted } };
  return { name, type, ttlSeconds, values, ...share };
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

function unreadable(path: string, cause: unknown): AppError {
  return new AppError(`the zone file ${path} cannot be read`, {
    code: 'zone-file-unreadable',
    hint: 'Check that the file belongs to the user who runs Tripoint.',
    retryable: true,
    cause,
  });
}

function corrupt(path: string, detail: string, cause: unknown): AppError {
  return new AppError(`the zone file ${path} is damaged: ${detail}`, {
    code: 'zone-file-corrupt',
    hint: 'Restore the file from a copy taken after the last switch; without one, remove the whole folder and begin anew.',
    retryable: false,
    cause,
  });
}
