/**
 * The part of `tripoint.yaml` that infrastructure depends on: names, sites, addresses, and what plans act on.
 *
 * One file says what is protected, so the permissions and health checks cannot drift from it. Only
 * these fields are read, and tokens are not among them: a deployment needs no secret. Whether the
 * rest of the file is sound is for `tripoint validate` to say.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { describeError } from '../lib/base/errors.ts';
import { FIELD_SCHEMAS } from '../lib/config/file-schema.ts';
import { weightsOf } from '../lib/config/recovery-file.ts';
import { NAME_PATTERN } from '../lib/config/schema.ts';
import type { Strategy } from '../lib/recovery/policy.ts';
import {
  ACTING_FIELDS,
  ACTING_SITE_FIELDS,
  type ActedResources,
  actedResourcesOf,
} from './acted-resources.ts';

export interface ProtectedSite {
  readonly site: string;
  readonly address: string;
  /** Share of the traffic of an active-active service, 0 to 100; 0 of every other. */
  readonly weight: number;
}

export interface ProtectedService {
  readonly service: string;
  readonly dnsName: string;
  /** Of path A; null = none. */
  readonly dataPlaneName: string | null;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  readonly primary: string;
  readonly strategy: Strategy;
  /** In the order of preference. */
  readonly sites: readonly ProtectedSite[];
}

export interface ServiceProblem {
  readonly key: string;
  readonly message: string;
  readonly fix: string;
}

export type ServicesReading =
  | {
      readonly kind: 'valid';
      readonly services: readonly ProtectedService[];
      readonly acted: ActedResources;
    }
  | { readonly kind: 'invalid'; readonly problems: readonly ServiceProblem[] };

/** Other keys are not looked at. */
const fileSchema = z.object({
  services: z.record(
    z.string().regex(NAME_PATTERN),
    z.object({
      dns: z.object({
        name: FIELD_SCHEMAS.dnsName,
        type: FIELD_SCHEMAS.recordType,
        dataPlane: FIELD_SCHEMAS.dataPlaneName,
      }),
      primary: FIELD_SCHEMAS.primary,
      strategy: FIELD_SCHEMAS.strategy,
      ...ACTING_FIELDS,
      sites: z.record(
        z.string().regex(NAME_PATTERN),
        z.object({
          address: FIELD_SCHEMAS.address,
          weight: FIELD_SCHEMAS.weight,
          ...ACTING_SITE_FIELDS,
        }),
      ),
    }),
  ),
});

/** Total. `path` names the file in problems. */
export function readProtectedServices(path: string, text: string): ServicesReading {
  const document = parseYaml(text);
  if (document.kind === 'invalid') {
    return { kind: 'invalid', problems: [problem(path, document.message)] };
  }
  const parsed = fileSchema.safeParse(document.value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: at, message }) =>
      problem(`${path} ${at.map(String).join('.')}`, message),
    );
    return { kind: 'invalid', problems };
  }
  const services = Object.entries(parsed.data.services).map(([service, value]) => ({
    service,
    dnsName: value.dns.name,
    dataPlaneName: value.dns.dataPlane ?? null,
    recordType: value.dns.type,
    primary: value.primary,
    strategy: value.strategy,
    sites: sitesOf(value.strategy, value.sites),
  }));
  return { kind: 'valid', services, acted: actedResourcesOf(Object.values(parsed.data.services)) };
}

function sitesOf(
  strategy: Strategy,
  sites: {
    readonly [site: string]: { readonly address: string; readonly weight?: number | undefined };
  },
): readonly ProtectedSite[] {
  const weights = weightsOf(
    strategy,
    Object.values(sites).map(({ weight }) => weight),
  );
  return Object.entries(sites).map(([site, { address }], position) => {
    return { site, address, weight: weights[position] ?? 0 };
  });
}

function problem(key: string, message: string): ServiceProblem {
  return {
    key,
    message,
    fix: 'run `tripoint validate` on the file; here names stand without references',
  };
}

function parseYaml(text: string) {
  try {
    return { kind: 'read', value: parse(text) as unknown } as const;
  } catch (error) {
    return { kind: 'invalid', message: describeError(error) } as const;
  }
}
