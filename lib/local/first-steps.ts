/**
 * What the supervisor does through the public API before it calls the cluster up: wait for a leader,
 * and apply the configuration, exactly as an operator would.
 */
import { randomUUID } from 'node:crypto';
import type { ServiceJson, StatusJson } from '../api/schemas.ts';
import type { Clock } from '../base/clock.ts';
import { AppError, describeError } from '../base/errors.ts';
import type { MonitorPolicy, ServicePolicy } from '../recovery/policy.ts';
import type { Layout } from './local-layout.ts';

const LEADER_TIMEOUT_MS = 30_000;
const SETUP_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const REQUEST_TIMEOUT_MS = 6000;
const STATUS_TIMEOUT_MS = 1000;

/** The status as the first of these regions that answers gives it; null = none answers. */
export async function readStatus(urls: readonly string[]): Promise<StatusJson | null> {
  for (const url of urls) {
    try {
      const response = await fetch(`${url}/v1/status`, {
        signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
      });
      if (response.ok) {
        return (await response.json()) as StatusJson;
      }
    } catch {
      // Expected while a region is down: ask the next one.
    }
  }
  return null;
}

/** @throws AppError `no-leader` after 30 s. */
export async function untilLeaderStands(layout: Layout, clock: Clock): Promise<void> {
  const urls = layout.regions.map(({ apiUrl }) => apiUrl);
  const deadline = clock.monotonicNow() + LEADER_TIMEOUT_MS;
  while (clock.monotonicNow() < deadline) {
    const status = await readStatus(urls);
    if (status !== null && status.consensus.leader !== null && status.consensus.quorum) {
      return;
    }
    await clock.sleep(POLL_MS);
  }
  throw new AppError(`the regions elected no leader within ${LEADER_TIMEOUT_MS / 1000} s`, {
    code: 'no-leader',
    hint: `Their logs tell why: ${layout.logDir}`,
    retryable: true,
  });
}

/**
 * Waits until no service is being set up any more: a new configuration starts a run that makes its
 * DNS records. Returns what did not work out, as sentences; that is for a person to mend, and no
 * reason not to be up.
 */
export async function untilServicesStand(layout: Layout, clock: Clock): Promise<readonly string[]> {
  const urls = layout.regions.map(({ apiUrl }) => apiUrl);
  const deadline = clock.monotonicNow() + SETUP_TIMEOUT_MS;
  for (;;) {
    const status = await readStatus(urls);
    const services = status?.services ?? [];
    const isSettled = services.length > 0 && services.every(({ phase }) => phase.kind !== SETUP);
    if (isSettled || clock.monotonicNow() >= deadline) {
      return services.flatMap(describeTrouble);
    }
    await clock.sleep(POLL_MS);
  }
}

const SETUP = 'setting-up';

function describeTrouble({ service, phase, dnsName }: ServiceJson): readonly string[] {
  if (phase.kind === SETUP) {
    return [`${service} is still being set up: ${dnsName} may not resolve yet`];
  }
  return phase.kind === 'impaired'
    ? [`${service} is impaired (${phase.cause}): look at \`tripoint runs\``]
    : [];
}

interface Application {
  readonly layout: Layout;
  readonly operatorToken: string;
  readonly policies: readonly ServicePolicy[];
  readonly monitors: readonly MonitorPolicy[];
}

/**
 * One command under one key, sent to one region after the other until one says that it is done.
 * @throws AppError `config-not-applied` with what the API said last.
 */
export async function applyConfiguration({
  layout,
  operatorToken,
  policies,
  monitors,
}: Application): Promise<void> {
  const key = `local-config-${randomUUID()}`;
  const body = JSON.stringify({
    policies,
    monitors,
    reason: 'local mode started',
    by: 'local-supervisor',
  });
  let last = 'no region was asked';
  for (const { region, apiUrl } of layout.regions) {
    const answer = await send(`${apiUrl}/v1/config`, { body, key, operatorToken });
    if (answer.status === 200) {
      return;
    }
    last = `${region} answered ${answer.status} ${answer.text}`;
    if (answer.status >= 400 && answer.status < 500) {
      break;
    }
  }
  throw new AppError(`the configuration was not applied: ${last}`, {
    code: 'config-not-applied',
    hint: 'Start again: applying it is repeated.',
    retryable: true,
  });
}

/** Status 0 = no answer. */
async function send(
  url: string,
  request: { readonly body: string; readonly key: string; readonly operatorToken: string },
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${request.operatorToken}`,
        'content-type': 'application/json',
        'idempotency-key': request.key,
      },
      body: request.body,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    return { status: 0, text: describeError(cause) };
  }
}
