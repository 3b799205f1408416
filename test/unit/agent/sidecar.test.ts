/** The sidecar in this process, with real commands and real requests on loopback. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../../lib/agent/child-command.ts';
import {
  marginMs,
  type SidecarEvent,
  type SidecarOptions,
  startSidecar,
} from '../../../lib/agent/sidecar.ts';
import { createSystemClock } from '../../../lib/agent/system-clock.ts';
import {
  ACTIVE,
  createRegionStandIns,
  type RegionStandIn,
  STANDBY,
} from '../../support/region-stand-in.ts';

let dir = '';
const standIns = createRegionStandIns();

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-sidecar-'));
});

afterAll(async () => {
  await standIns.close();
  rmSync(dir, { recursive: true });
});

const region = standIns.start;

const shell = (script: string, timeoutMs = 5000): Command => ({
  words: ['/bin/sh', '-c', script],
  timeoutMs,
});

async function start({ url }: RegionStandIn, options: Partial<SidecarOptions>) {
  const events: SidecarEvent[] = [];
  const waiters = new Set<() => void>();
  const sidecar = await startSidecar({
    service: 'checkout',
    site: 'us-east-1',
    endpoints: [url],
    token: 'secret-token',
    intervalMs: 200,
    check: { kind: 'none' },
    checkIntervalMs: 200,
    lag: null,
    promote: null,
    demote: null,
    isLeavingOnExit: false,
    environment: { PATH: '/usr/bin:/bin' },
    clock: createSystemClock({ keepProcessAlive: true }),
    random: () => 0.5,
    onEvent: (event) => {
      events.push(event);
      for (const look of waiters) {
        look();
      }
    },
    ...options,
  });
  const until = (holds: (event: SidecarEvent) => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (events.some(holds)) {
          waiters.delete(look);
          resolve();
        }
      };
      waiters.add(look);
      look();
    });
  return { sidecar, events, until };
}

describe.concurrent('a sidecar', () => {
  it('ends a hook that hangs, and tries again until one has worked', async () => {
    const tried = join(dir, 'tried');
    const script = `mkdir ${tried} && sleep 60; test -e ${tried}/2 || { touch ${tried}/2; exit 5; }`;
    const { sidecar, events, until } = await start(await region(STANDBY), {
      demote: shell(script, 200),
    });
    await until((event) => event.kind === 'hook-ended' && event.retryMs === null);
    const outcomes = events.flatMap((event) => (event.kind === 'hook-ended' ? event.outcome : []));
    expect(outcomes).toMatchObject([
      { kind: 'timed-out' },
      { kind: 'exited', code: 5 },
      { kind: 'exited', code: 0 },
    ]);
    expect(sidecar.state().achieved).toBe('demote');
    await sidecar.stop();
  });

  it('demotes a site of which no region has said anything', async () => {
    const silent = await region();
    silent.reply('hang');
    const reason = join(dir, 'reason');
    const { sidecar, until } = await start(silent, {
      demote: shell(`echo "$TRIPOINT_REASON:$TRIPOINT_ROLE:$TRIPOINT_EPOCH_TERM" > ${reason}`),
    });
    await until(({ kind }) => kind === 'hook-ended');
    expect(readFileSync(reason, 'utf8')).toBe('not-heard:unknown:\n');
    await sidecar.stop();
  });

  it('gives word of a role that was taken when its hook has ended, and at once', async () => {
    const standIn = await region(ACTIVE);
    const { sidecar, events, until } = await start(standIn, {
      promote: shell('true'),
      demote: shell('sleep 0.2'),
    });
    await until((event) => event.kind === 'hook-ended' && event.action === 'promote');
    standIn.reply(STANDBY);
    const beat = await standIn.until(({ body }) => body.acknowledgedEpoch !== undefined);
    expect(beat.body.acknowledgedEpoch).toEqual({ term: 2, index: 20 });
    expect(events.some((event) => event.kind === 'hook-ended' && event.action === 'demote')).toBe(
      true,
    );
    await sidecar.stop();
  });

  it('does not beat before the first look at the site, and says what it found', async () => {
    const standIn = await region();
    const { sidecar, events } = await start(standIn, {
      check: { kind: 'command', command: shell('echo not well; exit 1') },
      lag: shell('echo 77'),
    });
    const { body } = await standIn.until(() => true);
    expect(body).toMatchObject({ sequence: 1, status: 'degraded', replicationLagMs: 77 });
    expect(events[0]).toEqual({
      kind: 'check',
      finding: { status: 'degraded', detail: 'exit code 1: not well' },
    });
    await sidecar.stop();
    expect(events.at(-1)).toEqual({ kind: 'stopped', toldRegions: 0, isDemoted: true });
  });

  it('says no goodbye when the site cannot be demoted, since it may serve on', async () => {
    const standIn = await region();
    const { sidecar, events, until } = await start(standIn, {
      demote: shell('false', 50),
      isLeavingOnExit: true,
    });
    await until(({ kind }) => kind === 'role');
    await sidecar.stop();
    expect(events.at(-1)).toEqual({ kind: 'stopped', toldRegions: 0, isDemoted: false });
    expect(standIn.beats.map(({ body }) => body.status)).not.toContain('leaving');
  });

  it('leaves nothing running when its options can never work', async () => {
    const looks = join(dir, 'looks');
    const standIn = await region();
    const broken = start(standIn, {
      endpoints: [standIn.url, standIn.url],
      check: { kind: 'command', command: shell(`echo x >> ${looks}`) },
      checkIntervalMs: 10,
    });
    await expect(broken).rejects.toThrow('an endpoint is named twice');
    const size = readFileSync(looks, 'utf8').length;
    await delay(100);
    expect(readFileSync(looks, 'utf8').length).toBe(size);
  });

  it('takes no role any more once it is to leave', async () => {
    const standIn = await region();
    const { sidecar, events, until } = await start(standIn, {
      promote: shell('true'),
      demote: shell('sleep 0.5', 1000),
      isLeavingOnExit: true,
    });
    const promotions = () =>
      events.filter((event) => event.kind === 'hook-started' && event.action === 'promote').length;
    await until((event) => event.kind === 'hook-ended' && event.action === 'promote');
    const stopped = sidecar.stop();
    const before = promotions();
    standIn.reply({ ...ACTIVE, term: 9 });
    await stopped;
    expect(promotions()).toBe(before);
    expect(standIn.beats.at(-1)?.body.status).toBe('leaving');
  });
});

describe('marginMs', () => {
  it('is what a demotion may take, with the end of a promotion that is in its way', () => {
    const demote = shell('x', 700);
    expect(marginMs({ demote, promote: null })).toBe(700);
    expect(marginMs({ demote, promote: shell('x') })).toBe(1200);
    expect(marginMs({ demote: null, promote: shell('x') })).toBe(0);
  });
});
