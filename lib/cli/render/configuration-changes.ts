/**
 * What `tripoint apply` would change, key by key.
 *
 * The control plane never gives token hashes away, nor what is in the steps of a plan, so these are
 * compared by the hash of the whole configuration only, and the text says so.
 */
import { recoveryText } from '../../api/present-recovery.ts';
import type { ProbeJson, ServiceJson } from '../../api/schemas.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import { type ProbePolicy, probeExpectation, probeTarget } from '../../recovery/probe-policy.ts';
import type { Style } from './style.ts';

export interface ConfigurationChange {
  readonly kind: 'add' | 'remove' | 'change';
  readonly service: string;
  /** Empty = the service as a whole; `monitor` = the monitor as a whole. */
  readonly path: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** In the order of the new configuration; services that go come last. Pure; total. */
export function configurationChanges(
  current: readonly ServiceJson[],
  wanted: readonly ServicePolicy[],
): readonly ConfigurationChange[] {
  const known = new Map(current.map((service) => [service.service, service]));
  const changes = wanted.flatMap((policy) => {
    const before = known.get(policy.service);
    if (before === undefined) {
      return [whole('add', policy.service, `${policy.dnsName}, ${policy.sites.length} sites`)];
    }
    // A region of before does not say how a service recovers: then that is not compared.
    const isTold = Object.keys(before.recovery).length > 0;
    const recovery = isTold ? recoveryText(policy) : {};
    return memberChanges(
      policy.service,
      visibleOf(before, before.recovery),
      visibleOf(policy, recovery),
    );
  });
  const kept = new Set(wanted.map(({ service }) => service));
  const removed = current.filter(({ service }) => !kept.has(service));
  return [...changes, ...removed.map(({ service, dnsName }) => whole('remove', service, dnsName))];
}

export function whole(kind: 'add' | 'remove', service: string, text: string): ConfigurationChange {
  const isAdded = kind === 'add';
  return { kind, service, path: '', from: isAdded ? null : text, to: isAdded ? text : null };
}

export type Visible = ReadonlyMap<string, string>;

/** The members that a service and a policy have in common, flat, as text. */
function visibleOf(
  source: ServiceJson | ServicePolicy,
  recovery: { readonly [key: string]: string },
): Visible {
  const { detection, objectives } = source;
  return new Map([
    ...Object.entries(recovery),
    ['dnsName', source.dnsName],
    ['recordType', source.recordType],
    ['ttlSeconds', String(source.ttlSeconds)],
    ['dataPlaneName', source.dataPlaneName ?? 'none'],
    ['strategy', source.strategy],
    ['automatic', String(source.automatic)],
    ['primary', source.primary],
    ['objectives.rtoMs', String(objectives.rtoMs)],
    ['objectives.rpoMs', String(objectives.rpoMs)],
    ['detection.intervalMs', String(detection.intervalMs)],
    ['detection.suspectPhi', String(detection.suspectPhi)],
    ['detection.failPhi', String(detection.failPhi)],
    ['detection.silenceMsMax', String(detection.silenceMsMax)],
    ['order of sites', source.sites.map(({ site }) => site).join(', ')],
    ...source.sites.flatMap(({ site, region, address, ...probed }): [string, string][] => [
      [`sites.${site}.region`, region],
      [`sites.${site}.address`, address],
      [`sites.${site}.probeUrl`, probed.probeUrl ?? 'none'],
      [`sites.${site}.probes`, probed.probes.map(probeText).join('; ') || 'none'],
    ]),
  ]);
}

/** Alike for what is configured and for what the control plane says of it. */
function probeText(probe: ProbePolicy | ProbeJson): string {
  const [target, expectation] =
    'kind' in probe
      ? [probeTarget(probe), probeExpectation(probe)]
      : [probe.target, probe.expectation];
  const { intervalMs, timeoutMs, rise, fall } = probe;
  return `${target} (${expectation}; each ${intervalMs} ms, at most ${timeoutMs} ms, ${rise} up, ${fall} down)`;
}

export function memberChanges(
  service: string,
  before: Visible,
  after: Visible,
): readonly ConfigurationChange[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths.flatMap((path) => {
    const from = before.get(path) ?? null;
    const to = after.get(path) ?? null;
    return from === to ? [] : [{ kind: 'change', service, path, from, to }];
  });
}

export function renderConfigurationChanges(
  changes: readonly ConfigurationChange[],
  style: Style,
): readonly string[] {
  if (changes.length === 0) {
    return [
      'only tokens, addresses of hooks or details of plans differ, which the control plane does not show',
    ];
  }
  return changes.map((change) => renderChange(change, style));
}

const RECORDS_STAY = '; its records stay as they are';

function renderChange(change: ConfigurationChange, style: Style): string {
  const { kind, service, path, from, to } = change;
  switch (kind) {
    case 'add':
      return style(`+ ${service}: ${to ?? ''}`, 'good');
    case 'remove':
      return style(
        `- ${service}: ${from ?? ''} is forgotten${path === '' ? RECORDS_STAY : ''}`,
        'bad',
      );
    case 'change':
      return style(`~ ${service}.${path}: ${from ?? 'none'} → ${to ?? 'none'}`, 'warning');
  }
}
