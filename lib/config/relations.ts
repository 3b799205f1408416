/**
 * Rules that tie two or more values of a configuration together, as one list.
 *
 * A rule sees a draft: a policy in which any value may be missing, because it was not written or
 * not valid. A rule whose values are missing says nothing, the missing value is reported elsewhere.
 * So one bad value never hides a second mistake, and the file parser and the API share the rules.
 * Messages name keys and names, never values, which may have come from a variable with a secret.
 * `docs/configuration.md` prints the sentences.
 */
import { ADDRESS_TYPES, canonicalName, canonicalValue, isAddress } from '../recovery/record-set.ts';
import { formatDuration } from './duration.ts';
import { CONFIG_LIMITS } from './limits.ts';

export interface SiteDraft {
  readonly site: string;
  readonly address: string | undefined;
}

export interface ServiceDraft {
  readonly service: string;
  readonly dnsName: string | undefined;
  readonly recordType: 'A' | 'AAAA' | 'CNAME' | undefined;
  readonly primary: string | undefined;
  readonly intervalMs: number | undefined;
  readonly silenceMsMax: number | undefined;
  readonly suspectPhi: number | undefined;
  readonly failPhi: number | undefined;
  /** undefined = there is no readable list of sites. */
  readonly sites: readonly SiteDraft[] | undefined;
}

/** Where a value stands in a `ServicePolicy` and in the file, both relative to the service. */
export const FIELD_PATHS = {
  service: { policy: ['service'], file: [] },
  dnsName: { policy: ['dnsName'], file: ['dns', 'name'] },
  recordType: { policy: ['recordType'], file: ['dns', 'type'] },
  primary: { policy: ['primary'], file: ['primary'] },
  failPhi: { policy: ['detection', 'failPhi'], file: ['detection', 'failPhi'] },
  silenceMsMax: { policy: ['detection', 'silenceMsMax'], file: ['detection', 'maxSilence'] },
  sites: { policy: ['sites'], file: ['sites'] },
} as const;

/** One broken rule. With `site`, the value is in that site (`position` is its place in the list). */
export interface Finding {
  /** Place of the service in the list of drafts; null = the list as a whole. */
  readonly service: number | null;
  readonly field: keyof typeof FIELD_PATHS;
  readonly site: { readonly position: number; readonly key: 'site' | 'address' } | null;
  readonly message: string;
  readonly fix: string;
}

type ServiceFinding = Omit<Finding, 'service'>;

interface ServiceRule {
  readonly code: string;
  readonly sentence: string;
  readonly check: (draft: ServiceDraft) => readonly ServiceFinding[];
}

/** Rules within one service. */
export const SERVICE_RULES: readonly ServiceRule[] = [
  {
    code: 'sites-counted',
    sentence: `A service has ${CONFIG_LIMITS.sitesMin} to ${CONFIG_LIMITS.sitesMax} sites.`,
    check: checkSiteCount,
  },
  {
    code: 'primary-is-a-site',
    sentence: '`primary` names one of the `sites` of the service.',
    check: checkPrimary,
  },
  {
    code: 'sites-unique',
    sentence: 'Sites of one service have different names.',
    check: checkSiteNames,
  },
  {
    code: 'address-fits-type',
    sentence:
      'Each `address` fits `dns.type`: IPv4 for `A`, IPv6 for `AAAA`, a host name for `CNAME`.',
    check: checkAddressTypes,
  },
  {
    code: 'addresses-distinct',
    sentence: 'Sites of one service have different addresses.',
    check: checkAddressesDistinct,
  },
  {
    code: 'no-alias-of-itself',
    sentence: 'With `dns.type: CNAME`, no `address` is the `dns.name` of the same service.',
    check: checkSelfAlias,
  },
  {
    code: 'fail-above-suspect',
    sentence: '`detection.failPhi` is above `detection.suspectPhi`.',
    check: checkPhiOrder,
  },
  {
    code: 'silence-covers-interval',
    sentence: `\`detection.maxSilence\` is at least ${CONFIG_LIMITS.silenceIntervalsMin} × \`detection.interval\`.`,
    check: checkSilence,
  },
];

/** Rules between services, as sentences for the documentation. */
export const FLEET_RULES: readonly string[] = [
  `A configuration has ${CONFIG_LIMITS.servicesMin} to ${CONFIG_LIMITS.servicesMax} services.`,
  'Services have different names.',
  'Services have different `dns.name`s.',
];

/** Every broken rule of every service, in order of the services. Pure; total. */
export function checkRelations(drafts: readonly ServiceDraft[]): readonly Finding[] {
  const within = drafts.flatMap((draft, service) =>
    SERVICE_RULES.flatMap((rule) => rule.check(draft)).map((finding) => ({ ...finding, service })),
  );
  return [...checkServiceCount(drafts.length), ...within, ...checkUniqueServices(drafts)];
}

function checkServiceCount(count: number): readonly Finding[] {
  const { servicesMin, servicesMax } = CONFIG_LIMITS;
  return count >= servicesMin && count <= servicesMax
    ? []
    : [
        {
          ...broken('service', `${count} services; allowed are ${servicesMin} to ${servicesMax}`, {
            fix:
              count === 0 ? 'describe at least one service' : 'split the fleet over two clusters',
          }),
          service: null,
        },
      ];
}

function checkUniqueServices(drafts: readonly ServiceDraft[]): readonly Finding[] {
  const names = repeats(drafts.map(({ service }) => service)).map(({ position, first }) => ({
    ...broken('service', `service ${drafts[first]?.service} stands twice`, {
      fix: 'rename or remove one of the two',
    }),
    service: position,
  }));
  const dnsNames = repeats(drafts.map(({ dnsName }) => dnsName)).map(({ position, first }) => ({
    ...broken('dnsName', `is the name of service ${drafts[first]?.service} already`, {
      fix: 'give each service its own name: two switches of one name would fight',
    }),
    service: position,
  }));
  return [...names, ...dnsNames];
}

