/**
 * How long the certificates that a site presented are still good for.
 *
 * The handshake has refused what is expired already; this looks ahead. The whole chain counts,
 * because an intermediate that nobody watches ends a service as surely as the leaf.
 */
import type { DetailedPeerCertificate } from 'node:tls';
import type { EpochMillis } from '../../base/identifiers.ts';
import { type ProbeAnswer, passed } from './answer.ts';
import { PROBE_IO_LIMITS } from './limits.ts';

const DAY_MS = 86_400_000;

/** `answer` itself, or with a warning when a certificate of the chain ends within `daysMin`. */
export function withExpiry(
  answer: ProbeAnswer,
  certificate: DetailedPeerCertificate,
  { daysMin, now }: { readonly daysMin: number; readonly now: EpochMillis },
): ProbeAnswer {
  const endsAt = earliestEnd(certificate);
  if (answer.outcome !== 'passed' || daysMin === 0 || endsAt === null) {
    return answer;
  }
  const days = Math.floor((endsAt - now) / DAY_MS);
  return days >= daysMin
    ? answer
    : {
        ...passed(`${answer.text}, but a certificate expires in ${days} days`),
        code: 'certificate-expires-soon',
      };
}

/** null when the other side presented none that can be read. */
function earliestEnd(leaf: DetailedPeerCertificate): number | null {
  const ends: number[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  for (let place = 0; place < PROBE_IO_LIMITS.chainMax; place += 1) {
    const end = Date.parse(certificate?.valid_to ?? '');
    if (!Number.isNaN(end)) {
      ends.push(end);
    }
    const issuer: DetailedPeerCertificate | undefined = certificate?.issuerCertificate;
    // A root is its own issuer.
    certificate = issuer === certificate ? undefined : issuer;
  }
  return ends.length === 0 ? null : Math.min(...ends);
}
