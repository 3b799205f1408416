/**
 * The rules that no life may break, looked at whenever something happens.
 *
 * They see the world from above, with true time and all places at once, as no part of the system can;
 * so they need no trust in what the system says of itself. What is broken is collected and not thrown:
 * the life goes on, and shows what came of it.
 */
import type { RegionId } from '../../base/identifiers.ts';
import type { ControlPlane } from '../../control/control-plane.ts';
import { recordSetsAt, type Zone } from '../../local/dns/zone.ts';
import { compareEpochs, type Fence, fenceName, parseFence } from '../../recovery/fence.ts';
import { isAddressType } from '../../recovery/record-set.ts';
import type { AppliedChange } from './hosted-zone.ts';
import type { WholeWorld } from './whole-world.ts';

export const RULES = {
  'one-active-site': 'at any log index at most one site is authorised to be active',
  'one-history': 'two regions that applied the same entry say the same of every site',
  'dual-active': 'with lease fencing no two sites believe to be active at one instant',
  'dns-fenced':
    'records never stand under an older epoch than before, or under one that the log has not given',
  'dns-as-fenced': 'the records point at the site that their fence names',
  'dns-served-in-order': 'no name server goes back to an older version',
  'effect-once': 'no step has its effect twice',
  'never-all-off': 'the name always has an address',
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  /** Virtual time. */
  readonly at: number;
  readonly detail: string;
}

/** More of one kind say nothing new. */
const VIOLATIONS_MAX = 50;

export class Checkers {
  readonly violations: Violation[] = [];
  /** Looked at so often; a rule that was never looked at proves nothing. */
  readonly looks: Record<Rule, number> = Object.fromEntries(
    Object.keys(RULES).map((rule) => [rule, 0]),
  ) as Record<Rule, number>;
  readonly #whole: WholeWorld;
  readonly #rolesAt = new Map<number, string>();
  readonly #comments = new Set<string>();
  readonly #serials: number[] = [];
  #effectsSeen = 0;
  readonly #effects = new Set<string>();
  #fence: Fence | null = null;
  #dualSince: number | null = null;
  #dualActiveMs = 0;

  constructor(whole: WholeWorld) {
    this.#whole = whole;
    whole.onApplied = (region, plane) => this.#onApplied(region, plane);
    whole.onSiteChange = () => this.#onSiteChange();
    whole.zone.onApplied = (change) => this.#onChange(change);
    whole.zone.onServed = (server, zone) => this.#onServed(server, zone);
  }

  /** Time with two sites or more that believe to be active, up to now. */
  get dualActiveMs(): number {
    const { now } = this.#whole.world;
    return this.#dualActiveMs + (this.#dualSince === null ? 0 : now - this.#dualSince);
  }

  get #isShared(): boolean {
    return this.#whole.policy.strategy === 'active-active';
  }

  #note(rule: Rule, isKept: boolean, detail: () => string): void {
    this.looks[rule] += 1;
    if (!isKept && this.violations.length < VIOLATIONS_MAX) {
      this.violations.push({ rule, at: this.#whole.world.now, detail: detail() });
    }
  }

  #onApplied(region: RegionId, plane: ControlPlane): void {
    const { options, policy } = this.#whole;
    const { appliedIndex } = plane.status().position;
    const active = policy.sites
      .map(({ site }) => site)
      .filter((site) => plane.routing(options.service, site) === 'active');
    const isAllowed = active.length <= 1 || this.#isShared;
    this.#note('one-active-site', isAllowed, () => `${region}, entry ${appliedIndex}: ${active}`);
    const told = active.join(' ');
    const before = this.#rolesAt.get(appliedIndex) ?? told;
    this.#note('one-history', before === told, () => `entry ${appliedIndex}: ${before} / ${told}`);
    this.#rolesAt.set(appliedIndex, told);
    this.#lookAtEffects();
  }

  #lookAtEffects(): void {
    const { effects } = this.#whole.actions;
    for (const { kind, subject, token } of effects.slice(this.#effectsSeen)) {
      this.#once(`${kind} ${subject} ${token}`);
    }
    this.#effectsSeen = effects.length;
  }

  #once(effect: string): void {
    this.#note('effect-once', !this.#effects.has(effect), () => effect);
    this.#effects.add(effect);
  }

  #onSiteChange(): void {
    const believers = this.#whole.ownSites.filter(({ believesActive }) => believesActive);
    const { now } = this.#whole.world;
    const isDual = believers.length > 1 && !this.#isShared;
    if (isDual && this.#dualSince === null) {
      this.#dualSince = now;
    } else if (!isDual && this.#dualSince !== null) {
      this.#dualActiveMs += now - this.#dualSince;
      this.#dualSince = null;
    }
    const isKept = !isDual || this.#whole.policy.fencing !== 'lease';
    this.#note('dual-active', isKept, () => believers.map(({ site }) => site).join(' and '));
  }

  #onChange({ comment, after }: AppliedChange): void {
    const { policy, standing } = this.#whole;
    const addresses = servedAddresses(after, policy.dnsName);
    this.#note('never-all-off', addresses.length > 0, () => `after ${comment}`);
    this.#note('effect-once', !this.#comments.has(comment), () => comment);
    this.#comments.add(comment);
    const fence = fenceIn(after, policy.dnsName);
    const given = standing?.epoch ?? null;
    const isNewer =
      fence !== null &&
      (this.#fence === null || compareEpochs(fence.epoch, this.#fence.epoch) > 0) &&
      given !== null &&
      compareEpochs(fence.epoch, given) <= 0;
    this.#note(
      'dns-fenced',
      isNewer,
      () => `${comment}: ${JSON.stringify({ fence, before: this.#fence, given })}`,
    );
    const lead = policy.sites.find(({ site }) => site === fence?.site)?.address;
    const isLed = lead !== undefined && addresses.includes(lead);
    this.#note('dns-as-fenced', isLed, () => `${comment}: ${addresses} under ${fence?.site}`);
    this.#fence = fence ?? this.#fence;
  }

  #onServed(server: number, { serial }: Zone): void {
    const before = this.#serials[server] ?? 0;
    this.#note(
      'dns-served-in-order',
      serial >= before,
      () => `server ${server}: ${before} to ${serial}`,
    );
    this.#serials[server] = serial;
    this.#whole.lookAtClients();
  }
}

/** Addresses that clients may be given. */
function servedAddresses(zone: Zone, name: string): readonly string[] {
  return recordSetsAt(zone, name)
    .filter(({ type, weighted }) => isAddressType(type) && (weighted?.weight ?? 1) > 0)
    .flatMap(({ values }) => values);
}

function fenceIn(zone: Zone, name: string): Fence | null {
  const [text] = recordSetsAt(zone, fenceName(name)).flatMap(({ values }) => values);
  const reading = text === undefined ? null : parseFence(text);
  return reading?.kind === 'fence' ? reading.fence : null;
}
