/**
 * The one owner of the zone in its process: answers read it, and changes go through it one by one.
 *
 * Persist before serve: a changed zone answers queries only after it is on disk, so nothing that a
 * client has seen is lost by a crash. While one change is being written another one is `busy`, as
 * Route 53 answers PriorRequestNotComplete; callers back off and read again.
 */
import { describeError } from '../../base/errors.ts';
import type { Change } from '../../recovery/switch-port.ts';
import { applyBatch, type Zone, type ZoneOutcome } from './zone.ts';
import type { ZoneStore } from './zone-file.ts';

export type HostOutcome =
  | Exclude<ZoneOutcome, { readonly kind: 'applied' }>
  | { readonly kind: 'applied'; readonly serial: number }
  | { readonly kind: 'busy' }
  /** The disk failed: the change may or may not survive a restart. */
  | { readonly kind: 'unknown'; readonly cause: string };

export interface ZoneHost {
  /** The zone as it is served now. */
  readonly current: () => Zone;
  /** Applies the whole batch or nothing; durable when it says `applied`. */
  readonly change: (batch: readonly Change[]) => Promise<HostOutcome>;
}

/** Loads the zone, or saves `initial` as the first one. Throws AppError for a damaged file. */
export async function openZoneHost(store: ZoneStore, initial: Zone): Promise<ZoneHost> {
  const loaded = await store.load();
  if (loaded === null) {
    await store.save(initial);
  }
  let zone = loaded ?? initial;
  let isWriting = false;
  /** Set while memory and disk may differ; the next change reads the disk first. */
  let isDiskInDoubt = false;

  const write = async (batch: readonly Change[]): Promise<HostOutcome> => {
    if (isDiskInDoubt) {
      zone = (await store.load()) ?? zone;
      isDiskInDoubt = false;
    }
    const outcome = applyBatch(zone, batch);
    if (outcome.kind !== 'applied') {
      return outcome;
    }
    isDiskInDoubt = true;
    await store.save(outcome.zone);
    isDiskInDoubt = false;
    zone = outcome.zone;
    return { kind: 'applied', serial: zone.serial };
  };

  return {
    current: () => zone,
    change: async (batch) => {
      if (isWriting) {
        return { kind: 'busy' };
      }
      isWriting = true;
      try {
        return await write(batch);
      } catch (thrown) {
        return { kind: 'unknown', cause: describeError(thrown) };
      } finally {
        isWriting = false;
      }
    },
  };
}
