/**
 * What `tripoint replay --policy` accepts: a detection of ours, one that stands in a configuration
 * file, or one of the two rules that most health checks use.
 */
import { AppError } from '../base/errors.ts';
import { parseDuration } from '../config/duration.ts';
import { CONFIG_LIMITS } from '../config/limits.ts';
import { FAIL_INTERVALS_MAX } from '../detection/limits.ts';
import type { DetectionPolicy } from '../detection/policy.ts';
import type { ReplayPolicy } from '../simulation/replay/watch.ts';
import { readConfigurationFile } from './configuration-file.ts';
import type { Session } from './session.ts';

const MISSES_MAX = 1000;
/** A beat that is half an interval late counts as missed. */
const MISS_GRACE = 0.5;

/**
 * @param intervalMs Δ of the recording; a configuration brings its own.
 * @throws AppError `policy-…`.
 */
export async function replayPolicy(
  session: Session,
  text: string,
  intervalMs: number,
): Promise<ReplayPolicy> {
  const phi = /^phi:(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(text);
  if (phi !== null) {
    return ours(text, intervalMs, { suspectPhi: Number(phi[1]), failPhi: Number(phi[2]) });
  }
  const [kind = '', value = ''] = splitLast(text);
  if (kind === 'fixed') {
    const silenceMs = parseDuration(value);
    return silenceMs === null || silenceMs === 0
      ? refuse(text, 'Write e.g. fixed:30s.')
      : timeout(text, intervalMs, silenceMs);
  }
  if (kind === 'misses') {
    const misses = /^\d{1,4}$/.test(value) ? Number(value) : 0;
    return misses < 1 || misses > MISSES_MAX
      ? refuse(text, `Write e.g. misses:3, at most ${MISSES_MAX}.`)
      : timeout(text, intervalMs, (misses + MISS_GRACE) * intervalMs);
  }
  return /\.ya?ml$/i.test(kind)
    ? configured(session, kind, value)
    : refuse(text, 'Write phi:8/16, fixed:30s, misses:3, or FILE.yaml:NAME.');
}

function ours(
  label: string,
  intervalMs: number,
  phi: Pick<DetectionPolicy, 'suspectPhi' | 'failPhi'>,
): ReplayPolicy {
  if (phi.suspectPhi < CONFIG_LIMITS.phiMin || phi.failPhi <= phi.suspectPhi) {
    return refuse(label, `Thresholds rise from ${CONFIG_LIMITS.phiMin}: e.g. phi:8/16.`);
  }
  const silenceMsMax = CONFIG_LIMITS.silenceIntervalsDefault * intervalMs;
  return { label, rule: { kind: 'detection', policy: { intervalMs, ...phi, silenceMsMax } } };
}

function timeout(label: string, intervalMs: number, silenceMs: number): ReplayPolicy {
  // Only so that beats are taken in as in production; the verdict comes from the silence alone.
  const policy = {
    intervalMs,
    suspectPhi: 8,
    failPhi: 16,
    silenceMsMax: FAIL_INTERVALS_MAX * intervalMs,
  };
  return { label, rule: { kind: 'timeout', policy, silenceMs } };
}

/** The detection of one service or monitor of a configuration, as `apply` would bring it into force. */
export async function configured(
  session: Session,
  file: string,
  service: string,
): Promise<ReplayPolicy> {
  const parsed = await readConfigurationFile(session, file);
  if (parsed.kind === 'invalid') {
    throw new AppError(`${file} is not valid`, {
      code: 'policy-invalid',
      hint: `\`tripoint validate ${file}\` lists what is wrong with it.`,
      retryable: false,
    });
  }
  const watched = [...parsed.policies, ...parsed.monitors];
  const found = watched.find((policy) => policy.service === service);
  if (found === undefined) {
    const known = watched.map((policy) => policy.service).join(', ');
    return refuse(`${file}:${service}`, `The file has the services and monitors ${known}.`);
  }
  return {
    label: `${file}:${service}`,
    rule: { kind: 'detection', policy: found.detection },
  };
}

function refuse(text: string, hint: string): never {
  throw new AppError(`${text} is no policy`, { code: 'policy-unknown', hint, retryable: false });
}

/** At the last colon, because a path may hold one. */
function splitLast(text: string): readonly [string, string] {
  const colon = text.lastIndexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
