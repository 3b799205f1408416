/**
 * The whole system on one simulated clock: three control regions running the production code, sites
 * with agents, a zone with its name servers, health checkers, resolvers, and clients that keep asking.
 *
 * ```text
 * clients ─▶ resolvers ─▶ name servers ◀── control plane ◀── regions ◀── beats ── sites ◀─ clients
 *                             ▲                                 │
 *                             └── health checkers ◀── routing ──┘   (path A)
 * ```
 *
 * Everything is decided by the seed: same seed, same configuration, same sequence of events.
 */
import type { Random } from '../../base/clock.ts';
import { commandId, type RegionId, regionId } from '../../base/identifiers.ts';
import { invariant } from '../../base/invariant.ts';
import { bootstrapCluster } from '../../consensus/bootstrap.ts';
import { AWS_TIMINGS } from '../../consensus/settings.ts';
import type { ControlCommand } from '../../control/commands.ts';
import type { CommandOutcome, ControlPlane } from '../../control/control-plane.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import type { RecoveryState, ServiceState } from '../../recovery/state.ts';
import { MemoryActions } from '../memory-actions.ts';
import type { ClockFault } from '../process-clock.ts';
import { seededRandom } from '../random.ts';
import { World } from '../world.ts';
import { ASSUMED, between } from './assumptions.ts';
import { Clients, type Served } from './clients.ts';
import { type BatchRule, HostedZone } from './hosted-zone.ts';
import { hashOf, originOf, targetsOf } from './names.ts';
import { outsidePorts } from './outside-ports.ts';
import { ReplicationLag } from './replication-lag.ts';
import { addResources } from './resources.ts';
import { RoutingChecks } from './routing-checks.ts';
import { CLUSTER_ID, SimulatedRegion } from './simulated-region.ts';
import { type BeatTarget, SimulatedSite } from './simulated-site.ts';
import { Wires } from './wires.ts';

export const CONTROL_REGIONS: readonly RegionId[] = ['us-east-1', 'us-east-2', 'us-west-2'].map(
  regionId,
);

/** How traffic follows the log: records changed by workers (B), or health checks (A). */
export type TrafficPath = 'a' | 'b';

export interface WholeOptions {
  readonly seed: number;
  readonly policies: readonly ServicePolicy[];
  readonly configHash: string;
  /** The service whose clients are counted. */
  readonly service: string;
  /** Each path has clients of its own; the first one's are those that are told of. */
  readonly paths: readonly [TrafficPath, ...TrafficPath[]];
  /** Clocks of processes and sites; default: small skews, rates within 100 ppm. */
  readonly clockFault?: (random: Random) => ClockFault;
  /** For twins that must fail. */
  readonly batchRule?: BatchRule;
}

export interface LoggedEvent {
  readonly at: number;
  readonly region: RegionId;
  readonly event: string;
  readonly level: string;
}

const USUAL_CLOCK = (random: Random): ClockFault => ({
  skewMs: between(random, -50, 50),
  rate: 1 + between(random, -0.0001, 0.0001),
});

