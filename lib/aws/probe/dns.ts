/**
 * DNS probes: does a name resolve, and to what it should?
 *
 * With a server of its own a silent or refusing one is a finding. Without, the resolver of this
 * machine is asked, and its silence is our own fault.
 */
import { Resolver } from 'node:dns/promises';
import type { DnsProbePolicy } from '../../recovery/probe-policy.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import { codeOf, failed, notProbed, type ProbeAnswer, passed } from './answer.ts';
import type { ProbeContext } from './context.ts';
import { PROBE_IO_LIMITS } from './limits.ts';

/** Rejects when the signal aborts and the server is the one to blame; what the resolver says is an answer. */
export async function probeDns(
  policy: DnsProbePolicy,
  { signal }: ProbeContext,
): Promise<ProbeAnswer> {
  const resolver = new Resolver({ timeout: policy.timeoutMs, tries: 1 });
  const stop = () => resolver.cancel();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (policy.server !== null) {
      resolver.setServers([policy.server]);
    }
    return judgeAnswers(policy, await ask(resolver, policy));
  } catch (thrown) {
    if (policy.server !== null) {
      signal.throwIfAborted();
    }
    return answerOfResolver(thrown, policy.server !== null);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function ask(
  resolver: Resolver,
  { name, recordType }: DnsProbePolicy,
): Promise<readonly string[]> {
  switch (recordType) {
    case 'A':
      return resolver.resolve4(name);
    case 'AAAA':
      return resolver.resolve6(name);
    case 'CNAME':
      return (await resolver.resolveCname(name)).map(canonicalName);
    case 'TXT':
      return (await resolver.resolveTxt(name)).map((chunks) => chunks.join(''));
  }
}

function judgeAnswers(
  { recordType, expected }: DnsProbePolicy,
  answers: readonly string[],
): ProbeAnswer {
  const wanted = recordType === 'CNAME' ? expected.map(canonicalName) : expected;
  const missing = wanted.find((value) => !answers.includes(value));
  const { answersShownMax, answerCharactersShownMax } = PROBE_IO_LIMITS;
  const shown = answers
    .slice(0, answersShownMax)
    .map((answer) => printable(answer).slice(0, answerCharactersShownMax));
  const text = `answers ${shown.join(', ') || 'nothing'}`;
  if (answers.length === 0) {
    return failed('name-unresolved', 'the name has no such record');
  }
  return missing === undefined
    ? passed(text)
    : failed('answer-unexpected', `${text}, not ${missing}`);
}

/** Findings end on terminals and pages: no escapes, no line breaks, no change of direction. */
function printable(answer: string): string {
  return answer.replaceAll(UNPRINTABLE, ' ');
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;

function answerOfResolver(thrown: unknown, isOwnServer: boolean): ProbeAnswer {
  const code = codeOf(thrown) ?? 'EUNKNOWN';
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return failed('name-unresolved', 'the name has no such record');
    case 'ESERVFAIL':
    case 'EREFUSED':
    case 'EFORMERR':
    case 'EBADRESP':
    case 'ENOTIMP':
      return isOwnServer
        ? failed('answer-unexpected', `the server answers ${code}`)
        : notProbed(`the resolver answers ${code}`);
    case 'ETIMEOUT':
    case 'ECONNREFUSED':
    case 'ECANCELLED':
      return isOwnServer
        ? failed(code === 'ETIMEOUT' ? 'timed-out' : 'connection-refused', 'the server is silent')
        : notProbed('the resolver is silent');
    default:
      return notProbed(`this observer could not ask (${code})`);
  }
}
