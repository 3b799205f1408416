/**
 * Rules that tie values of monitors together, and monitors to services.
 *
 * As in `relations.ts`, a rule sees drafts in which any value may be missing, so that one bad value
 * never hides a second mistake. Names of services and monitors are one namespace, because both are
 * addressed as SERVICE@SITE. Tokens of a monitor stand for one place each: a ping by URL names
 * nothing but its token.
 */
import { formatDuration } from './duration.ts';
import { CONFIG_LIMITS } from './limits.ts';
import type { Path } from './problem.ts';

/** null = there is an entry, but no hash. */
type Hashes = readonly (string | null)[];

export interface MonitorDraft {
  readonly service: string;
  readonly intervalMs: number | undefined;
  readonly silenceMsMax: number | undefined;
  readonly suspectPhi: number | undefined;
  readonly failPhi: number | undefined;
  /** undefined = there is no readable list of sites. */
  readonly sites: readonly { readonly site: string; readonly tokens: Hashes }[] | undefined;
  readonly provisioning:
    | { readonly sitesMax: number | undefined; readonly tokens: Hashes }
    | undefined;
}

/** What monitors may not share with services. */
export interface TakenNames {
  readonly services: readonly string[];
  /** Hashes of all tokens of all services. */
  readonly tokens: ReadonlySet<string>;
}

/** One broken rule, with its place in a `MonitorPolicy` and in the file, relative to the monitor. */
export interface MonitorFinding {
  /** Place in the list of drafts; null = the list as a whole. */
  readonly monitor: number | null;
  readonly policy: Path;
  readonly file: Path;
  readonly message: string;
  readonly fix: string;
}

type Own = Omit<MonitorFinding, 'monitor'>;

/** The rules as sentences for the documentation. */
export const MONITOR_RULES: readonly string[] = [
  `A configuration has at most ${CONFIG_LIMITS.monitorsMax} monitors, named differently from each other and from all services.`,
  `A monitor has \`sites\`, at most ${CONFIG_LIMITS.monitorSitesMax}, or \`provisioning\`, or both.`,
  'No token of a monitor is used a second time, by a site of any monitor or service.',
  `The \`maxSites\` of all monitors together are at most ${CONFIG_LIMITS.provisionedSitesInAllMax}.`,
  'A `schedule` has either `cron` or `every`; `timezone` belongs to `cron`.',
];

/** Every broken rule, in order of the monitors. Pure; total. */
export function checkMonitors(
  drafts: readonly MonitorDraft[],
  taken: TakenNames,
): readonly MonitorFinding[] {
  const within = drafts.flatMap((draft, monitor) =>
    [checkSites, checkPhiOrder, checkSilence]
      .flatMap((check) => check(draft))
      .map((finding) => ({ ...finding, monitor })),
  );
  return [
    ...checkCount(drafts.length),
    ...checkNames(drafts, taken),
    ...within,
    ...checkTokens(drafts, taken),
    ...checkProvisioned(drafts),
  ];
}

function checkCount(count: number): readonly MonitorFinding[] {
  const message = `${count} monitors; allowed are ${CONFIG_LIMITS.monitorsMax}`;
  const fix = 'make sites of one monitor of what belongs together';
  return count <= CONFIG_LIMITS.monitorsMax
    ? []
    : [{ monitor: null, policy: [], file: [], message, fix }];
}

function checkNames(
  drafts: readonly MonitorDraft[],
  { services }: TakenNames,
): readonly MonitorFinding[] {
  return drafts.flatMap(({ service }, monitor) => {
    const isService = services.includes(service);
    const isRepeated = drafts.findIndex((other) => other.service === service) < monitor;
    const message = `${service} is the name of ${isService ? 'a service' : 'a monitor'} already`;
    const fix = 'rename one of the two';
    return isService || isRepeated
      ? [{ monitor, policy: ['service'], file: [], message, fix }]
      : [];
  });
}

