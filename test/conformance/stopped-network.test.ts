/**
 * The demote hook of each agent, in time, while no region can be reached at all: three regions as
 * processes that are frozen, which to an agent is a network that swallows everything.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTIVE } from '../support/region-stand-in.ts';

const [INTERVAL_MS, LEASE_MS] = [1000, 3000];
/** What demoting takes; each agent is told that it may take a second. */
const DEMOTE_SECONDS = 0.4;
const TOKEN = 'secret-token-of-the-site-0123456789';

let dir = '';
const children: ChildProcess[] = [];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-stopped-network-'));
  writeFileSync(join(dir, 'token'), TOKEN, { mode: 0o600 });
});

afterAll(async () => {
  for (const child of children) {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
  }
  await Promise.all(
    children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
  );
  rmSync(dir, { recursive: true, force: true });
});

function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const [program = '', ...words] = command;
  const child = spawn(program, words, {
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: dir, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  return child;
}

async function startRegion(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const answer = JSON.stringify({ ...ACTIVE, nextBeatMs: INTERVAL_MS, leaseMs: LEASE_MS });
  const child = run([process.execPath, 'test/support/region-stand-in-main.ts', answer]);
  const [chunk] = child.stdout === null ? [] : ((await once(child.stdout, 'data')) as [Buffer]);
  return { url: String(chunk).trim(), child };
}

const promoteHook = (marks: string) => `touch ${marks}-promoted`;
const demoteHook = (marks: string) => `sleep ${DEMOTE_SECONDS}; touch ${marks}-demoted`;

/** Starts an agent that leaves `<marks>-promoted` and `<marks>-demoted`. */
type Start = (urls: readonly string[], marks: string) => ChildProcess;

const AGENTS: readonly (readonly [string, Start])[] = [
  [
    'the library',
    (urls, marks) => {
      const program = join(dir, 'program.mjs');
      const text = `
        import { execSync } from 'node:child_process';
        import { startHeartbeats } from ${JSON.stringify(join(process.cwd(), 'lib/agent/heartbeat-client.ts'))};
        startHeartbeats({
          service: 'checkout', site: 'us-east-1', token: '${TOKEN}', intervalMs: ${INTERVAL_MS},
          endpoints: ${JSON.stringify(urls)}, leaseMarginMs: 1000, keepProcessAlive: true,
          onRole: ({ role }) => execSync(role === 'active'
            ? ${JSON.stringify(promoteHook(marks))} : ${JSON.stringify(demoteHook(marks))}),
        });`;
      writeFileSync(program, text);
      return run([process.execPath, program]);
    },
  ],
  [
    'the sidecar',
    (urls, marks) =>
      run([
        ...[process.execPath, 'lib/cli/main.ts', 'agent', '--shell'],
        ...['--service', 'checkout', '--site', 'us-east-1', '--token-file', join(dir, 'token')],
        ...urls.flatMap((url) => ['--endpoint', url]),
        ...['--on-promote', promoteHook(marks), '--on-demote', demoteHook(marks)],
      ]),
  ],
  [
    'the shell agent',
    (urls, marks) =>
      run(['sh', 'lib/agent/sh/tripoint-agent.sh'], {
        TRIPOINT_AGENT_SERVICE: 'checkout',
        TRIPOINT_AGENT_SITE: 'us-east-1',
        TRIPOINT_AGENT_TOKEN_FILE: join(dir, 'token'),
        TRIPOINT_AGENT_ENDPOINTS: urls.join(','),
        TRIPOINT_AGENT_ON_PROMOTE: promoteHook(marks),
        TRIPOINT_AGENT_ON_DEMOTE: demoteHook(marks),
      }),
  ],
];

async function until(file: string): Promise<void> {
  while (!existsSync(file)) {
    await delay(10);
  }
}

describe('with every region out of reach', () => {
  it.each(AGENTS)('%s has demoted before the lease ends', async (_name, start) => {
    const regions = await Promise.all([startRegion(), startRegion(), startRegion()]);
    const marks = join(dir, `marks-${regions[0]?.child.pid}`);
    start(
      regions.map(({ url }) => url),
      marks,
    );
    await until(`${marks}-promoted`);
    await delay(INTERVAL_MS * 1.5);
    for (const { child } of regions) {
      child.kill('SIGSTOP');
    }
    const stoppedAt = Date.now();
    await until(`${marks}-demoted`);
    // The last beat that was answered left before the regions stopped, and the lease counts from it.
    expect(statSync(`${marks}-demoted`).mtimeMs - stoppedAt).toBeLessThan(LEASE_MS);
    expect(statSync(`${marks}-demoted`).mtimeMs - stoppedAt).toBeGreaterThan(0);
  });
});
