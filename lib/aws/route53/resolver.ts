/**
 * What the zone's own name servers answer: the truth before any resolver cache.
 *
 * Each server is asked by itself, because a resolver that is given a list asks the first one only.
 * The result is the union of what the servers that answered still give: while one of them serves
 * the old site, the old site is among the values, and a switch is not verified yet. Servers that
 * are silent are left out; with none left the result is unknown.
 */
import { Resolver } from 'node:dns/promises';
import { describeError } from '../../base/errors.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import type { RecordType, VerifyPort } from '../../recovery/switch-port.ts';

export interface AuthoritativeResolverOptions {
  /** Addresses of the zone's name servers, `address` or `address:port`; at least one. */
  readonly nameServers: readonly string[];
  /** Per server and try, in milliseconds. */
  readonly timeoutMs: number;
  /** Tries per server, 1 or more. */
  readonly tries: number;
}

type Resolved = Awaited<ReturnType<VerifyPort['resolve']>>;

export function authoritativeResolver(
  options: AuthoritativeResolverOptions,
): VerifyPort['resolve'] {
  return async (name, type) => {
    const answers = await Promise.all(
      options.nameServers.map((server) => askServer(options, server, { name, type })),
    );
    const known = answers.filter((answer) => answer.kind === 'resolved');
    return known.length === 0
      ? { kind: 'unknown', cause: causesOf(answers) }
      : { kind: 'resolved', values: [...new Set(known.flatMap(({ values }) => values))] };
  };
}

interface Question {
  readonly name: string;
  readonly type: RecordType;
}

async function askServer(
  { timeoutMs, tries }: AuthoritativeResolverOptions,
  server: string,
  { name, type }: Question,
): Promise<Resolved> {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  try {
    resolver.setServers([server]);
    return { kind: 'resolved', values: await ask(resolver, canonicalName(name), type) };
  } catch (thrown) {
    return isAbsence(thrown)
      ? { kind: 'resolved', values: [] }
      : { kind: 'unknown', cause: `${server}: ${describeError(thrown)}` };
  }
}

async function ask(resolver: Resolver, name: string, type: RecordType): Promise<readonly string[]> {
  switch (type) {
    case 'A':
      return resolver.resolve4(name);
    case 'AAAA':
      return resolver.resolve6(name);
    case 'CNAME':
      return resolver.resolveCname(name);
    case 'TXT':
      return (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''));
  }
}

/** NXDOMAIN and an empty answer are answers. */
function isAbsence(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

function causesOf(answers: readonly Resolved[]): string {
  const causes = answers.flatMap((answer) => (answer.kind === 'unknown' ? answer.cause : []));
  return causes.length === 0 ? 'no name server is configured' : causes.join('; ');
}