function checkSites({ sites, provisioning }: MonitorDraft): readonly Own[] {
  const { monitorSitesMax } = CONFIG_LIMITS;
  if (sites === undefined) {
    return [];
  }
  if (sites.length > monitorSitesMax) {
    const message = `${sites.length} sites; allowed are ${monitorSitesMax}`;
    return [{ ...at(['sites']), message, fix: 'split them over several monitors' }];
  }
  const repeated = sites.flatMap(({ site }, position) =>
    sites.findIndex((other) => other.site === site) < position
      ? [
          {
            policy: ['sites', position, 'site'],
            file: ['sites', site],
            message: `site ${site} stands twice`,
            fix: 'rename or remove one of the two',
          },
        ]
      : [],
  );
  return sites.length === 0 && provisioning === undefined
    ? [{ ...at(['sites']), message: 'no sites and no provisioning', fix: 'add a site to watch' }]
    : repeated;
}

function checkPhiOrder({ suspectPhi, failPhi }: MonitorDraft): readonly Own[] {
  return suspectPhi === undefined || failPhi === undefined || failPhi > suspectPhi
    ? []
    : [
        {
          ...at(['detection', 'failPhi']),
          message: `failPhi ${failPhi} is not above suspectPhi ${suspectPhi}`,
          fix: 'write a higher failPhi, or a lower suspectPhi',
        },
      ];
}

function checkSilence({ intervalMs, silenceMsMax }: MonitorDraft): readonly Own[] {
  const { silenceIntervalsMin } = CONFIG_LIMITS;
  const leastMs = silenceIntervalsMin * (intervalMs ?? 0);
  return intervalMs === undefined || silenceMsMax === undefined || silenceMsMax >= leastMs
    ? []
    : [
        {
          policy: ['detection', 'silenceMsMax'],
          file: ['detection', 'maxSilence'],
          message: `${formatDuration(silenceMsMax)} is less than ${silenceIntervalsMin} × the interval of ${formatDuration(intervalMs)}`,
          fix: `write ${formatDuration(leastMs)} or more, so that a few lost beats are no failure`,
        },
      ];
}

interface TokenPlace {
  readonly monitor: number;
  readonly hash: string | null;
  readonly policy: Path;
  readonly file: Path;
}

function checkTokens(
  drafts: readonly MonitorDraft[],
  { tokens }: TakenNames,
): readonly MonitorFinding[] {
  const seen = new Set(tokens);
  return drafts.flatMap(tokenPlaces).flatMap(({ hash, ...place }) => {
    if (hash === null) {
      return [];
    }
    const isTaken = seen.has(hash);
    seen.add(hash);
    const message = 'is the token of another site already, or stands twice';
    const fix = 'run `tripoint token new` for one of its own: a ping names nothing but its token';
    return isTaken ? [{ ...place, message, fix }] : [];
  });
}

function tokenPlaces(draft: MonitorDraft, monitor: number): readonly TokenPlace[] {
  const own = (draft.sites ?? []).flatMap(({ site, tokens }, position) =>
    tokens.map((hash, place) => ({
      monitor,
      hash,
      policy: ['sites', position, 'tokenHashes', place],
      file: ['sites', site, 'tokens', place],
    })),
  );
  const provisioning = (draft.provisioning?.tokens ?? []).map((hash, place) => ({
    monitor,
    hash,
    policy: ['provisioning', 'tokenHashes', place],
    file: ['provisioning', 'tokens', place],
  }));
  return [...own, ...provisioning];
}

function checkProvisioned(drafts: readonly MonitorDraft[]): readonly MonitorFinding[] {
  const total = drafts.reduce((sum, { provisioning }) => sum + (provisioning?.sitesMax ?? 0), 0);
  const { provisionedSitesInAllMax } = CONFIG_LIMITS;
  const monitor = drafts.findLastIndex(({ provisioning }) => provisioning !== undefined);
  return total <= provisionedSitesInAllMax
    ? []
    : [
        {
          monitor,
          policy: ['provisioning', 'sitesMax'],
          file: ['provisioning', 'maxSites'],
          message: `all monitors together may gain ${total} sites; allowed are ${provisionedSitesInAllMax}`,
          fix: 'write lower numbers',
        },
      ];
}

function at(path: Path): { readonly policy: Path; readonly file: Path } {
  return { policy: path, file: path };
}
