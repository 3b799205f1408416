/**
 * What a transcript can tell of processes that work on registers: which calls are on their way, which
 * answers come late, who is cut off from whom, and what each of them says then.
 *
 * The processes are the real ones (`LogHost`, `Replicator`, `RegisterClient`, `Pulse`, `elect`), over
 * registers in memory and a clock that the story moves. Nothing here knows a rule of Raft.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { commandId, type RegionId, regionId } from '../../../lib/base/identifiers.ts';
import type { JsonValue } from '../../../lib/base/json.ts';
import { bootstrapCluster } from '../../../lib/consensus/bootstrap.ts';
import { type Cluster, createCluster } from '../../../lib/consensus/cluster.ts';
import { elect } from '../../../lib/consensus/elector.ts';
import { LogHost } from '../../../lib/consensus/log-host.ts';
import type { ProposeOutcome } from '../../../lib/consensus/proposals.ts';
import { Pulse } from '../../../lib/consensus/pulse.ts';
import type { RegisterPort } from '../../../lib/consensus/register-port.ts';
import type { StateMachine } from '../../../lib/consensus/replica.ts';
import { LOCAL_TIMINGS } from '../../../lib/consensus/settings.ts';
import { MemoryRegister, memoryRegisterPort } from '../../../lib/simulation/memory-register.ts';
import { seededRandom } from '../../../lib/simulation/random.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { type Call, type Half, HeldPort } from './held-port.ts';
import { describe } from './register-story.ts';
import type { Command, Teller } from './transcript.ts';

type Verb = (command: Command) => Promise<string>;

interface Process {
  readonly cluster: Cluster;
  readonly host: LogHost<readonly JsonValue[]>;
  readonly pulse: Pulse<readonly JsonValue[]>;
  readonly ports: ReadonlyMap<RegionId, HeldPort>;
  /** What it logged since the story last asked. */
  readonly logged: string[];
  /** A pulse never ticks twice at a time: one that waits leaves out beats. */
  isTicking: boolean;
}

/** The state is the list of the commands that were applied. */
const LIST: StateMachine<readonly JsonValue[]> = {
  initial: [],
  apply: (state, { body }) => ({ state: [...state, body], result: null }),
};

const CLUSTER_ID = 'story';
const SETTLING_ROUNDS = 40;

export class ProcessStory implements Teller {
  readonly #clock: ManualClock = createManualClock();
  readonly #registers = new Map<RegionId, MemoryRegister>();
  readonly #processes = new Map<string, Process>();
  /** What is held, and how to let it go. */
  readonly #held = new Map<string, () => void>();
  /** What processes are at, by name; null = not done yet. */
  readonly #doings = new Map<string, string | null>();

  readonly answer = async (command: Command): Promise<string> => {
    const verb = this.#verbs[command.name];
    if (verb === undefined) {
      throw new Error(`no command is called ${command.name}`);
    }
    return verb(command);
  };

