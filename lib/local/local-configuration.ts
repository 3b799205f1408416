/**
 * The configuration file as local mode runs it: tokens made up, ports moved, sites played here.
 *
 * The file is the one people write for AWS, so that the demo teaches nothing that is only true
 * locally. Two things are filled in. A `${…_TOKEN}` that the environment does not set gets a random
 * token, kept in `cluster.json`. A probe URL on loopback names the default ports, which move along
 * with `--port-base`.
 */
import { readFile } from 'node:fs/promises';
import { AppError } from '../base/errors.ts';
import { hashConfiguration } from '../config/configuration-hash.ts';
import type { Variables } from '../config/expansion.ts';
import { parseConfiguration } from '../config/parse.ts';
import type { Problem } from '../config/problem.ts';
import type { MonitorPolicy, ServicePolicy, SitePolicy } from '../recovery/policy.ts';
import type { ProbePolicy } from '../recovery/probe-policy.ts';
import { type ClusterRecord, withTokens } from './cluster-file.ts';
import { type Layout, shiftPort, siteProcess } from './local-layout.ts';
import { sha256 } from './system-clock.ts';

/** A site that a local process plays. */
export interface LocalSite {
  readonly name: string;
  readonly service: string;
  readonly site: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly token: string;
  readonly intervalMs: number;
}

export interface LocalConfiguration {
  readonly policies: readonly ServicePolicy[];
  readonly monitors: readonly MonitorPolicy[];
  readonly hash: string;
  readonly sites: readonly LocalSite[];
  /** The record with a token for each variable; to be saved before the tokens are used. */
  readonly record: ClusterRecord;
}

/** @throws AppError `config-unreadable`, `config-invalid` (lists every problem). */
export async function loadLocalConfiguration(options: {
  readonly file: string;
  readonly layout: Layout;
  readonly record: ClusterRecord;
  readonly variables: Variables;
}): Promise<LocalConfiguration> {
  const { file, layout, variables } = options;
  const text = await readConfiguration(file);
  const record = withTokens(options.record, tokenNames(text));
  const parsed = parseConfiguration(text, { ...record.tokens, ...variables });
  if (parsed.kind === 'invalid') {
    throw invalidConfiguration(file, parsed.problems);
  }
  const policies = parsed.policies.map((policy) => moveProbes(policy, layout));
  const tokens = [...Object.values(record.tokens), ...Object.values(variables)];
  const tokenOf = new Map(tokens.map((token = '') => [sha256(token), token]));
  const sites = policies.flatMap((policy) =>
    policy.sites.flatMap((site) => localSite(policy, site, tokenOf) ?? []),
  );
  const { monitors } = parsed;
  return { policies, monitors, hash: hashConfiguration(policies, monitors), sites, record };
}

async function readConfiguration(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new AppError(`the configuration ${file} cannot be read`, {
      code: 'config-unreadable',
      hint: 'Name an existing file with --config.',
      retryable: false,
      cause,
    });
  }
}

function tokenNames(text: string): readonly string[] {
  return [...text.matchAll(/\$\{([A-Z][A-Z0-9_]*_TOKEN)\}/g)].map(([, name = '']) => name);
}

/** null when no process here plays the site: it is elsewhere, or its token is not known here. */
function localSite(
  { service, detection }: ServicePolicy,
  { site, probeUrl, tokenHashes }: SitePolicy,
  tokenOf: ReadonlyMap<string, string>,
): LocalSite | null {
  const url = loopbackPlace(probeUrl);
  const token = tokenHashes.map((hash) => tokenOf.get(hash)).find((known) => known !== undefined);
  return url === null || token === undefined
    ? null
    : {
        name: siteProcess(service, site),
        service,
        site,
        host: url.hostname,
        port: Number(url.port),
        url: url.origin,
        token,
        intervalMs: detection.intervalMs,
      };
}

function moveProbes(policy: ServicePolicy, layout: Layout): ServicePolicy {
  const sites = policy.sites.map((site): SitePolicy => {
    const url = loopbackPlace(site.probeUrl);
    if (url === null) {
      return site;
    }
    const from = { host: url.hostname, port: Number(url.port) };
    const port = shiftPort(from.port, layout);
    url.port = String(port);
    const probes = site.probes.map((probe) => movedProbe(probe, from, port));
    return { ...site, probeUrl: url.href, probes };
  });
  return { ...policy, sites };
}

/** Probes of the process that plays the site go where it goes; others ask what does not move. */
function movedProbe(
  probe: ProbePolicy,
  from: { readonly host: string; readonly port: number },
  port: number,
): ProbePolicy {
  if (probe.kind === 'dns') {
    return probe;
  }
  if (probe.kind !== 'http') {
    return probe.host === from.host && probe.port === from.port ? { ...probe, port } : probe;
  }
  const url = loopbackPlace(probe.url);
  if (url === null || url.hostname !== from.host || Number(url.port) !== from.port) {
    return probe;
  }
  url.port = String(port);
  return { ...probe, url: url.href };
}

/** Loopback in clear text with a port: nothing else can be a process of ours. */
function loopbackPlace(probeUrl: string | null): URL | null {
  const url = probeUrl === null ? null : URL.parse(probeUrl);
  const isOurs =
    url !== null &&
    url.protocol === 'http:' &&
    url.port !== '' &&
    /^(127(\.\d{1,3}){3}|localhost)$/.test(url.hostname);
  return isOurs ? url : null;
}

function invalidConfiguration(file: string, problems: readonly Problem[]): AppError {
  const lines = problems.map(
    ({ line, column, path, message, fix }) =>
      `  ${file}:${line}:${column} ${path}: ${message}; ${fix}`,
  );
  return new AppError(`the configuration has problems:\n${lines.join('\n')}`, {
    code: 'config-invalid',
    hint: 'Correct the file; `tripoint validate` checks it without starting anything.',
    retryable: false,
  });
}