function checkSiteCount({ sites }: ServiceDraft): readonly ServiceFinding[] {
  const { sitesMin, sitesMax } = CONFIG_LIMITS;
  if (sites === undefined || (sites.length >= sitesMin && sites.length <= sitesMax)) {
    return [];
  }
  const message = `${sites.length} ${sites.length === 1 ? 'site' : 'sites'}; allowed are ${sitesMin} to ${sitesMax}`;
  const fix =
    sites.length < sitesMin ? 'add a site that can take over' : 'remove the sites that never serve';
  return [broken('sites', message, { fix })];
}

function checkPrimary({ primary, sites }: ServiceDraft): readonly ServiceFinding[] {
  const names = sites?.map(({ site }) => site) ?? [];
  return primary === undefined || names.length === 0 || names.includes(primary)
    ? []
    : [
        broken('primary', 'is not a site of this service', {
          fix: `use one of: ${names.join(', ')}`,
        }),
      ];
}

function checkSiteNames({ sites = [] }: ServiceDraft): readonly ServiceFinding[] {
  return repeats(sites.map(({ site }) => site)).map(({ position, first }) =>
    broken('sites', `site ${sites[first]?.site} stands twice`, {
      fix: 'rename or remove one of the two',
      site: { position, key: 'site' },
    }),
  );
}

function checkAddressTypes({ recordType, sites = [] }: ServiceDraft): readonly ServiceFinding[] {
  if (recordType === undefined) {
    return [];
  }
  return sites.flatMap(({ address }, position) =>
    address === undefined || isAddress(recordType, address)
      ? []
      : [
          broken('sites', `is not ${ADDRESS_KINDS[recordType]}`, {
            fix: fixForAddress(recordType, address),
            site: { position, key: 'address' },
          }),
        ],
  );
}

const ADDRESS_KINDS = {
  A: 'an IPv4 address, which a record of type A needs',
  AAAA: 'an IPv6 address, which a record of type AAAA needs',
  CNAME: 'a host name, which a record of type CNAME needs',
} as const;

const ADDRESS_EXAMPLES = { A: '192.0.2.10', AAAA: '2001:db8::10', CNAME: 'site.example.net' };

function fixForAddress(recordType: 'A' | 'AAAA' | 'CNAME', address: string): string {
  const fitting = ADDRESS_TYPES.find((type) => isAddress(type, address));
  const example = `write an address such as ${ADDRESS_EXAMPLES[recordType]}`;
  return fitting === undefined ? example : `${example}, or set dns.type: ${fitting}`;
}

function checkAddressesDistinct(draft: ServiceDraft): readonly ServiceFinding[] {
  const { recordType, sites = [] } = draft;
  const comparable = sites.map(({ address }) =>
    address === undefined ? undefined : canonicalValue(recordType ?? 'CNAME', address),
  );
  return repeats(comparable).map(({ position, first }) =>
    broken('sites', `is the address of ${sites[first]?.site} already`, {
      fix: 'a switch between equal addresses would change nothing: give each site its own',
      site: { position, key: 'address' },
    }),
  );
}

function checkSelfAlias({ recordType, dnsName, sites = [] }: ServiceDraft) {
  if (recordType !== 'CNAME' || dnsName === undefined) {
    return [];
  }
  return sites.flatMap(({ address }, position) =>
    address === undefined || canonicalName(address) !== canonicalName(dnsName)
      ? []
      : [
          broken('sites', 'would be an alias of itself', {
            fix: 'write the host name of the site, not the name of the service',
            site: { position, key: 'address' },
          }),
        ],
  );
}

function checkPhiOrder({ suspectPhi, failPhi }: ServiceDraft): readonly ServiceFinding[] {
  return suspectPhi === undefined || failPhi === undefined || failPhi > suspectPhi
    ? []
    : [
        broken('failPhi', `failPhi ${failPhi} is not above suspectPhi ${suspectPhi}`, {
          fix:
            2 * suspectPhi <= CONFIG_LIMITS.phiMax
              ? `write failPhi: ${2 * suspectPhi}, or a lower suspectPhi`
              : 'write a lower suspectPhi',
        }),
      ];
}

function checkSilence({ intervalMs, silenceMsMax }: ServiceDraft): readonly ServiceFinding[] {
  const { silenceIntervalsMin } = CONFIG_LIMITS;
  if (intervalMs === undefined || silenceMsMax === undefined) {
    return [];
  }
  const leastMs = silenceIntervalsMin * intervalMs;
  return silenceMsMax >= leastMs
    ? []
    : [
        broken(
          'silenceMsMax',
          `${formatDuration(silenceMsMax)} is less than ${silenceIntervalsMin} × the interval of ${formatDuration(intervalMs)}`,
          {
            fix: `write ${formatDuration(leastMs)} or more, so that the lease of a site ends before it can be failed`,
          },
        ),
      ];
}

function broken(
  field: Finding['field'],
  message: string,
  { fix, site = null }: { readonly fix: string; readonly site?: Finding['site'] },
): ServiceFinding {
  return { field, site, message, fix };
}

/** Positions whose value stands at an earlier position too. */
function repeats(values: readonly (string | undefined)[]) {
  return values.flatMap((value, position) => {
    const first = values.indexOf(value);
    return value === undefined || first === position ? [] : [{ position, first }];
  });
}
