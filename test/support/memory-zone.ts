/**
 * A DNS zone in memory behind both ports of a switch: the rules of the embedded zone, a list of what
 * was applied, and the faults that a test asks for.
 */
import { applyBatch, createZone, recordSetsAt, type Zone } from '../../lib/local/dns/zone.ts';
import { type FenceReading, fenceName, parseFence } from '../../lib/recovery/fence.ts';
import type {
  Change,
  ChangeOutcome,
  SwitchPort,
  VerifyPort,
} from '../../lib/recovery/switch-port.ts';

export type ZoneFault =
  /** The call does not get there. */
  | 'away'
  /** The change is made, and its answer is lost. */
  | 'answer-lost'
  /** The zone refuses this caller. */
  | 'refused';

interface Applied {
  readonly batch: readonly Change[];
  readonly comment: string;
}

export class MemoryZone {
  #zone: Zone = createZone('example.test', '127.0.0.1');
  /** How changes go wrong from now on; null = they do not. */
  fault: ZoneFault | null = null;
  /** Whether `changeStatus` says that the change has reached every server. */
  isInSync = true;
  /** Sites that do not serve, by URL. */
  readonly down = new Set<string>();
  readonly applied: Applied[] = [];
  probes = 0;

  readonly switchPort: SwitchPort = {
    read: async (names) =>
      this.fault === 'away'
        ? { kind: 'unknown', cause: 'the zone is away' }
        : {
            kind: 'read',
            recordSets: names.flatMap((name) => recordSetsAt(this.#zone, name)),
            foreign: [],
          },
    change: async (batch, comment) => {
      switch (this.fault) {
        case 'away':
          return { kind: 'unknown', cause: 'the zone is away' };
        case 'refused':
          return { kind: 'refused', code: 'access-denied', detail: 'not you' };
        case 'answer-lost':
          this.#apply(batch, comment);
          return { kind: 'unknown', cause: 'the answer was lost' };
        default:
          return this.#apply(batch, comment);
      }
    },
    changeStatus: async () => ({ kind: this.isInSync ? 'in-sync' : 'pending' }),
  };

  readonly verifyPort: VerifyPort = {
    resolve: async (name, type) => ({
      kind: 'resolved',
      values: recordSetsAt(this.#zone, name).find((set) => set.type === type)?.values ?? [],
    }),
    probe: async (url) => {
      this.probes += 1;
      return this.down.has(url)
        ? { kind: 'failing', detail: 'connection refused', elapsedMs: 1 }
        : { kind: 'serving', status: 200, elapsedMs: 1.4 };
    },
  };

  /** The addresses that the name resolves to. */
  addresses(name: string): readonly string[] {
    return recordSetsAt(this.#zone, name).find(({ type }) => type === 'A')?.values ?? [];
  }

  /** Addresses that the name resolves to, with the weight of each. */
  shares(name: string): { readonly [address: string]: number } {
    const sets = recordSetsAt(this.#zone, name).filter(({ type }) => type === 'A');
    return Object.fromEntries(
      sets.flatMap(({ values, weighted }) =>
        values.map((value) => [value, weighted?.weight ?? 100] as const),
      ),
    );
  }

  fence(name: string): FenceReading | null {
    const [set] = recordSetsAt(this.#zone, fenceName(name));
    const [value] = set?.values ?? [];
    return value === undefined ? null : parseFence(value);
  }

  /** A person points the name elsewhere, past every fence. */
  editByHand(name: string, address: string): void {
    const standing = recordSetsAt(this.#zone, name).filter(({ type }) => type === 'A');
    const outcome = this.#apply(
      [
        ...standing.map((recordSet): Change => ({ action: 'DELETE', recordSet })),
        {
          action: 'CREATE',
          recordSet: { name, type: 'A', ttlSeconds: 300, values: [address] },
        },
      ],
      'by hand',
    );
    if (outcome.kind !== 'applied') {
      throw new Error(`the edit was not applied: ${JSON.stringify(outcome)}`);
    }
  }

  /** Changes that runs made, without those of people. */
  switches(): readonly string[] {
    return this.applied.map(({ comment }) => comment).filter((comment) => comment !== 'by hand');
  }

  #apply(batch: readonly Change[], comment: string): ChangeOutcome {
    const outcome = applyBatch(this.#zone, batch);
    if (outcome.kind === 'conflict') {
      return { kind: 'conflict', detail: outcome.problems.join('; ') };
    }
    if (outcome.kind === 'refused') {
      return outcome;
    }
    this.#zone = outcome.zone;
    this.applied.push({ batch, comment });
    return { kind: 'applied', changeId: `change-${this.applied.length}` };
  }
}
