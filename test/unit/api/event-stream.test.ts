import { beforeEach, describe, expect, it } from 'vitest';
import { createEventStreams, type EventStreams } from '../../../lib/api/event-stream.ts';
import type { ControlPlane } from '../../../lib/control/control-plane.ts';
import { type ApiFixture, createApiFixture } from '../../support/control-plane-fixture.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const SETTINGS = { intervalMs: 1000, durationMsMax: 10_000, streamsMax: 2 };

/** A plane that tells of changes when the test says so, and counts who listens. */
function createChanges(plane: ControlPlane) {
  const listeners = new Set<() => void>();
  return {
    plane: {
      status: plane.status,
      onChange: (listener: () => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    },
    change: () => {
      for (const listener of [...listeners]) {
        listener();
      }
    },
    listenerCount: () => listeners.size,
  };
}

describe('createEventStreams', () => {
  let changes: ReturnType<typeof createChanges>;
  let clock: ManualClock;
  let streams: EventStreams;
  let stop: AbortController;

  beforeEach(async () => {
    const { plane } = await createApiFixture();
    changes = createChanges(plane);
    clock = createManualClock();
    streams = createEventStreams({ plane: changes.plane, clock, settings: SETTINGS });
    stop = new AbortController();
  });

  const open = () => {
    const stream = streams.open(stop.signal);
    if (stream === null) {
      throw new Error('too many streams');
    }
    return stream.pipeThrough(new TextDecoderStream()).getReader();
  };

  it('begins with where the log stands, and how soon to come back', async () => {
    const { value = '' } = await open().read();
    const { appliedIndex } = changes.plane.status().position;
    expect(value).toMatch(new RegExp(`^retry: 2000\nevent: status\nid: ${appliedIndex}\ndata: `));
    expect(value.endsWith('\n\n')).toBe(true);
    const data: unknown = JSON.parse(/^data: (.*)$/m.exec(value)?.[1] ?? '');
    expect(data).toMatchObject({ region: 'us-east-1', appliedIndex, quorum: true });
  });

  it('emits at a change, without waiting for the interval', async () => {
    const reader = open();
    await reader.read();
    const next = reader.read();
    await clock.advance(1);
    changes.change();
    expect((await next).value).toMatch(/^event: status\n/);
  });

  it('makes one event of the changes that came while nobody read', async () => {
    const reader = open();
    await reader.read();
    changes.change();
    changes.change();
    const second = await reader.read();
    expect(second.done).toBe(false);
    let isThird = false;
    const third = reader.read().then(() => {
      isThird = true;
    });
    await clock.advance(999);
    expect(isThird).toBe(false);
    await clock.advance(1);
    await third;
    expect(clock.sleeperCount()).toBeLessThanOrEqual(1);
  });

  it('emits at least once in an interval, so that a lost client is noticed', async () => {
    const reader = open();
    await reader.read();
    const next = reader.read();
    await clock.advance(SETTINGS.intervalMs);
    expect((await next).done).toBe(false);
  });

  it('stops and forgets its listener when the reader goes away', async () => {
    const reader = open();
    await reader.read();
    const pending = reader.read();
    await clock.advance(1);
    expect([streams.openCount(), changes.listenerCount()]).toEqual([1, 1]);
    await reader.cancel();
    expect((await pending).done).toBe(true);
    expect([streams.openCount(), changes.listenerCount()]).toEqual([0, 0]);
  });

  it('stops when the request is aborted, also while it waits', async () => {
    const reader = open();
    await reader.read();
    const pending = reader.read();
    await clock.advance(1);
    stop.abort();
    expect((await pending).done).toBe(true);
    expect([streams.openCount(), changes.listenerCount()]).toEqual([0, 0]);
  });

  it('ends after its longest duration, and the browser comes again', async () => {
    const reader = open();
    await reader.read();
    let events = 0;
    for (;;) {
      const pending = reader.read();
      await clock.advance(SETTINGS.intervalMs);
      if ((await pending).done) {
        break;
      }
      events += 1;
    }
    expect(events).toBe(SETTINGS.durationMsMax / SETTINGS.intervalMs - 1);
    expect(streams.openCount()).toBe(0);
  });

  it('gives one event for each request where a host cannot stream', async () => {
    const settings = { ...SETTINGS, durationMsMax: 0 };
    const polled = createEventStreams({ plane: changes.plane, clock, settings });
    const text = await new Response(polled.open(stop.signal)).text();
    expect(text.match(/event: status/g)).toHaveLength(1);
    expect(polled.openCount()).toBe(0);
  });

  it('refuses more streams than it may have, and takes new ones when one has ended', async () => {
    const [first] = [streams.open(stop.signal), streams.open(stop.signal)];
    expect(streams.open(stop.signal)).toBeNull();
    await first?.cancel();
    expect(streams.open(stop.signal)).not.toBeNull();
  });

  it('does nothing for a stream that is never read', async () => {
    streams.open(stop.signal);
    await clock.advance(10);
    expect([changes.listenerCount(), clock.sleeperCount()]).toEqual([0, 0]);
  });
});

describe('GET /v1/events', () => {
  let api: ApiFixture;

  beforeEach(async () => {
    api = await createApiFixture();
  });

  it('streams the commands of others as they are applied', async () => {
    const response = await api.app.request('/v1/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    await api.operate({
      method: 'POST',
      path: '/v1/services/checkout/notes',
      body: { text: 'hello' },
    });
    const second = await reader?.read();
    const idOf = (text = '') => Number(/^id: (\d+)$/m.exec(text)?.[1]);
    expect(idOf(second?.value)).toBe(idOf(first?.value) + 1);
    await reader?.cancel();
  });

  it('refuses the stream that is one too many with a problem', async () => {
    const responses = await Promise.all([1, 2, 3].map(() => api.app.request('/v1/events')));
    const refused = await api.app.request('/v1/events');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await refused.json()).toMatchObject({ code: 'too-many-streams' });
    for (const response of responses) {
      await response.body?.cancel();
    }
    expect((await api.app.request('/v1/events')).status).toBe(200);
  });

  it('answers HEAD without a stream', async () => {
    for (let count = 0; count < 5; count += 1) {
      expect((await api.app.request('/v1/events', { method: 'HEAD' })).status).toBe(200);
    }
    expect((await api.app.request('/v1/events')).status).toBe(200);
  });
});
