/**
 * A hosted zone with the habits of Route 53: one control plane that may be slow, busy, throttled or
 * away, and many name servers that hear of a change each in its own time.
 *
 * A change is atomic at the control plane, and each name server takes the versions in their order, but
 * two name servers asked at one instant may answer differently. `INSYNC` means that all have it. The
 * rules of a batch are those of the embedded zone, which are Route 53's.
 */
import type { Clock, Random } from '../../base/clock.ts';
import {
  applyBatch,
  createZone,
  recordSetsAt,
  type Zone,
  type ZoneOutcome,
} from '../../local/dns/zone.ts';
import { isAddressType } from '../../recovery/record-set.ts';
import type {
  Change,
  ChangeOutcome,
  ChangeStatus,
  ReadOutcome,
  RecordSet,
  SwitchPort,
} from '../../recovery/switch-port.ts';
import type { Vitality } from '../vitality.ts';
import type { World } from '../world.ts';
import { ASSUMED, between, logNormal } from './assumptions.ts';
import type { Place, Wires } from './wires.ts';

export interface Caller {
  readonly place: Place;
  readonly vitality: Vitality;
  readonly clock: Clock;
}

/** A change that the control plane took. */
export interface AppliedChange {
  readonly at: number;
  readonly comment: string;
  readonly before: Zone;
  readonly after: Zone;
}

/** Whether a batch fits; twins that must fail bring another one. */
export type BatchRule = (zone: Zone, batch: readonly Change[]) => ZoneOutcome;

interface NameServer {
  zone: Zone;
  /** When it has taken all that it was told so far. */
  settledAt: number;
}

export interface HostedZoneOptions {
  readonly origin: string;
  readonly world: World;
  readonly wires: Wires;
  readonly random: Random;
  readonly rule?: BatchRule;
}

const QUICK_MS = 1000;
const AWAY = { kind: 'unknown', cause: 'the control plane does not answer' } as const;

export class HostedZone {
  /** Route 53's control plane stands in us-east-1, whatever it controls. */
  readonly controlPlane: Place = { name: 'route53', location: 'us-east-1' };
  readonly applied: AppliedChange[] = [];
  /** The control plane answers nobody; name servers go on. */
  isControlPlaneAway = false;
  throttleChance: number = ASSUMED.route53ThrottleChance;
  /** Changes reach every name server within a second: while a world is set up, and nobody looks. */
  isQuick = false;
  /** Called with each change that the control plane took. */
  onApplied: (change: AppliedChange) => void = () => undefined;
  /** Called when a name server begins to answer by another version. */
  onServed: (server: number, zone: Zone) => void = () => undefined;
  readonly #options: HostedZoneOptions;
  readonly #servers: readonly NameServer[];
  readonly #settledAt = new Map<string, number>();
  #zone: Zone;
  #busyUntil = 0;

  constructor(options: HostedZoneOptions) {
    this.#options = options;
    this.#zone = createZone(options.origin, '192.0.2.1');
    this.#servers = Array.from({ length: ASSUMED.nameServers }, () => ({
      zone: this.#zone,
      settledAt: 0,
    }));
  }

  /** As the control plane has it. */
  get zone(): Zone {
    return this.#zone;
  }

  get serverCount(): number {
    return this.#servers.length;
  }

  /** What this name server answers now. */
  answersOf(server: number, name: string): readonly RecordSet[] {
    const { zone } = this.#servers[server] ?? { zone: this.#zone };
    return recordSetsAt(zone, name).filter(({ type }) => isAddressType(type));
  }

  /** Whether every name server answers as the control plane says. */
  get isSettled(): boolean {
    return this.#servers.every(({ zone }) => zone.serial === this.#zone.serial);
  }

  portFor(caller: Caller): SwitchPort {
    return {
      read: async (names) => (await this.#call(caller, () => this.#read(names))) ?? AWAY,
      change: async (batch, comment) =>
        (await this.#call(caller, () => this.#change(batch, comment))) ?? AWAY,
      changeStatus: async (changeId) =>
        (await this.#call(caller, () => this.#statusOf(changeId))) ?? AWAY,
    };
  }

  #call<Answer>({ place, vitality }: Caller, act: () => Answer | null): Promise<Answer | null> {
    const { world, wires, random } = this.#options;
    const takesMs = between(random, ASSUMED.route53CallMsMin, ASSUMED.route53CallMsMax);
    const work = () =>
      new Promise<Answer | null>((resolve) => {
        world.after(takesMs, () => resolve(this.isControlPlaneAway ? null : act()), 'route53');
      });
    const timeoutMs = ASSUMED.callTimeoutMs;
    return wires.send({ from: place, to: this.controlPlane, timeoutMs, vitality, act: work });
  }

  #read(names: readonly string[]): ReadOutcome {
    const recordSets = names.flatMap((name) => recordSetsAt(this.#zone, name));
    return { kind: 'read', recordSets, foreign: [] };
  }

  #change(batch: readonly Change[], comment: string): ChangeOutcome | null {
    const { world, random, rule = applyBatch } = this.#options;
    if (random() < this.throttleChance) {
      return { kind: 'busy', detail: 'Throttling' };
    }
    if (world.now < this.#busyUntil) {
      return { kind: 'busy', detail: 'PriorRequestNotComplete' };
    }
    const outcome = rule(this.#zone, batch);
    switch (outcome.kind) {
      case 'refused':
        return outcome;
      case 'conflict':
        return { kind: 'conflict', detail: outcome.problems.join('; ') };
      default:
        this.#take(outcome.zone, comment);
        return random() < ASSUMED.route53LostAnswerChance
          ? null
          : { kind: 'applied', changeId: String(outcome.zone.serial) };
    }
  }

  #take(after: Zone, comment: string): void {
    const { world } = this.#options;
    const change = { at: world.now, comment, before: this.#zone, after };
    this.#zone = after;
    this.#busyUntil = world.now + ASSUMED.route53BusyMs;
    this.applied.push(change);
    world.note('dns-change', after.serial);
    this.onApplied(change);
    let inSyncAt = world.now;
    for (const [server, state] of this.#servers.entries()) {
      inSyncAt = Math.max(inSyncAt, this.#tell(server, state, after));
    }
    this.#settledAt.set(String(after.serial), inSyncAt);
  }

  /** When this server will have it: never before what it was told earlier. */
  #tell(server: number, state: NameServer, zone: Zone): number {
    const { world, random } = this.#options;
    const { propagationMedianMs, propagationSigma, propagationMsMax } = ASSUMED;
    const drawn = this.isQuick
      ? QUICK_MS
      : logNormal(random, propagationMedianMs, propagationSigma);
    const at = Math.max(state.settledAt, world.now + Math.min(propagationMsMax, drawn));
    state.settledAt = at;
    const serve = () => {
      state.zone = zone;
      this.onServed(server, zone);
    };
    world.after(at - world.now, serve, 'name-server');
    return at;
  }

  #statusOf(changeId: string): ChangeStatus {
    const settledAt = this.#settledAt.get(changeId);
    const isInSync = settledAt !== undefined && this.#options.world.now >= settledAt;
    return { kind: isInSync ? 'in-sync' : 'pending' };
  }
}
