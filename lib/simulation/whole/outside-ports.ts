/**
 * What a region reaches beside its tables: the zone, the sites themselves, and what steps act on. Every
 * call travels over the wires, so a cut, a lost answer or a place that is down is met here too.
 */
import type { Random } from '../../base/clock.ts';
import type { ProbePort } from '../../control/probe-port.ts';
import type { ActionPorts } from '../../recovery/action-ports.ts';
import { type ProbePolicy, probeTarget } from '../../recovery/probe-policy.ts';
import type { RoutingPort, VerifyPort } from '../../recovery/switch-port.ts';
import type { MemoryActions } from '../memory-actions.ts';
import type { World } from '../world.ts';
import { ASSUMED, between } from './assumptions.ts';
import type { Caller, HostedZone } from './hosted-zone.ts';
import type { OutsidePorts } from './simulated-region.ts';
import type { SimulatedSite } from './simulated-site.ts';
import type { Place, Wires } from './wires.ts';

export interface Outside {
  readonly world: World;
  readonly wires: Wires;
  readonly zone: HostedZone;
  readonly actions: MemoryActions;
  readonly random: Random;
  /** The site that a URL, host or address belongs to; null = somewhere else. */
  readonly siteOf: (target: string) => SimulatedSite | null;
  /** Addresses that name servers answer with on path A; null = the service has no name there. */
  readonly routedAt: (service: string) => readonly string[] | null;
}

/** A site that serves answers a probe within this. */
const ANSWER_MS_MIN = 2;
const ANSWER_MS_MAX = 30;
const VERIFY_TIMEOUT_MS = 3000;

export function outsidePorts(outside: Outside, caller: Caller): OutsidePorts {
  return {
    switchPort: outside.zone.portFor(caller),
    verifyPort: verifyPort(outside, caller),
    routingPort: routingPort(outside, caller),
    probePort: probePort(outside, caller),
    actions: actionPorts(outside, caller),
  };
}

/** Whether the site answers; null = nobody does in time. */
async function ask(
  { wires, random }: Outside,
  { place, vitality }: Caller,
  { site, timeoutMs }: { readonly site: SimulatedSite; readonly timeoutMs: number },
): Promise<boolean | null> {
  const takesMs = between(random, ANSWER_MS_MIN, ANSWER_MS_MAX);
  const act = () => (site.isUp ? site.isHealthy : null);
  return wires.send({ from: place, to: site.place, timeoutMs, takesMs, vitality, act });
}

function verifyPort(outside: Outside, caller: Caller): VerifyPort {
  const { zone, wires, world, random, siteOf } = outside;
  return {
    resolve: async (name, type) => {
      const server = Math.floor(random() * zone.serverCount);
      const to: Place = { name: 'name-servers', location: caller.place.location };
      const answer = await wires.send({
        from: caller.place,
        to,
        timeoutMs: ASSUMED.callTimeoutMs,
        vitality: caller.vitality,
        act: () => zone.answersOf(server, name).filter((set) => set.type === type),
      });
      return answer === null
        ? { kind: 'unknown', cause: 'no name server answers' }
        : { kind: 'resolved', values: answer.flatMap(({ values }) => values) };
    },
    probe: async (url) => {
      const site = siteOf(url);
      const startedAt = world.now;
      const answer =
        site === null || (await ask(outside, caller, { site, timeoutMs: VERIFY_TIMEOUT_MS }));
      const elapsedMs = world.now - startedAt;
      return answer === true
        ? { kind: 'serving', status: 200, elapsedMs }
        : { kind: 'failing', detail: answer === null ? 'timed out' : 'status 503', elapsedMs };
    },
  };
}

function routingPort({ wires, routedAt }: Outside, caller: Caller): RoutingPort {
  return {
    status: async (service) => {
      const to: Place = { name: 'name-servers', location: caller.place.location };
      const { place: from, vitality } = caller;
      const timeoutMs = ASSUMED.callTimeoutMs;
      const act = () => ({ values: routedAt(service) });
      const answer = await wires.send({ from, to, timeoutMs, vitality, act });
      if (answer === null) {
        return { kind: 'unknown', cause: 'no name server answers' };
      }
      return answer.values === null
        ? { kind: 'not-wired' }
        : { kind: 'routed', values: answer.values };
    },
  };
}

function probePort(outside: Outside, caller: Caller): ProbePort {
  const result = async (policy: ProbePolicy) => {
    const site = outside.siteOf(probeTarget(policy));
    const { timeoutMs } = policy;
    const answer = site === null || (await ask(outside, caller, { site, timeoutMs }));
    if (answer === true) {
      return { outcome: 'passed', code: 'passed' } as const;
    }
    return answer === null
      ? ({ outcome: 'failed', code: 'timed-out' } as const)
      : ({ outcome: 'failed', code: 'status-unexpected' } as const);
  };
  return {
    probe: async (policy, signal) => {
      const found = await result(policy);
      const isAborted = signal.aborted;
      const endedAt = caller.clock.wallNow();
      const detail = `${probeTarget(policy)}: ${found.code}`;
      return isAborted
        ? { outcome: 'not-probed', code: 'not-probed', detail, endedAt }
        : { ...found, detail, endedAt };
    },
  };
}

const UNKNOWN = { kind: 'unknown', cause: 'no answer' } as const;
const CONTROL_PLANE_MS_MIN = 80;
const CONTROL_PLANE_MS_MAX = 400;

/** The action ports of the memory world, each call a request to a control plane near the caller. */
function actionPorts(
  { wires, random, actions }: Outside,
  { place, vitality }: Caller,
): ActionPorts {
  const to: Place = { name: 'control-planes', location: place.location };
  const far = async <Answer>(act: () => Promise<Answer>): Promise<Answer | typeof UNKNOWN> => {
    const takesMs = between(random, CONTROL_PLANE_MS_MIN, CONTROL_PLANE_MS_MAX);
    const timeoutMs = ASSUMED.callTimeoutMs;
    return (await wires.send({ from: place, to, timeoutMs, takesMs, vitality, act })) ?? UNKNOWN;
  };
  const { scale, database, invoke, notify, tables } = actions.ports;
  return {
    scale: {
      read: (resource) => far(() => scale.read(resource)),
      set: (request) => far(() => scale.set(request)),
    },
    database: {
      read: (policy) => far(() => database.read(policy)),
      promote: (policy, promotion) => far(() => database.promote(policy, promotion)),
    },
    invoke: {
      lambda: (action, context) => far(() => invoke.lambda(action, context)),
      webhook: (action, context) => far(() => invoke.webhook(action, context)),
    },
    notify: {
      notify: (target, notice, token) => far(() => notify.notify(target, notice, token)),
    },
    tables: {
      snapshot: (source, token) => far(() => tables.snapshot(source, token)),
      restore: (source, into, token) => far(() => tables.restore(source, into, token)),
    },
  };
}
