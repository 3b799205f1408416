/**
 * One beat to one region: sent once, answered or classified, never thrown.
 *
 * The time limit is kept here and not left to the HTTP client, because a client that ignores the
 * signal (or a test double) must not be able to hold the agent.
 */
import { describeError } from '../base/errors.ts';
import type { BeatOutcome, HeartbeatProblem } from './endpoint.ts';
import { describeProblem, parseAnswer } from './heartbeat-answer.ts';
import type { HeartbeatSettings } from './heartbeat-options.ts';

export interface Beat {
  readonly sequence: number;
  /** The same text goes to every region. */
  readonly body: string;
}

type Response = Awaited<ReturnType<HeartbeatSettings['fetch']>>;

/** Resolves within `requestTimeoutMs`, or soon after `controller` aborts. Never rejects. */
export async function sendBeat(
  settings: HeartbeatSettings,
  target: { readonly endpoint: string; readonly controller: AbortController },
  beat: Beat,
): Promise<BeatOutcome> {
  const { endpoint, controller } = target;
  const patience = new AbortController();
  const late = settings.clock.sleep(settings.requestTimeoutMs, patience.signal).then(() => {
    const detail = `no answer within ${settings.requestTimeoutMs} ms`;
    return failed({ code: 'timed-out', endpoint, status: null, detail });
  });
  const stopped = new Promise<BeatOutcome>((resolve) => {
    const detail = 'the agent was stopped';
    const give = () => resolve(failed({ code: 'unreachable', endpoint, status: null, detail }));
    controller.signal.addEventListener('abort', give, { once: true });
  });
  const outcome = await Promise.race([exchange(settings, target, beat), late, stopped]);
  patience.abort();
  // Only a request that is still open: aborting an answered one would cost the kept-alive socket.
  if (outcome.kind === 'failed' && outcome.problem.code === 'timed-out') {
    controller.abort();
  }
  return outcome;
}

async function exchange(
  settings: HeartbeatSettings,
  target: { readonly endpoint: string; readonly controller: AbortController },
  beat: Beat,
): Promise<BeatOutcome> {
  const { endpoint, controller } = target;
  try {
    const response = await settings.fetch(beatUrl(settings, endpoint), {
      method: 'POST',
      redirect: 'error',
      signal: controller.signal,
      body: beat.body,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${settings.token}`,
      },
    });
    return classify(endpoint, response, await response.text());
  } catch (thrown) {
    const detail = describeError(thrown);
    return failed({ code: 'unreachable', endpoint, status: null, detail });
  }
}

function beatUrl(settings: HeartbeatSettings, endpoint: string): string {
  const service = encodeURIComponent(settings.service);
  const site = encodeURIComponent(settings.site);
  return `${endpoint}/v1/services/${service}/sites/${site}/heartbeats`;
}

function classify(endpoint: string, response: Response, body: string): BeatOutcome {
  const { status } = response;
  if (status !== 200) {
    const retryAfterMs = parseRetryAfterMs(response.headers.get('retry-after'));
    const detail = `status ${status}: ${describeProblem(body)}`;
    return failed({ code: 'refused', endpoint, status, detail }, retryAfterMs);
  }
  const answer = parseAnswer(body);
  if (answer === null) {
    const detail = 'status 200 without the answer of a Tripoint region';
    return failed({ code: 'answer-malformed', endpoint, status, detail });
  }
  return { kind: 'answered', answer };
}

/** Seconds only; the date form of Retry-After would bring a foreign clock in. */
function parseRetryAfterMs(header: string | null): number {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : 0;
}

function failed(problem: HeartbeatProblem, retryAfterMs: number = 0): BeatOutcome {
  return { kind: 'failed', problem, retryAfterMs };
}
