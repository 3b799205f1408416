/**
 * The status page in a real browser, on a real local Tripoint: what a person sees while a site dies,
 * while traffic moves by hand, and of what people have set.
 *
 * One page stays open from the first test to the last, and is never loaded again.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_DEFAULTS } from '../../lib/local/run-local.ts';
import { EAST, LocalCluster, SERVICE, WEST } from '../e2e/support/cluster.ts';
import { untilReady } from '../e2e/support/recovery-place.ts';
import { baseline, freshStatus } from '../e2e/support/situation.ts';
import { until } from '../e2e/support/wait.ts';
import { type OpenPage, openPage, overflowOf, shoot } from './support/chromium.ts';
import { MORE_SERVICES } from './support/services.ts';

const PORT_BASE = 31_000;
/** Of what the page shows by itself: two detections and a run, on a machine that is busy. */
const SHOWN = { timeout: 30_000 };

let root: string;
let cluster: LocalCluster;
let open: OpenPage;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tripoint-browser-'));
  cluster = new LocalCluster({ root, portBase: PORT_BASE });
  await cluster.start((await readFile(LOCAL_DEFAULTS.configFile, 'utf8')) + MORE_SERVICES);
  await baseline(cluster);
  for (const name of ['catalog', 'billing', 'orders']) {
    await untilReady(cluster, name);
  }
  open = await openPage(cluster.url('us-east-2'));
  await open.page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
});

afterAll(async () => {
  await open?.browser.close();
  await cluster?.stop();
  await rm(root, { recursive: true, force: true });
});

