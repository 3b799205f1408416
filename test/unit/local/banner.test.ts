import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../lib/cli/program.ts';
import { type BannerOptions, commandsToTry, renderBanner } from '../../../lib/local/banner.ts';
import { loadLocalConfiguration } from '../../../lib/local/local-configuration.ts';
import { createLayout } from '../../../lib/local/local-layout.ts';
import { LOCAL_DEFAULTS } from '../../../lib/local/run-local.ts';
import { clusterRecord } from './fixtures/cluster-record.ts';

async function bannerOptions(change: Partial<BannerOptions> = {}): Promise<BannerOptions> {
  const layout = createLayout({ dir: '.tripoint', portBase: 7100 });
  const { policies, sites } = await loadLocalConfiguration({
    file: LOCAL_DEFAULTS.configFile,
    layout,
    record: clusterRecord(),
    variables: {},
  });
  return {
    layout,
    policies,
    siteUrls: new Map(sites.map(({ name, url }) => [name, url])),
    commandOptions: '',
    startedInMs: 2840,
    ...change,
  };
}

/** As a shell would split it; the banner quotes with double quotes only. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

describe('the screen of npm start', () => {
  it('says what runs where', async () => {
    const text = renderBanner(await bannerOptions());
    expect(text).toContain('Tripoint is up: 3 regions on one machine, in 2.8 s.');
    for (const place of [
      'http://127.0.0.1:7101/',
      'http://127.0.0.1:7103',
      '127.0.0.1:7153 (UDP and TCP)',
      'http://127.0.0.11:8101',
      'checkout.example.test',
    ]) {
      expect(text).toContain(place);
    }
  });

  it('tells the story of one failover, with the lines of the README', async () => {
    const commands = commandsToTry(await bannerOptions()).map(({ command }) => command);
    expect(commands).toEqual([
      'npx tripoint status',
      'dig +short @127.0.0.1 -p 7153 checkout.example.test',
      'npx tripoint local kill checkout@us-east-1',
      'dig +short @127.0.0.1 -p 7153 checkout.example.test',
      'npx tripoint local start checkout@us-east-1',
      'npx tripoint failback checkout --reason "site is back" --yes',
      'npx tripoint local kill us-east-1',
      'npx tripoint local start us-east-1',
    ]);
  });

  it('prints only commands that the command line takes, also for another folder', async () => {
    const options = await bannerOptions({ commandOptions: ' --dir /tmp/second' });
    for (const { command } of commandsToTry(options)) {
      const [first, second, ...words] = wordsOf(command);
      if (first === 'dig') {
        continue;
      }
      expect([first, second]).toEqual(['npx', 'tripoint']);
      const run: Command[] = [];
      const program = createProgram((chosen) => {
        run.push(chosen);
        return Promise.resolve();
      });
      await program.parseAsync([...words], { from: 'user' });
      expect(run).toHaveLength(1);
      expect(run[0]).toBeInstanceOf(Command);
      expect(program.opts()['dir']).toBe('/tmp/second');
    }
  });

  it('stays within 100 columns where nothing long is configured', async () => {
    const lines = renderBanner(await bannerOptions()).split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  it('leaves out the site story when no site runs on this machine', async () => {
    const options = await bannerOptions({ siteUrls: new Map() });
    const commands = commandsToTry(options).map(({ command }) => command);
    expect(commands.some((command) => command.includes('checkout@'))).toBe(false);
    expect(commands).toContain('npx tripoint local kill us-east-1');
  });
});
