/** `docs/agent.md` says what to type; here it is typed, at a region on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHeartbeats } from '../../lib/agent/heartbeat-client.ts';
import { AGENT_ENVIRONMENT } from '../../lib/config/environment.ts';
import { ACTIVE, createRegionStandIns } from '../support/region-stand-in.ts';

const PAGE = readFileSync('docs/agent.md', 'utf8');
const SCRIPT = readFileSync('lib/agent/sh/tripoint-agent.sh', 'utf8');
const TRIPOINT = `"${process.execPath}" "${resolve('lib/cli/main.ts')}"`;

const blocks = (language: string): readonly string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );

let folder = '';
const standIns = createRegionStandIns();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tripoint-docs-'));
});

afterAll(async () => {
  await standIns.close();
  rmSync(folder, { recursive: true });
});

/** A folder with a token, and the command with regions of its own instead of those of the page. */
async function prepare(name: string, command: string) {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, 'token'), 'secret-token\n');
  const urls = new Map<string, string>();
  for (const [url] of command.matchAll(/https:\/\/[\w.-]+\.example\.test/g)) {
    if (!urls.has(url)) {
      const standIn = await standIns.start({ ...ACTIVE, nextBeatMs: 1000, leaseMs: 3000 });
      urls.set(url, standIn.url);
    }
  }
  const text = [...urls].reduce((known, [url, own]) => known.replaceAll(url, own), command);
  return { place, text: text.replaceAll('lib/agent/sh', resolve('lib/agent/sh')) };
}

/** Or until the program that should make it has ended. */
async function untilExists(path: string, child: ChildProcess): Promise<void> {
  while (!existsSync(path) && child.exitCode === null) {
    await delay(20);
  }
  expect(existsSync(path), `the program ended with ${child.exitCode}`).toBe(true);
}

const start = (text: string, cwd: string) =>
  spawn('/bin/sh', ['-c', text.replace('tripoint agent', `exec ${TRIPOINT} agent`)], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });

describe.concurrent('the commands of the page', () => {
  const [sidecar = '', single = '', shell = ''] = blocks('sh');

  it('run the sidecar, which promotes, and demotes when it leaves', async () => {
    const { place, text } = await prepare('sidecar', sidecar);
    const child = start(text, place);
    await untilExists(join(place, 'promoted'), child);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(existsSync(join(place, 'demoted'))).toBe(true);
  });

  it('beat once', async () => {
    const { place, text } = await prepare('once', single);
    const child = start(text, place);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await once(child, 'close');
    expect(output).toMatch(/^check ok: exit code 0\nhttp.*: answered, role active\n$/);
  });

  it('run the agent in shell, which promotes', async () => {
    const { place, text } = await prepare('shell', shell);
    const child = start(text.replace('  sh ', '  exec sh '), place);
    await untilExists(join(place, 'promoted'), child);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('the page', () => {
  it('shows options that the SDK takes', () => {
    const [program = ''] = blocks('js');
    const [, options = ''] = /startHeartbeats\(\{\n(.*?)^\}\);/ms.exec(program) ?? [];
    const names = [...options.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
    expect(names).toEqual([
      'service',
      'site',
      'endpoints',
      'token',
      'intervalMs',
      'status',
      'onRole',
      'onProblem',
    ]);
    const take = new Function(
      'startHeartbeats',
      'process',
      `return startHeartbeats({${options}});`,
    );
    const client = take(startHeartbeats, { env: { TRIPOINT_AGENT_TOKEN: 'secret-token' } });
    expect(client.role()).toEqual({ role: 'unknown', epoch: null });
    return client.stop();
  });

  it('lists every variable, and the shell agent knows all that it can use', () => {
    const listed = [...PAGE.matchAll(/^\| `(TRIPOINT_AGENT_\w+)`/gm)].map(([, name]) => name);
    expect(listed.toSorted()).toEqual(Object.values(AGENT_ENVIRONMENT).toSorted());
    const known = listed.filter((name = '') => new RegExp(`^#.*${name}\\b`, 'm').test(SCRIPT));
    expect(listed.filter((name) => !known.includes(name))).toEqual([
      'TRIPOINT_AGENT_LAG_COMMAND',
      'TRIPOINT_AGENT_SHELL',
    ]);
  });
});
