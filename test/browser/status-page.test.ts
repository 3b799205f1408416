/**
 * The status page in a real browser, on a real local Tripoint: what a person sees while a site dies.
 *
 * Chromium comes from the system (`chromium` or CHROMIUM_PATH). Screenshots go to the folder that
 * TRIPOINT_SCREENSHOTS names, if it is set.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_DEFAULTS } from '../../lib/local/run-local.ts';
import { EAST, LocalCluster, WEST } from '../e2e/support/cluster.ts';
import { baseline } from '../e2e/support/situation.ts';

const PORT_BASE = 31_000;
const CHROMIUM_PATHS = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'];
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let root: string;
let cluster: LocalCluster;
let browser: Browser;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tripoint-browser-'));
  cluster = new LocalCluster({ root, portBase: PORT_BASE });
  await cluster.start(await readFile(LOCAL_DEFAULTS.configFile, 'utf8'));
  await baseline(cluster);
  browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS });
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(cluster.url('us-east-2'))) {
      problems.push(`asks elsewhere: ${request.url()}`);
    }
  });
  await page.goto(cluster.url('us-east-2'));
});

afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await rm(root, { recursive: true, force: true });
});

describe('status page', () => {
  it('shows the service, its sites, the observers, the leader and the quorum', async () => {
    const text = (await page.locator('body').textContent()) ?? '';
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
    await shoot('healthy');
  });

  it('follows a failover without a reload', async () => {
    await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
    const activeRow = page.getByRole('row').filter({ hasText: 'Active' });
    expect(await activeRow.textContent()).toContain(EAST.address);
    await cluster.kill(EAST.process);
    await activeRow.filter({ hasText: WEST.address }).waitFor({ timeout: 30_000 });
    const deadRow = page.getByRole('row').filter({ hasText: EAST.address });
    await deadRow.filter({ hasText: 'failed' }).waitFor({ timeout: 30_000 });
    await page.getByText(`${EAST.site} → ${WEST.site}`).first().waitFor({ timeout: 30_000 });
    expect(await page.evaluate(() => 'sameDocument' in globalThis)).toBe(true);
    await shoot('failed-over');
  });

  it('is readable on a phone and in the dark', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: 'dark' });
    const overflow = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await shoot('phone-dark');
  });

  it('asks nobody but its own region, and reports no error', () => {
    expect(problems).toEqual([]);
  });
});

function chromiumPath(): string {
  const path = [process.env['CHROMIUM_PATH'], ...CHROMIUM_PATHS].find(
    (candidate) => candidate !== undefined && existsSync(candidate),
  );
  if (path === undefined) {
    throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM_PATH');
  }
  return path;
}

async function shoot(name: string): Promise<void> {
  const folder = process.env['TRIPOINT_SCREENSHOTS'];
  if (folder !== undefined) {
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
}