describe('status page', () => {
  it('shows the service, its sites, the observers, the leader and the quorum', async () => {
    const text = (await open.page.locator('body').textContent()) ?? '';
    for (const word of [
      'checkout',
      'us-east-1',
      'us-east-2',
      'us-west-2',
      'Local mode',
      'Leader',
    ]) {
      expect(text).toContain(word);
    }
    await shoot(open.page, 'healthy');
  });

  it('follows a failover without a reload', async () => {
    const activeRow = card(SERVICE).getByRole('row').filter({ hasText: 'Active' });
    expect(await activeRow.textContent()).toContain(EAST.address);
    await cluster.kill(EAST.process);
    await activeRow.filter({ hasText: WEST.address }).waitFor(SHOWN);
    const deadRow = card(SERVICE).getByRole('row').filter({ hasText: EAST.address });
    await deadRow.filter({ hasText: 'failed' }).waitFor(SHOWN);
    await open.page.getByText(`${EAST.site} → ${WEST.site}`).first().waitFor(SHOWN);
    await shoot(open.page, 'failed-over');
  });

  it('shows the shares of a service that serves from two sites, and those it is given', async () => {
    const shares = fact('catalog', 'Traffic');
    expect(await shares.textContent()).toBe('us-east-1 70 % · us-west-2 30 %');
    await tripoint('weights catalog us-east-1=20 us-west-2=80 --reason test --yes');
    await shares.filter({ hasText: 'us-east-1 20 % · us-west-2 80 %' }).waitFor(SHOWN);
    expect(await card('catalog').locator('.badge.active').count()).toBe(2);
  });

  it('says what a run waits for, in words that let a second person answer', async () => {
    const asked = 'failover orders --to us-west-2 --reason moving --yes --no-wait';
    await tripoint(asked);
    const run = runOf('orders');
    const hint = run.getByText('Waits for a person');
    await hint.waitFor(SHOWN);
    await card('orders').locator('.phase').filter({ hasText: 'Waits for a person' }).waitFor(SHOWN);
    expect(await run.locator('.steps li').first().textContent()).toContain('approve');
    await shoot(open.page, 'waiting');
    const command = await run.locator('code', { hasText: 'tripoint approve' }).textContent();
    expect(command).toMatch(/^tripoint approve orders-\d+ --reason …$/);
    const words = (command ?? '').replace('tripoint ', '').replace('…', 'agreed');
    await tripoint(`${words} --by somebody-else --yes`);
    await hint.waitFor({ ...SHOWN, state: 'detached' });
    await run.locator('summary').filter({ hasText: 'Done' }).waitFor(SHOWN);
  });

  it('shows a drill that stands: where the traffic is, and until when', async () => {
    await tripoint('drill billing --reason practice --yes');
    await fact('billing', 'Drill').filter({ hasText: 'Practice at us-west-2' }).waitFor(SHOWN);
    await card('billing').locator('.phase').filter({ hasText: 'Drill' }).waitFor(SHOWN);
    await open.page.locator('#summary').filter({ hasText: 'billing is in a drill' }).waitFor(SHOWN);
    const service = (await freshStatus(cluster))?.services.find((one) => one.service === 'billing');
    const home = await fact('billing', 'Drill').locator('time').getAttribute('datetime');
    expect(home).toBe(service?.drill?.revertAt);
  });

  it('shows the stages of a run in their order', async () => {
    const ended = await until(
      'the run of the drill has ended',
      async () => {
        const run = (await freshStatus(cluster))?.runs.find((one) => one.kind === 'drill');
        return run?.outcome.kind === 'done' ? run : null;
      },
      { timeoutMs: 30_000 },
    );
    const run = runOf('billing');
    await run.locator('summary').filter({ hasText: 'Done' }).waitFor(SHOWN);
    await run.evaluate((item) => item.querySelector('details')?.setAttribute('open', ''));
    const steps = await run.locator('.steps li').allTextContents();
    expect(steps.length).toBe(ended.steps.length);
    ended.steps.forEach((step, place) => {
      expect(steps[place]).toContain(step.name);
    });
    expect(await run.locator('.stages dt').allTextContents()).toEqual([
      'detect',
      'decide',
      'act',
      'propagate',
      'verify',
      'total',
    ]);
    const known = [ended.stages.actMs, ended.stages.propagateMs, ended.stages.verifyMs];
    const widths = await run
      .locator('.stage-bar rect')
      .evaluateAll((parts) => parts.map((part) => Number(part.getAttribute('width'))));
    const sum = known.reduce<number>((all, ms) => all + (ms ?? 0), 0);
    known.forEach((ms, place) => {
      expect(widths[place + 2]).toBeCloseTo((1000 * (ms ?? 0)) / sum, 0);
    });
  });

  it('shows what is frozen and what is set aside while it is so, by whom and why', async () => {
    await tripoint('freeze orders --for 2h --reason migration');
    await tripoint('override catalog hold-down --for 30m --reason flapping --yes');
    await tripoint('freeze --for 10m --reason outage');
    await fact('orders', 'Freeze').filter({ hasText: 'migration' }).waitFor(SHOWN);
    const aside = fact('catalog', 'Set aside').filter({ hasText: 'flapping' });
    await aside.filter({ hasText: 'hold-down' }).waitFor(SHOWN);
    const all = open.page.locator('#overview').getByText('All services');
    await all.waitFor(SHOWN);
    await shoot(open.page, 'drill');
  });

  it('has a heading above each column, and none over the next one', async () => {
    await open.page.setViewportSize({ width: 1100, height: 900 });
    const headings = open.page.locator('.sites thead th');
    expect(await headings.count()).toBeGreaterThan(5);
    const spills = await headings.evaluateAll((cells) =>
      cells.map((cell) => cell.scrollWidth - cell.clientWidth),
    );
    expect(Math.max(...spills)).toBeLessThanOrEqual(0);
  });

  it('is readable on a phone and in the dark', async () => {
    await open.page.setViewportSize({ width: 390, height: 844 });
    await open.page.emulateMedia({ colorScheme: 'dark' });
    expect(await overflowOf(open.page)).toBeLessThanOrEqual(0);
    const told = await open.page.locator('.events .sentence').first().boundingBox();
    expect((told?.x ?? 390) + (told?.width ?? 390)).toBeLessThanOrEqual(390);
    await shoot(open.page, 'phone-dark');
  });

  it('takes down what ends, without a reload', async () => {
    await tripoint('unfreeze --reason over');
    await tripoint('unfreeze orders --reason over');
    await tripoint('override catalog hold-down --end --reason over');
    await tripoint('drill end billing');
    for (const gone of [
      open.page.locator('#overview').getByText('All services'),
      fact('orders', 'Freeze'),
      fact('catalog', 'Set aside'),
      fact('billing', 'Drill'),
    ]) {
      await gone.waitFor({ ...SHOWN, state: 'detached' });
    }
    expect(await open.page.evaluate(() => 'sameDocument' in globalThis)).toBe(true);
  });

  it('asks nobody but its own region, and reports no error', () => {
    expect(open.problems).toEqual([]);
  });
});

function card(service: string): Locator {
  return open.page.locator(`#service-${service}`);
}

/** What the card of a service says under this name. */
function fact(service: string, name: string): Locator {
  const named = open.page.locator('dt').getByText(name, { exact: true });
  return card(service).locator('.facts > div').filter({ has: named }).locator('dd');
}

/** The newest run of a service. */
function runOf(service: string): Locator {
  return open.page.locator(`.runs > li[id^="run-${service}-"]`).first();
}

/** Runs the real command line. @throws Error when it does not end well. */
async function tripoint(words: string): Promise<void> {
  const { code, output } = await cluster.tripoint(...words.split(' '));
  if (code !== 0) {
    throw new Error(`tripoint ${words} ended with ${code}:\n${output}`);
  }
}
