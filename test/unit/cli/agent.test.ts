/** `tripoint agent` as a user runs it: the real program, real commands, servers on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAgentSettings } from '../../../lib/cli/agent-settings.ts';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { invoke } from '../../support/command-line.ts';
import { ACTIVE, createRegionStandIns, STANDBY } from '../../support/region-stand-in.ts';

const TOKEN = 'secret-token-of-the-site-0123456789';

interface Agent {
  readonly child: ChildProcess;
  /** Everything that was printed so far, on both streams. */
  readonly printed: () => string;
  /** Resolves with the first event that matches, also an earlier one. */
  readonly until: (parts: Record<string, unknown>) => Promise<Record<string, unknown>>;
  readonly exit: Promise<number | null>;
}

let dir = '';
let tokenFile = '';
const children: ChildProcess[] = [];
const standIns = createRegionStandIns();

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-agent-'));
  tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
});

afterAll(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
  }
  await standIns.close();
  rmSync(dir, { recursive: true });
});

const region = standIns.start;

function start(words: readonly string[], variables: Record<string, string> = {}): Agent {
  const site = ['--service', 'checkout', '--site', 'us-east-1', '--interval', '500ms'];
  const command = ['lib/cli/main.ts', 'agent', '--json', ...site, ...words];
  const env = { PATH: '/usr/bin:/bin', TRIPOINT_AGENT_TOKEN_FILE: tokenFile, ...variables };
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const events: Record<string, unknown>[] = [];
  const waiters = new Set<() => void>();
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    text += `${line}\n`;
    events.push(JSON.parse(line));
    for (const look of waiters) {
      look();
    }
  });
  return {
    child,
    printed: () => text,
    until: (parts) =>
      new Promise((resolve) => {
        const look = () => {
          const event = events.find((each) =>
            Object.entries(parts).every(([name, value]) => each[name] === value),
          );
          if (event !== undefined) {
            waiters.delete(look);
            resolve(event);
          }
        };
        waiters.add(look);
        look();
      }),
    exit: once(child, 'close').then(([code]) => code as number | null),
  };
}

/** What they wait for is other processes, so they wait together. */
describe.concurrent('tripoint agent', () => {
  test('beats to every region with what the check finds, and follows the role', async () => {
    const [first, second] = [await region(), await region()];
    const state = join(dir, 'state');
    writeFileSync(state, '0');
    const log = join(dir, 'roles');
    const note = (action: string) =>
      `echo "${action} $TRIPOINT_ROLE $TRIPOINT_EPOCH_TERM.$TRIPOINT_EPOCH_INDEX $TRIPOINT_REASON" >> ${log}`;
    const agent = start([
      ...['--endpoint', first.url, '--endpoint', second.url, '--shell'],
      ...['--check-command', `exit "$(cat ${state})"`, '--lag-command', 'echo 1234'],
      ...['--on-promote', note('promote'), '--on-demote', note('demote')],
    ]);
    await agent.until({ event: 'hook-ended', action: 'promote', outcome: 'exited' });
    const { path, authorization, body } = await second.until(() => true);
    expect(path).toBe('/v1/services/checkout/sites/us-east-1/heartbeats');
    expect(authorization).toBe(`Bearer ${TOKEN}`);
    expect(body).toMatchObject({ sequence: 1, status: 'ok', replicationLagMs: 1234 });
    writeFileSync(state, '1');
    await first.until((beat) => beat.body.status === 'degraded');
    writeFileSync(state, '7');
    await second.until((beat) => beat.body.status === 'failing');
    second.reply(STANDBY);
    await agent.until({ event: 'hook-ended', action: 'demote', outcome: 'exited' });
    expect(readFileSync(log, 'utf8').split('\n')).toEqual([
      'promote active 1.10 answered',
      'demote standby 2.20 answered',
      '',
    ]);
  });

  test('shows its token to nobody but the regions', async () => {
    const standIn = await region();
    const seen = join(dir, 'seen');
    const look = `cat /proc/$PPID/cmdline 2>/dev/null | tr '\\0' ' '; env; cat /proc/$PPID/cmdline >> ${seen}; env >> ${seen}`;
    const agent = start(
      [
        '--endpoint',
        standIn.url,
        '--shell',
        '--check-command',
        look,
        '--on-promote',
        `${look}; exit 3`,
      ],
      { TRIPOINT_AGENT_TOKEN: TOKEN, TRIPOINT_TOKEN: TOKEN, HEADER: `Bearer ${TOKEN}` },
    );
    await agent.until({ event: 'hook-ended', action: 'promote' });
    standIn.reply({ status: 401 });
    await agent.until({ event: 'problem', code: 'refused' });
    expect(readFileSync(seen, 'utf8')).toContain('TRIPOINT_AGENT_TOKEN_FILE=');
    expect(readFileSync(seen, 'utf8')).not.toContain(TOKEN);
    expect(agent.printed()).not.toContain(TOKEN);
  });
});

describe('tripoint agent, cut off', () => {
  test('demotes before the lease ends when every region falls into a black hole', async () => {
    const answer = JSON.stringify({ ...ACTIVE, nextBeatMs: 500, leaseMs: 1500 });
    const command = ['test/support/region-stand-in-main.ts', answer];
    const hole = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(hole);
    const [url] = (await once(createInterface({ input: hole.stdout }), 'line')) as [string];
    const agent = start([
      ...['--endpoint', url, '--on-promote', 'true', '--on-demote', 'true'],
      ...['--demote-timeout', '250ms'],
    ]);
    await agent.until({ event: 'hook-ended', action: 'promote' });
    hole.kill('SIGSTOP');
    const stoppedAt = performance.now();
    const role = await agent.until({ event: 'role', role: 'unknown' });
    await agent.until({ event: 'hook-ended', action: 'demote', outcome: 'exited' });
    // The latest answered request was sent before the stop, and its lease is 1500 ms long.
    expect(performance.now() - stoppedAt).toBeLessThan(1500);
    expect(role).toMatchObject({ reason: 'lease-lapsed', epoch: { term: 1, index: 10 } });
    hole.kill('SIGCONT');
    agent.child.kill('SIGINT');
    expect(await agent.exit).toBe(EXIT.ok);
    expect(agent.printed()).not.toContain('"reason":"leaving"');
  });
});

