/**
 * The screen that `npm start` prints: what runs where, and what to try next.
 *
 * Every line that looks like a command works as it is printed, also when the folder or the ports
 * are not the default ones; a test runs them. Plain text, at most 100 columns, no colour: it is
 * copied from, piped and read aloud.
 */
import type { ServicePolicy } from '../recovery/policy.ts';
import { type Layout, siteProcess } from './local-layout.ts';

export interface BannerOptions {
  readonly layout: Layout;
  readonly policies: readonly ServicePolicy[];
  /** URL of each site that runs on this machine, by process name. */
  readonly siteUrls: ReadonlyMap<string, string>;
  /** What to put behind `npx tripoint`, so that it finds this folder; empty for the default one. */
  readonly commandOptions: string;
  readonly startedInMs: number;
}

export function renderBanner(options: BannerOptions): string {
  return [...headline(options), '', ...places(options), '', ...suggestions(options), ''].join('\n');
}

function headline({ layout, startedInMs }: BannerOptions): readonly string[] {
  const seconds = (startedInMs / 1000).toFixed(1);
  const count = layout.regions.length;
  return [`Tripoint is up: ${count} regions on one machine, in ${seconds} s. Ctrl-C stops it.`];
}

function places({ layout, policies, siteUrls }: BannerOptions): readonly string[] {
  const [first] = layout.regions;
  const rows: (readonly [string, string])[] = [
    ['status page', `${first?.apiUrl ?? ''}/`],
    ...layout.regions.map(({ region, apiUrl }) => [`region ${region}`, apiUrl] as const),
    ['DNS', `${layout.dns.host}:${layout.dns.port} (UDP and TCP)`],
    ...[...siteUrls].map(([name, url]) => [`site ${name}`, url] as const),
    ...policies.map(({ service, dnsName }) => [`service ${service}`, dnsName] as const),
    ['data and logs', layout.dir],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
}

interface Suggestion {
  readonly command: string;
  readonly comment: string;
}

function suggestions(options: BannerOptions): readonly string[] {
  const lines = commandsToTry(options);
  const width = Math.max(...lines.map(({ command }) => command.length));
  return [
    'Try, in another terminal in this folder:',
    '',
    ...lines.map(({ command, comment }) => `  ${command.padEnd(width)}  # ${comment}`),
  ];
}

/** The story of one failover, in the order in which it is told. */
export function commandsToTry(options: BannerOptions): readonly Suggestion[] {
  const { layout, policies, siteUrls, commandOptions } = options;
  const tripoint = (words: string) => `npx tripoint ${words}${commandOptions}`;
  const service = policies.find((policy) =>
    siteUrls.has(siteProcess(policy.service, policy.primary)),
  );
  const [region] = layout.regions;
  const status = { command: tripoint('status'), comment: 'who is healthy, who is active' };
  const regionLines =
    region === undefined
      ? []
      : [
          {
            command: tripoint(`local kill ${region.region}`),
            comment: 'kill -9 of a region: others go on',
          },
          { command: tripoint(`local start ${region.region}`), comment: 'it catches up' },
        ];
  if (service === undefined) {
    return [status, ...regionLines];
  }
  const site = siteProcess(service.service, service.primary);
  const dig = `dig +short @${layout.dns.host} -p ${layout.dns.port} ${service.dnsName}`;
  return [
    status,
    { command: dig, comment: 'where clients go now' },
    { command: tripoint(`local kill ${site}`), comment: 'kill -9 of the active site' },
    { command: dig, comment: 'some seconds later: the other site' },
    { command: tripoint(`local start ${site}`), comment: 'it comes back, and stays standby' },
    {
      command: tripoint(`failback ${service.service} --reason "site is back" --yes`),
      comment: 'planned return',
    },
    ...regionLines,
  ];
}
