/**
 * The part of `tripoint.yaml` that infrastructure depends on: names, sites and addresses.
 *
 * One file says what is protected, so the permissions and health checks cannot drift from it. Only
 * these fields are read, and tokens are not among them: a deployment needs no secret. Whether the
 * rest of the file is sound is for `tripoint validate` to say.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { describeError } from '../lib/base/errors.ts';
import { FIELD_SCHEMAS } from '../lib/config/file-schema.ts';
import { NAME_PATTERN } from '../lib/config/schema.ts';

export interface ProtectedSite {
  readonly site: string;
  readonly address: string;
}

export interface ProtectedService {
  readonly service: string;
  readonly dnsName: string;
  readonly recordType: 'A' | 'AAAA' | 'CNAME';
  readonly primary: string;
  /** In the order of preference. */
  readonly sites: readonly ProtectedSite[];
}

export interface ServiceProblem {
  readonly key: string;
  readonly message: string;
  readonly fix: string;
}

export type ServicesReading =
  | { readonly kind: 'valid'; readonly services: readonly ProtectedService[] }
  | { readonly kind: 'invalid'; readonly problems: readonly ServiceProblem[] };

/** Other keys are not looked at. */
const fileSchema = z.object({
  services: z.record(
    z.string().regex(NAME_PATTERN),
    z.object({
      dns: z.object({ name: FIELD_SCHEMAS.dnsName, type: FIELD_SCHEMAS.recordType }),
      primary: FIELD_SCHEMAS.primary,
      sites: z.record(z.string().regex(NAME_PATTERN), z.object({ address: FIELD_SCHEMAS.address })),
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
    recordType: value.dns.type,
    primary: value.primary,
    sites: Object.entries(value.sites).map(([site, { address }]) => ({ site, address })),
  }));
  return { kind: 'valid', services };
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