export class WholeWorld {
  readonly world: World = new World();
  readonly random: Random;
  readonly wires: Wires;
  readonly zone: HostedZone;
  readonly actions: MemoryActions;
  readonly regions: readonly SimulatedRegion[];
  /** Of all services. */
  readonly sites: readonly SimulatedSite[];
  readonly lag: ReplicationLag;
  /** By the path that they follow. */
  readonly crowds: ReadonlyMap<TrafficPath, Clients>;
  readonly routing: RoutingChecks;
  readonly options: WholeOptions;
  readonly logged: LoggedEvent[] = [];
  /** Called after each applied entry of any region. */
  onApplied: (region: RegionId, plane: ControlPlane) => void = () => undefined;
  /** Called when something happened that may change who believes or serves. */
  onSiteChange: () => void = () => undefined;
  #commands = 0;
  #latest: {
    readonly index: number;
    readonly state: RecoveryState;
    readonly plane: ControlPlane;
  } | null = null;

  constructor(options: WholeOptions) {
    this.options = { ...options, policies: options.policies.map((one) => steered(one, options)) };
    const { seed } = options;
    this.random = seededRandom(seed);
    this.wires = new Wires(this.world, seededRandom(seed ^ 0x51ed270b));
    this.zone = new HostedZone({
      origin: originOf(this.policy.dnsName),
      world: this.world,
      wires: this.wires,
      random: seededRandom(seed ^ 0x2545f491),
      ...(options.batchRule === undefined ? {} : { rule: options.batchRule }),
    });
    const monotonicNow = () => this.world.now as never;
    this.actions = new MemoryActions({ clock: { monotonicNow }, growMs: 45_000, moveMs: 60_000 });
    this.lag = new ReplicationLag(this.world, seededRandom(seed ^ 0x7feb352d));
    this.regions = this.#makeRegions();
    this.sites = this.#makeSites();
    this.routing = new RoutingChecks(this.world, seededRandom(seed ^ 0x3c6ef372), {
      regions: CONTROL_REGIONS,
      primary: this.policy.primary,
      secondary:
        this.policy.sites.find(({ site }) => site !== this.policy.primary)?.site ??
        this.policy.primary,
      isActive: (region, site) => this.#routes(region, site),
    });
    this.crowds = new Map(options.paths.map((path) => [path, this.#makeClients(path)]));
  }

  get policy(): ServicePolicy {
    return policyOf(this.options);
  }

  /** Those of the first path. */
  get clients(): Clients {
    return this.clientsOf(this.options.paths[0]);
  }

  clientsOf(path: TrafficPath): Clients {
    const found = this.crowds.get(path);
    invariant(found !== undefined, 'path-without-clients', { path });
    return found;
  }

  /** Something changed that may decide which requests are answered. */
  readonly lookAtClients = (): void => {
    for (const clients of this.crowds.values()) {
      clients.look();
    }
  };

  /** Sites of the service whose clients are counted. */
  get ownSites(): readonly SimulatedSite[] {
    return this.sites.filter(({ service }) => service === this.options.service);
  }

  site(name: string): SimulatedSite {
    const found = this.ownSites.find(({ site }) => site === name);
    invariant(found !== undefined, 'no-such-site', { name });
    return found;
  }

  region(name: string): SimulatedRegion {
    const found = this.regions.find(({ region }) => region === name);
    invariant(found !== undefined, 'no-such-region', { name });
    return found;
  }

  /** The newest state that any region has applied: the committed log, as far as anybody knows. */
  get state(): RecoveryState | null {
    return this.#latest?.state ?? null;
  }

  /** Null before the configuration is in force. */
  get standing(): ServiceState | null {
    return this.state?.services[this.options.service] ?? null;
  }

  /** Whether the log, as far as anybody knows, lets this site take traffic. */
  isAuthorised(site: string): boolean {
    return this.#latest?.plane.routing(this.options.service, site) === 'active';
  }

  /** As the running regions see it; null = no leader is known. */
  get leader(): RegionId | null {
    for (const { control } of this.regions) {
      const leader = control?.plane.status().position.leader ?? null;
      if (leader !== null && this.region(leader).control !== null) {
        return leader;
      }
    }
    return null;
  }

  /** Founds the log, starts every process and every site. Time does not pass. */
  async found(): Promise<void> {
    const registers = this.regions.map(({ ownPort }) => ownPort);
    const founders = CONTROL_REGIONS;
    await bootstrapCluster({ registers, clusterId: CLUSTER_ID, founders });
    for (const { region } of this.regions) {
      this.bootRegion(region);
    }
    addResources(this.actions, this.options.policies);
  }

  /**
   * Sites begin to beat, each as one that has done so for long: the regions are told of the beats until
   * now, through the way that beats take. Call it when every region knows the configuration.
   */
  async wakeSites(beats: number): Promise<void> {
    const told = this.regions.flatMap(({ control, clock, region: location }) =>
      this.sites.map((site) => {
        const now = clock?.wallNow() ?? 0;
        return control?.plane.ingestBatch(site.history(beats, { location, now }));
      }),
    );
    await Promise.all(told);
    for (const site of this.sites) {
      site.boot(this.#clockFault());
    }
  }

  bootRegion(name: string, fault: ClockFault = this.#clockFault()): void {
    const region = this.region(name);
    region.boot(fault);
    const plane = region.control?.plane;
    plane?.onChange(() => this.#hear(region.region, plane));
  }

  /** Proposes through the leader, or any region that runs; null = nobody there. */
  async propose(command: ControlCommand): Promise<CommandOutcome | null> {
    this.#commands += 1;
    const id = commandId(`simulation-${this.#commands}`);
    const leader = this.leader;
    const region =
      leader === null ? this.regions.find(({ control }) => control !== null) : this.region(leader);
    return (await region?.control?.plane.propose(id, command)) ?? null;
  }

  /** The clock of a region that runs: what a person's commands are stamped with. */
  stamp(): ControlCommand['at'] {
    const clock = this.regions.find(({ control }) => control !== null)?.clock;
    invariant(clock !== null && clock !== undefined, 'no-region-runs', {});
    return clock.wallNow();
  }

  #clockFault(): ClockFault {
    return (this.options.clockFault ?? USUAL_CLOCK)(this.random);
  }

  #hear(region: RegionId, plane: ControlPlane): void {
    const { position, state } = plane.status();
    if (position.appliedIndex > (this.#latest?.index ?? -1)) {
      this.#latest = { index: position.appliedIndex, state, plane };
      this.lookAtClients();
    }
    this.onApplied(region, plane);
  }

  #makeRegions(): readonly SimulatedRegion[] {
    const { world, wires, zone, actions, random } = this;
    return CONTROL_REGIONS.map(
      (region) =>
        new SimulatedRegion({
          world,
          wires,
          region,
          founders: CONTROL_REGIONS,
          timings: AWS_TIMINGS,
          randomOf: (name) => seededRandom(this.options.seed ^ hashOf(name)),
          all: () => this.regions,
          portsFor: (caller) =>
            outsidePorts(
              {
                ...{ world, wires, zone, actions, random },
                siteOf: (target) => this.#siteOf(target),
                routedAt: (service) => this.#routedAt(service),
              },
              caller,
            ),
          onLog: (source, event, level) =>
            this.logged.push({ at: world.now, region: source, event, level }),
        }),
    );
  }

  #makeSites(): readonly SimulatedSite[] {
    const { world, wires, options } = this;
    const targets = this.regions.map(
      (region): BeatTarget => ({
        place: region.place,
        ingest: (beat) => {
          const { control, clock } = region;
          return control === null || clock === null
            ? null
            : control.plane.ingest({ ...beat, receivedAt: clock.wallNow() });
        },
      }),
    );
    return options.policies.flatMap(({ service, sites, detection, fencing }) =>
      sites.map(
        ({ site, region }, place) =>
          new SimulatedSite({
            world,
            wires,
            random: seededRandom(options.seed ^ hashOf(`${service}@${site} ${place}`)),
            service,
            site,
            location: region,
            intervalMs: detection.intervalMs,
            isGated: fencing === 'lease',
            targets,
            // Who writes lacks nothing; who stands by reports what it does not have yet.
            lagMs: () => (this.isAuthorised(site) ? 0 : this.lag.now),
            onChange: () => {
              this.lookAtClients();
              this.onSiteChange();
            },
          }),
      ),
    );
  }

  #makeClients(path: TrafficPath): Clients {
    return new Clients({
      world: this.world,
      random: seededRandom(this.options.seed ^ hashOf(`clients ${path}`)),
      nameServers: ASSUMED.nameServers,
      resolve: (server) => this.#resolve(server, path),
      isServing: (site) => this.site(site).isServing,
      isDivergent: (site) => !this.isAuthorised(site),
    });
  }

  /** By a URL, host or address that belongs to it. */
  #siteOf(target: string): SimulatedSite | null {
    for (const { service, sites } of this.options.policies) {
      const found = sites.find((policy) => targetsOf(policy).some((own) => target.includes(own)));
      if (found !== undefined) {
        return (
          this.sites.find((each) => each.service === service && each.site === found.site) ?? null
        );
      }
    }
    return null;
  }

  /** What all name servers together answer for the name of path A; null = the service has none. */
  #routedAt(service: string): readonly string[] | null {
    if (service !== this.options.service || this.policy.dataPlaneName === undefined) {
      return null;
    }
    const servers = Array.from({ length: ASSUMED.nameServers }, (_, server) => server);
    const routed = new Set(servers.map((server) => this.routing.answerOf(server)));
    return this.policy.sites.flatMap(({ site, address }) => (routed.has(site) ? address : []));
  }

  #resolve(server: number, path: TrafficPath): Served | null {
    if (path === 'a') {
      return { site: this.routing.answerOf(server), ttlSeconds: ASSUMED.pathATtlSeconds };
    }
    const sets = this.zone.answersOf(server, this.policy.dnsName);
    const weights = sets.map(({ weighted }) => weighted?.weight ?? 1);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    let draw = this.random() * sum;
    const place = weights.findIndex((weight) => {
      draw -= weight;
      return draw < 0;
    });
    const set = sets[Math.max(0, place)];
    const value = set?.values[Math.floor(this.random() * (set.values.length || 1))];
    const site = this.policy.sites.find(({ address }) => address === value)?.site;
    return set === undefined || site === undefined ? null : { site, ttlSeconds: set.ttlSeconds };
  }

  #routes(region: string, site: string): boolean {
    const { control, place } = this.region(region);
    const isThere = control !== null && !this.wires.downPlaces.has(place.name);
    return isThere && control.plane.routing(this.options.service, site) === 'active';
  }
}

function policyOf({ policies, service }: WholeOptions): ServicePolicy {
  const found = policies.find((policy) => policy.service === service);
  invariant(found !== undefined, 'no-such-service', { service });
  return found;
}

/** Whose clients follow health checks has a name for them, as a deployment would make it. */
function steered(policy: ServicePolicy, { service, paths }: WholeOptions): ServicePolicy {
  const isPair = policy.sites.length === 2 && policy.strategy !== 'active-active';
  return policy.service === service && paths.includes('a') && isPair
    ? { ...policy, dataPlaneName: `path-a.${policy.dnsName}` }
    : policy;
}