  readonly #verbs: { readonly [name: string]: Verb } = {
    regions: (command) => this.#makeRegions(command),
    process: async ({ words: [name = ''], options }) => {
      const region = regionId(options.get('in') ?? '');
      this.#processes.set(name, this.#start(region));
      return `${name} runs in ${region}`;
    },
    elect: (command) => this.#elect(command, { takesUp: true }),
    // Wins, and is gone before it has told anybody.
    stand: (command) => this.#elect(command, { takesUp: false }),
    propose: ({ words: [name = '', what = ''] }) => {
      const { host } = this.#process(name);
      const proposed = host.propose(commandId(what), what).then(describeOutcome);
      return this.#begin(what, proposed);
    },
    read: ({ words: [name = ''], options }) => {
      const { host } = this.#process(name);
      const read = host
        .confirmLeadership()
        .then((isConfirmed) =>
          isConfirmed ? `confirmed: ${listOf(host.replica.state)}` : 'not confirmed',
        );
      return this.#begin(options.get('as') ?? 'the read', read);
    },
    follow: async ({ words: [name = ''] }) => {
      const { host } = this.#process(name);
      await Promise.race([host.follow(null), settle()]);
      return this.#knowledge(name);
    },
    knows: async ({ words: [name = ''] }) => this.#knowledge(name),
    outcome: async ({ words }) => {
      await settle();
      return words.map((what) => this.#describeDoing(what)).join('\n');
    },
    hold: async (command) => this.#hold(command),
    release: async ({ words }) => {
      for (const name of words) {
        existing(this.#held.get(name), name)();
        await settle();
      }
      return `${words.join(' and ')} went on`;
    },
    cut: async (command) => this.#setCut(command, true),
    join: async (command) => this.#setCut(command, false),
    beats: (command) => this.#beat(command),
    wait: async ({ words: [durationMs = ''] }) => {
      await this.#clock.advance(Number(durationMs));
      await settle();
      return `${durationMs} ms later`;
    },
    logged: async ({ words: [name = ''] }) => {
      const lines = this.#process(name).logged.splice(0);
      return lines.length === 0 ? 'nothing' : lines.join('\n');
    },
    show: async () => {
      const servers = [...this.#registers.values()].map(({ copy }) => existing(copy, 'register'));
      return servers.map(({ server }) => describe(server)).join('\n');
    },
  };

  async #makeRegions({ words }: Command): Promise<string> {
    const members = words.map(regionId);
    for (const region of members) {
      this.#registers.set(region, new MemoryRegister());
    }
    const registers = members.map((region) => this.#portTo(region));
    await bootstrapCluster({ registers, clusterId: CLUSTER_ID, founders: members });
    return `${members.length} registers`;
  }

  #portTo(region: RegionId): RegisterPort {
    const members = [...this.#registers.keys()];
    const store = existing(this.#registers.get(region), region);
    return memoryRegisterPort(store, { clusterId: CLUSTER_ID, region, founders: members });
  }

  #start(region: RegionId): Process {
    const members = [...this.#registers.keys()];
    const ports = new Map(members.map((to) => [to, new HeldPort(this.#portTo(to))]));
    const logged: string[] = [];
    const cluster = createCluster({
      identity: { clusterId: CLUSTER_ID, region, founders: members },
      registers: [...ports.values()].map(({ port }) => port),
      // All followers at once: what a story holds back is all that makes one later than another.
      timings: { ...LOCAL_TIMINGS, headStartMs: 0 },
      clock: this.#clock,
      random: seededRandom(this.#processes.size + 1),
      log: (level, event) => logged.push(`${level}: ${event}`),
    });
    const host = new LogHost({ cluster, machine: LIST, sha256 });
    return { cluster, host, pulse: new Pulse(cluster, host), ports, logged, isTicking: false };
  }

  #process(name: string): Process {
    return existing(this.#processes.get(name), name);
  }

  async #elect({ words: [name = ''] }: Command, { takesUp }: { takesUp: boolean }) {
    const { cluster, host } = this.#process(name);
    const election = await elect(cluster);
    if (election.kind !== 'won') {
      return election.kind === 'lost' ? election.detail : 'too few registers answer';
    }
    const { identity, term } = election.leader;
    if (takesUp) {
      await Promise.race([host.lead(election.leader), settle()]);
    }
    return `${identity.region} leads term ${term}`;
  }

  async #begin(name: string, work: Promise<string>): Promise<string> {
    this.#doings.set(name, null);
    void work.then(
      (result) => this.#doings.set(name, result),
      (thrown: unknown) => this.#doings.set(name, String(thrown)),
    );
    await settle();
    return this.#describeDoing(name);
  }

  #describeDoing(name: string): string {
    return `${name}: ${this.#doings.get(name) ?? 'waits'}`;
  }

  #knowledge(name: string): string {
    const { host } = this.#process(name);
    return `${name} knows that ${host.commit.index} is committed; applied: ${listOf(host.replica.state)}`;
  }

  /** `hold p to=a,b call=write half=reply as=name`: the next such call to each of them. */
  #hold({ words: [name = ''], options }: Command): string {
    const call = (options.get('call') ?? 'write') as Call;
    const half = (options.get('half') ?? 'request') as Half;
    const regions = (options.get('to') ?? '').split(',').map(regionId);
    const { ports } = this.#process(name);
    const gates = regions.map((to) => existing(ports.get(to), to).hold(call, half));
    this.#held.set(options.get('as') ?? '', () => {
      for (const letGo of gates) {
        letGo();
      }
    });
    return `the ${half} of its next ${call} to ${regions.join(' and ')} will be held`;
  }

  #setCut({ words: [name = ''], options }: Command, isCut: boolean): string {
    const regions = (options.get('from') ?? '').split(',').map(regionId);
    for (const region of regions) {
      existing(this.#process(name).ports.get(region), region).isCut = isCut;
    }
    return `${name} ${isCut ? 'does not reach' : 'reaches'} ${regions.join(' and ')}`;
  }

  /** `beats 20 p q`: so many beat intervals pass, and each of the processes does what it does in one. */
  async #beat({ words: [count = '', ...names] }: Command): Promise<string> {
    for (let beats = 0; beats < Number(count); beats += 1) {
      for (const name of names) {
        tick(this.#process(name));
        await settle();
      }
      await this.#clock.advance(LOCAL_TIMINGS.beatMs);
      await settle();
    }
    return `${Number(count) * LOCAL_TIMINGS.beatMs} ms later`;
  }
}

function tick(process: Process): void {
  if (!process.isTicking) {
    process.isTicking = true;
    void process.pulse.tick().finally(() => {
      process.isTicking = false;
    });
  }
}

function describeOutcome(outcome: ProposeOutcome): string {
  switch (outcome.kind) {
    case 'committed':
      return `committed as entry ${outcome.index} of term ${outcome.term}`;
    case 'rejected':
      return `rejected: ${outcome.code}`;
    case 'unknown':
      return 'unknown';
  }
}

function listOf(state: readonly JsonValue[]): string {
  return state.length === 0 ? 'nothing' : state.join(' ');
}

/** Lets everything that can happen without time passing happen. */
async function settle(): Promise<void> {
  for (let rounds = 0; rounds < SETTLING_ROUNDS; rounds += 1) {
    await setImmediate();
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function existing<Value>(value: Value | null | undefined, name: string): Value {
  if (value === null || value === undefined) {
    throw new Error(`the story knows no ${name}`);
  }
  return value;
}
