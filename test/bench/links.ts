/**
 * The distance between a process and a register: half of the round trip before the request acts, half
 * before its answer is there; and links that fail, loudly (refused) or silently (no answer).
 */
import type { RegionId } from '../../lib/base/identifiers.ts';
import type { RegisterPort } from '../../lib/consensus/register-port.ts';
import { EAST_1, EAST_2, pause, WEST_2 } from './regions.ts';

/** Round trips in milliseconds between three regions of the United States. */
const ROUND_TRIPS_MS: ReadonlyMap<string, number> = new Map([
  [pairOf(EAST_1, EAST_2), 12],
  [pairOf(EAST_1, WEST_2), 60],
  [pairOf(EAST_2, WEST_2), 65],
]);

/** As the AWS composition sets the SDK's request timeout. */
const SILENCE_MS = 2000;

export interface Links {
  /** Regions whose register refuses connections, or answers nobody. */
  readonly refusing: Set<RegionId>;
  readonly silent: Set<RegionId>;
  readonly roundTripMs: (from: RegionId, to: RegionId) => number;
}

export function linksAcrossTheUnitedStates(): Links {
  const roundTripMs = (from: RegionId, to: RegionId) => ROUND_TRIPS_MS.get(pairOf(from, to)) ?? 0;
  return { refusing: new Set(), silent: new Set(), roundTripMs };
}

/** No distance: only the stores' own time. */
export function localLinks(): Links {
  return { refusing: new Set(), silent: new Set(), roundTripMs: () => 0 };
}

function pairOf(one: RegionId, other: RegionId): string {
  return [one, other].sort().join('/');
}

/** One call over the link, and nothing else: also for a baseline. */
export async function overLink<Answer>(
  roundTripMs: number,
  act: () => Promise<Answer>,
): Promise<Answer> {
  if (roundTripMs === 0) {
    return act();
  }
  await pause(roundTripMs / 2);
  const answer = await act();
  await pause(roundTripMs / 2);
  return answer;
}

const UNREACHABLE = { kind: 'unreachable', cause: 'bench' } as const;
const UNKNOWN = { kind: 'unknown', cause: 'bench' } as const;
const REFUSED = { kind: 'refused', code: 'unreachable', cause: 'bench' } as const;

export function distantPort(links: Links, from: RegionId, port: RegisterPort): RegisterPort {
  const call = async <Answer>(
    act: () => Promise<Answer>,
    without: { readonly refused: Answer; readonly silent: Answer },
  ): Promise<Answer> => {
    if (links.refusing.has(port.region)) {
      return without.refused;
    }
    if (links.silent.has(port.region)) {
      await pause(SILENCE_MS);
      return without.silent;
    }
    return overLink(links.roundTripMs(from, port.region), act);
  };
  const both = <Answer>(answer: Answer) => ({ refused: answer, silent: answer });
  return {
    region: port.region,
    read: () => call(() => port.read(), both(UNREACHABLE)),
    compareAndSet: (revision, server) =>
      call(() => port.compareAndSet(revision, server), { refused: REFUSED, silent: UNKNOWN }),
    readBeat: () => call(() => port.readBeat(), both(UNREACHABLE)),
    writeBeat: (beat) => call(() => port.writeBeat(beat), both(false)),
    readSnapshot: (base) => call(() => port.readSnapshot(base), both(null)),
    writeSnapshot: (base, text) => call(() => port.writeSnapshot(base, text), both(false)),
    dropSnapshotsBelow: (index) => call(() => port.dropSnapshotsBelow(index), both(undefined)),
  };
}
