/**
 * A page in Chromium, which comes from the system (`chromium` or CHROMIUM_PATH). It keeps what went
 * wrong in it: errors of scripts, and requests to anybody but the region that it shows.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

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

export interface OpenPage {
  readonly browser: Browser;
  readonly page: Page;
  readonly problems: readonly string[];
}

export async function openPage(url: string): Promise<OpenPage> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_FLAGS });
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const problems: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) {
      problems.push(`asks elsewhere: ${request.url()}`);
    }
  });
  await page.goto(url);
  return { browser, page, problems };
}

function chromiumPath(): string {
  const path = [process.env['CHROMIUM_PATH'], ...CHROMIUM_PATHS].find(
    (candidate) => candidate !== undefined && existsSync(candidate),
  );
  if (path === undefined) {
    throw new Error('no Chromium: apt-get install chromium, or set CHROMIUM_PATH');
  }
  return path;
}

/** How many CSS pixels the page is wider than its window. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}

/** Into the folder that TRIPOINT_SCREENSHOTS names, if it is set. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['TRIPOINT_SCREENSHOTS'];
  if (folder !== undefined) {
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
}
