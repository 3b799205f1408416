/**
 * Local mode from outside, as processes: what it refuses, and what survives.
 *
 * The long stories (failover, lost regions, random kills) are `npm run e2e`; here are the ones that
 * a user meets at the prompt, on one cluster that is started a few times.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_DEFAULTS } from '../../lib/local/run-local.ts';
import { type CommandRun, LocalCluster } from '../e2e/support/cluster.ts';
import { sleep, until } from '../e2e/support/wait.ts';

const START_TIMEOUT_MS = 120_000;
const CONFIGURATION = readFileSync(LOCAL_DEFAULTS.configFile, 'utf8');

let root: string;
let portBase: number;
let cluster: LocalCluster;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'tripoint-local-'));
  portBase = 10_000 + (process.pid % 150) * 100;
  cluster = new LocalCluster({ root, portBase });
  await cluster.start(CONFIGURATION);
}, START_TIMEOUT_MS);

afterAll(async () => {
  await cluster.stop();
  rmSync(root, { recursive: true, force: true });
});

function startAgain(options: { readonly portBase: number }): Promise<CommandRun> {
  return cluster.tripoint('start', '--port-base', String(options.portBase));
}

describe('local mode', { timeout: START_TIMEOUT_MS }, () => {
  it('answers DNS, the API and the sites as the file for the CLI says', async () => {
    expect(await cluster.resolve()).toEqual(['127.0.0.11']);
    expect((await cluster.status('us-west-2'))?.services[0]?.activeSite).toBe('us-east-1');
    expect(Object.keys(cluster.file.sites)).toEqual(['checkout@us-east-1', 'checkout@us-west-2']);
    expect((await cluster.processes()).every(({ state }) => state === 'running')).toBe(true);
  });

  it('keeps its secrets from other users of the machine', () => {
    for (const name of ['cluster.json', 'local.json', 'logs/us-east-1.log']) {
      expect(statSync(join(cluster.dir, name)).mode & 0o077).toBe(0);
    }
  });

  it('refuses a second supervisor on the same folder', async () => {
    for (const base of [portBase, portBase + 2000]) {
      const { code, output } = await startAgain({ portBase: base });
      expect(code).not.toBe(0);
      expect(output).toContain('a supervisor runs on this folder already');
    }
  });

  it('names the port that is taken, and the way out', async () => {
    const taken = portBase + 3053;
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
    const other = new LocalCluster({ root: join(root, 'other'), portBase: portBase + 3000 });
    await expect(other.start(CONFIGURATION)).rejects.toThrow(
      new RegExp(`TCP port ${taken} on 127.0.0.1, wanted for DNS[\\s\\S]*--port-base`),
    );
    await new Promise((resolve) => server.close(resolve));
  });

  it('kills and starts processes by name, on the command line', async () => {
    const killed = await cluster.tripoint('local', 'kill', 'us-east-2');
    expect(killed.code).toBe(0);
    const down = (await cluster.processes()).find(({ name }) => name === 'us-east-2');
    expect(down).toMatchObject({ state: 'down', exit: { signal: 'SIGKILL' } });
    const started = await cluster.tripoint('local', 'start', 'us-east-2');
    expect(started.output).toContain('started us-east-2');
    expect(await cluster.status('us-east-2')).not.toBeNull();
  });

  it('gives a region that lost its table no vote, until a person says so', async () => {
    await cluster.kill('us-east-2');
    rmSync(join(cluster.dir, 'us-east-2'), { recursive: true });
    expect((await cluster.tripoint('local', 'start', 'us-east-2')).code).toBe(0);
    const log = () => readFileSync(join(cluster.dir, 'logs', 'us-east-2.log'), 'utf8');
    const isMissed = async () => (log().includes('"event":"register-absent"') ? true : null);
    await until('the missing register is told', isMissed, { timeoutMs: 20_000 });
    const replaced = await cluster.tripoint('region', 'replace', 'us-east-2');
    expect(replaced.output).toMatch(/voters are us-east-1, us-east-2#\w+, us-west-2\./);
  });

  it(
    'ends every process within three seconds of Ctrl-C, and starts again as it was',
    async () => {
      await until(
        'all verdicts are in',
        async () => {
          const sites = (await cluster.status('us-east-1'))?.services[0]?.sites ?? [];
          return sites.every(({ verdicts }) => verdicts.length === 3) ? true : null;
        },
        { timeoutMs: 20_000 },
      );
      const before = await cluster.status('us-east-1');
      const pids = (await cluster.processes()).flatMap(({ pid }) => pid ?? []);
      expect(await cluster.stop()).toBeLessThan(3000);
      expect(pids.filter(isAlive)).toEqual([]);

      await cluster.start(CONFIGURATION);
      const after = await cluster.status('us-east-1');
      expect(after?.runs).toEqual(before?.runs);
      expect(after?.services[0]?.epoch).toEqual(before?.services[0]?.epoch);
    },
    START_TIMEOUT_MS,
  );

  it('refuses to make the zone anew once it had one', async () => {
    await cluster.kill('dns');
    const zone = join(cluster.dir, 'dns', 'zone.json');
    const text = readFileSync(zone);
    rmSync(zone);
    const refused = await cluster.tripoint('local', 'start', 'dns');
    expect(refused.output).toContain('the DNS zone is gone');
    writeFileSync(zone, text);
    expect((await cluster.tripoint('local', 'start', 'dns')).code).toBe(0);
    expect(await cluster.resolve()).toEqual(['127.0.0.11']);
  });
});

describe('a first start that is cut off', () => {
  it(
    'goes on where it stopped, at whatever instant the supervisor was killed',
    async () => {
      const young = new LocalCluster({ root: join(root, 'young'), portBase: portBase + 4000 });
      for (const killAfterMs of [150, 450, 750, 1050]) {
        const cutOff = young.start(CONFIGURATION).catch(() => null);
        await sleep(killAfterMs);
        young.killSupervisor();
        await cutOff;
      }
      await young.start(CONFIGURATION);
      expect(await young.resolve()).toEqual(['127.0.0.11']);
      expect((await young.status('us-east-2'))?.consensus.quorum).toBe(true);
      await young.stop();

      rmSync(join(young.dir, 'cluster.json'));
      await expect(young.start(CONFIGURATION)).rejects.toThrow('cluster.json is gone');
    },
    START_TIMEOUT_MS,
  );
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