describe('tripoint agent --once', () => {
  const words = ['agent', '--once', '--json', '--service', 'checkout', '--site', 'us-east-1'];
  const beat = (...more: readonly string[]) =>
    invoke([...words, ...more], {
      variables: { TRIPOINT_AGENT_TOKEN: TOKEN, PATH: '/usr/bin:/bin' },
    });

  test('checks, beats to all regions and says what each of them answered', async () => {
    const [good, bad] = [await region(), await region()];
    bad.reply({ status: 503 });
    const done = await beat(
      '--endpoint',
      good.url,
      '--endpoint',
      bad.url,
      '--check-command',
      'false',
    );
    expect(done.exitCode).toBe(EXIT.ok);
    expect(JSON.parse(done.output)).toMatchObject({
      status: 'degraded',
      regions: [
        { endpoint: good.url, isAnswered: true, detail: 'answered, role active' },
        { endpoint: bad.url, isAnswered: false },
      ],
    });
    expect(good.beats.map(({ body }) => body)).toMatchObject([{ sequence: 1, status: 'degraded' }]);
  });

  test.each([
    [401, EXIT.unauthorised],
    [503, EXIT.error],
  ])('ends with its own code when every region says %i', async (status, exitCode) => {
    const standIn = await region();
    standIn.reply({ status });
    expect((await beat('--endpoint', standIn.url)).exitCode).toBe(exitCode);
  });

  test('ends when no region answers', async () => {
    const done = await beat('--endpoint', 'http://127.0.0.1:1', '--interval', '100ms');
    expect(done.exitCode).toBe(EXIT.error);
  });
});

describe('the settings of the agent', () => {
  const variables = {
    TRIPOINT_AGENT_TOKEN: TOKEN,
    TRIPOINT_AGENT_SERVICE: 'checkout',
    TRIPOINT_AGENT_SITE: 'us-east-1',
    TRIPOINT_AGENT_ENDPOINTS: 'https://a.example.test, https://b.example.test',
    TRIPOINT_AGENT_INTERVAL: '10s',
    TRIPOINT_AGENT_CHECK_URL: 'http://127.0.0.1:8080/health',
    TRIPOINT_AGENT_ON_DEMOTE: "/bin/fence 'now it is'",
  };
  const read = (flags: object, more: object = {}) =>
    readAgentSettings({
      flags,
      endpoint: [],
      tokenFile: null,
      variables: { ...variables, ...more },
    });

  test('may all come from the environment, with limits that follow from the interval', async () => {
    expect(await read({})).toMatchObject({
      service: 'checkout',
      site: 'us-east-1',
      endpoints: ['https://a.example.test', 'https://b.example.test'],
      token: TOKEN,
      intervalMs: 10_000,
      checkIntervalMs: 10_000,
      check: { kind: 'url', timeoutMs: 5000 },
      promote: null,
      demote: { words: ['/bin/fence', 'now it is'], timeoutMs: 10_000 },
    });
  });

  test('are overruled by flags, and the token of a file by nothing', async () => {
    const { site, token, environment } = await read(
      { site: 'us-west-2' },
      { TRIPOINT_AGENT_TOKEN_FILE: tokenFile, TRIPOINT_AGENT_TOKEN: 'another' },
    );
    expect([site, token]).toEqual(['us-west-2', TOKEN]);
    expect(Object.keys(environment)).not.toContain('TRIPOINT_AGENT_TOKEN');
  });

  test('switch on by a variable what a flag switches on', async () => {
    const { demote, isLeavingOnExit } = await read(
      { onDemote: 'a | b' },
      { TRIPOINT_AGENT_SHELL: '1', TRIPOINT_AGENT_LEAVING_ON_EXIT: '1' },
    );
    expect(demote?.words).toEqual(['/bin/sh', '-c', 'a | b']);
    expect(isLeavingOnExit).toBe(true);
  });

  test.each([
    [{ interval: '5' }, {}, /--interval "5" is not a duration/],
    [{ interval: '1ms' }, {}, /--interval is not between/],
    [{ demoteTimeout: '1h' }, {}, /--demote-timeout is not between 50ms and 10m/],
    [{ onPromote: 'a && b' }, {}, /--on-promote: "&& b" needs a shell/],
    [{ checkCommand: 'true' }, {}, /exclude each other/],
    [{ once: true }, {}, /--once runs no hooks/],
    [{}, { TRIPOINT_AGENT_ENDPOINTS: 'http://far.example.test' }, /only to this machine/],
    [{}, { TRIPOINT_AGENT_CHECK_URL: 'ftp://x' }, /not an http\(s\) URL/],
    [{}, { TRIPOINT_AGENT_SERVICE: '', TRIPOINT_AGENT_SITE: ' ' }, /no --service.*\n.*no --site/],
  ])('%j %j is refused in words', async (flags, more, text) => {
    await expect(read(flags, more)).rejects.toThrow(text);
  });

  test('are asked for all at once, with exit code 2', async () => {
    const { exitCode, output } = await invoke(['agent', '--json']);
    expect(exitCode).toBe(EXIT.usage);
    const { error } = JSON.parse(output);
    expect(error.code).toBe('agent-options');
    expect(error.message.match(/\n {2}no /g)).toHaveLength(4);
  });
});
