/** The agent in POSIX shell, run by real shells against servers on loopback, with the real curl. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACTIVE, createRegionStandIns, STANDBY } from '../support/region-stand-in.ts';

const SCRIPT = 'lib/agent/sh/tripoint-agent.sh';
const TOKEN = 'secret-token-of-the-site-0123456789';
const LENT = { nextBeatMs: 1000, leaseMs: 3000 };

const isThere = (program: string) => spawnSync(program, ['--help']).error === undefined;
const shells = [['dash'], ['busybox', 'ash'], ['bash', '--posix']].filter(([program = '']) =>
  isThere(program),
);

interface Agent {
  readonly child: ChildProcess;
  readonly printed: () => string;
  readonly until: (text: string) => Promise<void>;
  readonly exit: Promise<number | null>;
}

let dir = '';
let tokenFile = '';
const children: ChildProcess[] = [];
const standIns = createRegionStandIns();

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-shell-agent-'));
  tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
});

afterAll(async () => {
  for (const child of children) {
    child.kill('SIGTERM');
    child.kill('SIGCONT');
  }
  // Each takes its own folder away.
  await Promise.all(
    children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
  );
  await standIns.close();
  rmSync(dir, { recursive: true, force: true });
});

const region = (answer = ACTIVE) => standIns.start({ ...answer, ...LENT });

function start(
  settings: Readonly<Record<string, string>>,
  [shell = 'sh', ...rest]: readonly string[] = ['sh'],
  path = process.env['PATH'] ?? '/usr/bin:/bin',
): Agent {
  const variables = { SERVICE: 'checkout', SITE: 'us-east-1', TOKEN_FILE: tokenFile, ...settings };
  const env = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [`TRIPOINT_AGENT_${name}`, value]),
  );
  const child = spawn(shell, [...rest, SCRIPT], {
    env: { PATH: path, TMPDIR: dir, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let text = '';
  const waiters = new Set<() => void>();
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    for (const look of waiters) {
      look();
    }
  });
  return {
    child,
    printed: () => text,
    until: (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          if (text.includes(wanted)) {
            waiters.delete(look);
            resolve();
          }
        };
        waiters.add(look);
        look();
      }),
    exit: once(child, 'close').then(([code]) => code as number | null),
  };
}

describe('the agent in shell', { concurrent: true }, () => {
  it.each(shells)('beats, checks and follows the role under %s', async (...shell) => {
    const [first, second] = [await region(), await region()];
    const state = join(dir, `state-${shell[0]}`);
    const log = join(dir, `roles-${shell[0]}`);
    writeFileSync(state, '0');
    const note = (action: string) =>
      `echo "${action} $TRIPOINT_ROLE $TRIPOINT_EPOCH_TERM.$TRIPOINT_EPOCH_INDEX $TRIPOINT_REASON" >> ${log}`;
    const agent = start(
      {
        ENDPOINTS: `${first.url}/, ${second.url}`,
        CHECK_COMMAND: `yes | head -c 1000000; exit "$(cat ${state})"`,
        ON_PROMOTE: note('promote'),
        ON_DEMOTE: note('demote'),
      },
      shell,
    );
    await agent.until('promote ended with exit code 0');
    const { path, authorization, body } = await second.until(() => true);
    expect(path).toBe('/v1/services/checkout/sites/us-east-1/heartbeats');
    expect(authorization).toBe(`Bearer ${TOKEN}`);
    expect(body).toEqual({ sequence: 1, bootId: expect.any(String), status: 'ok' });
    writeFileSync(state, '1');
    await first.until((beat) => beat.body.status === 'degraded');
    first.reply({ ...STANDBY, ...LENT });
    await agent.until('demote ended with exit code 0');
    const { body: last } = await first.until((beat) => beat.body.acknowledgedEpoch !== undefined);
    expect(last.acknowledgedEpoch).toEqual({ term: 2, index: 20 });
    agent.child.kill('SIGTERM');
    expect(await agent.exit).toBe(0);
    expect(readFileSync(log, 'utf8')).toBe(
      'promote active 1.10 answered\ndemote standby 2.20 answered\n',
    );
    const numbers = first.beats.map(({ body: { sequence } }) => sequence);
    expect(numbers).toEqual(numbers.map((_, position) => position + 1));
    expect(agent.printed()).not.toContain(TOKEN);
  });

  it('demotes before the lease ends when every region falls into a black hole', async () => {
    const answer = JSON.stringify({ ...ACTIVE, ...LENT });
    const command = ['test/support/region-stand-in-main.ts', answer];
    const hole = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(hole);
    const [chunk] = (await once(hole.stdout, 'data')) as [Buffer];
    const agent = start({ ENDPOINTS: chunk.toString().trim(), ON_DEMOTE: 'true' });
    await agent.until('role active');
    hole.kill('SIGSTOP');
    const stoppedAt = performance.now();
    await agent.until('demote ended with exit code 0');
    expect(performance.now() - stoppedAt).toBeLessThan(3000);
    expect(agent.printed()).toContain('(lease-lapsed)');
  });

  it('counts the time that the machine slept, and not what the wall clock says', async () => {
    const uptime = join(dir, 'uptime');
    const bootedAt = performance.now() - 5_000_000;
    let sleptSeconds = 0;
    const tell = () => {
      const seconds = (performance.now() - bootedAt) / 1000 + sleptSeconds;
      writeFileSync(uptime, `${seconds.toFixed(2)} 1.00\n`);
    };
    tell();
    const ticking = setInterval(tell, 20);
    const standIn = await region();
    const agent = start({ ENDPOINTS: standIn.url, UPTIME_FILE: uptime, ON_DEMOTE: 'true' });
    await agent.until('role active');
    standIn.reply('hang');
    sleptSeconds = 3600;
    const wokenAt = performance.now();
    await agent.until('role unknown');
    expect(performance.now() - wokenAt).toBeLessThan(1500);
    clearInterval(ticking);
  });

  it('works by the wall clock where there is no other', async () => {
    const agent = start({ ENDPOINTS: (await region()).url, UPTIME_FILE: '', ON_PROMOTE: 'true' });
    await agent.until('promote ended with exit code 0');
  });

  it('demotes and then says goodbye when it is to leave, and leaves nothing behind', async () => {
    const standIn = await region();
    const own = mkdtempSync(join(dir, 'leaving-'));
    const agent = start({
      ENDPOINTS: standIn.url,
      ON_DEMOTE: `echo $TRIPOINT_REASON > ${own}/reason`,
      LEAVING_ON_EXIT: '1',
      UPTIME_FILE: '/proc/uptime',
    });
    await agent.until('role active');
    const folder = readdirSync(dir).filter((each) => each.includes(`.${agent.child.pid}.`));
    expect(folder).toHaveLength(1);
    agent.child.kill('SIGINT');
    expect(await agent.exit).toBe(0);
    expect(readFileSync(`${own}/reason`, 'utf8')).toBe('leaving\n');
    expect(standIn.beats.at(-1)?.body.status).toBe('leaving');
    expect(existsSync(join(dir, folder[0] ?? ''))).toBe(false);
  });

  it('ends a hook that hangs with all that it started, and tries again', async () => {
    const tried = join(dir, 'hanging');
    const agent = start({
      ENDPOINTS: (await region(STANDBY)).url,
      ON_DEMOTE: `trap '' TERM; mkdir ${tried} && { sleep 60 & echo $! > ${tried}/pid; wait; sleep 60; }; true`,
    });
    await agent.until('demote ended with exit code 124');
    await agent.until('demote ended with exit code 0');
    const left = Number(readFileSync(`${tried}/pid`, 'utf8'));
    await delay(50);
    expect(existsSync(`/proc/${left}/fd/0`)).toBe(false);
  });

  it('demotes a site of which no region has said anything', async () => {
    const silent = await region();
    silent.reply({ status: 503 });
    const agent = start({ ENDPOINTS: silent.url, ON_DEMOTE: 'true' });
    await agent.until('demote begins (not-heard)');
    expect(agent.printed()).toContain('status 503');
  });

  it.runIf(existsSync('/proc/self/cmdline'))(
    'shows its token in no list of processes',
    async () => {
      const standIn = await region();
      standIn.reply('hang');
      const seen = join(dir, 'environment');
      const agent = start({
        ENDPOINTS: standIn.url,
        TOKEN,
        CHECK_COMMAND: `env > ${seen}`,
      });
      await standIn.until(() => true);
      // The request hangs, so curl is running now.
      const lists = readdirSync('/proc')
        .filter((each) => /^\d+$/.test(each))
        .map(commandLineOf);
      expect(lists.some((line) => line.startsWith('curl') && line.includes(standIn.url))).toBe(
        true,
      );
      expect(lists.filter((line) => line.includes(TOKEN))).toEqual([]);
      expect(readFileSync(seen, 'utf8')).not.toContain(TOKEN);
      expect(agent.printed()).not.toContain(TOKEN);
    },
  );
});

describe('the agent in shell, among strangers', { concurrent: true }, () => {
  it.each(shells)('promotes on nothing but the answer of a region under %s', async (...shell) => {
    const lent = '"nextBeatMs":1000,"leaseMs":3000';
    const bad = [
      `{"role":"active","epoch":{"term":"1;touch x","index":1},${lent}}`,
      `{"role":"active","epoch":{"term":1.5,"index":1},${lent}}`,
      `{"role":"active$(touch x)","epoch":null,${lent}}`,
      `{"role":active,"epoch":null,${lent}}`,
      `{"role":"active",${lent}}`,
      `* ? "role":"active","epoch":null,${lent}`,
    ];
    const portals = await Promise.all(bad.map(() => region()));
    portals.forEach((portal, position) => {
      portal.reply({ status: 200, text: bad[position] ?? '' });
    });
    const long = await region();
    long.reply({ status: 500, text: `\u001b[2J${'A\u001b'.repeat(20_000)}` });
    const urls = portals.map(({ url }) => url);
    const agent = start({ ENDPOINTS: [...urls, long.url].join() }, shell);
    await agent.until('(not-heard)');
    for (const url of urls) {
      expect(agent.printed()).toContain(`no good answer from ${url}: status 200`);
    }
    expect(agent.printed()).toContain(`no good answer from ${long.url}: status unknown`);
    expect(agent.printed()).not.toContain('\u001b');
    expect(agent.printed()).not.toContain('role active');
  });

  it.each(shells)('reads an answer that was laid out anew under %s', async (...shell) => {
    const { role, ...rest } = { role: 'active', epoch: null, ...LENT };
    const standIn = await region();
    const text = `${JSON.stringify({ ...rest, role }, null, 2)}\r\n`;
    standIn.reply({ status: 200, text });
    await start({ ENDPOINTS: standIn.url }, shell).until('role active at term -1');
  });

  it.each(shells)(
    'takes its token away when its whole group is ended under %s',
    async (...shell) => {
      const bin = mkdtempSync(join(dir, 'bin-'));
      // As if the signal came again while `rm` runs.
      const text = '#!/bin/sh\ncase $1 in -rf) kill -TERM $$ ;; esac\nexec /bin/rm "$@"\n';
      writeFileSync(join(bin, 'rm'), text, { mode: 0o700 });
      const standIn = await region();
      standIn.reply('hang');
      const agent = start({ ENDPOINTS: standIn.url }, shell, `${bin}:${process.env['PATH']}`);
      await standIn.until(() => true);
      agent.child.kill('SIGTERM');
      // Its request has ended as well.
      expect(await agent.exit).toBe(0);
      expect(readdirSync(dir).filter((each) => each.includes(`.${agent.child.pid}.`))).toEqual([]);
      expect(agent.printed()).not.toContain('answer.');
    },
  );
});

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

describe('the settings of the agent in shell', () => {
  const good = {
    TRIPOINT_AGENT_SERVICE: 'checkout',
    TRIPOINT_AGENT_SITE: 'us-east-1',
    TRIPOINT_AGENT_TOKEN: TOKEN,
    TRIPOINT_AGENT_ENDPOINTS: 'https://a.example.test',
  };

  it.each([
    [{ TRIPOINT_AGENT_SERVICE: '' }, 'TRIPOINT_AGENT_SERVICE is not set'],
    [{ TRIPOINT_AGENT_SITE: 'a/../b' }, 'TRIPOINT_AGENT_SITE is not set, or not a name'],
    [{ TRIPOINT_AGENT_INTERVAL: '500ms' }, 'not a time in whole seconds'],
    [{ TRIPOINT_AGENT_INTERVAL: '0' }, 'is not between'],
    [{ TRIPOINT_AGENT_TOKEN: '' }, 'there is no token'],
    [{ TRIPOINT_AGENT_TOKEN: 'a"b' }, 'there is no token'],
    [{ TRIPOINT_AGENT_TOKEN_FILE: '/no/such/file' }, 'the token file cannot be read'],
    [{ TRIPOINT_AGENT_ENDPOINTS: '' }, 'names 1 to 7 regions'],
    [{ TRIPOINT_AGENT_ENDPOINTS: 'http://far.example.test' }, 'begins with https://'],
    [{ TRIPOINT_AGENT_ENDPOINTS: 'https://a"; rm -rf x' }, 'this is not a URL'],
    [{ TRIPOINT_AGENT_CHECK_URL: 'http://x', TRIPOINT_AGENT_CHECK_COMMAND: 'y' }, 'one check'],
  ])('%j is refused before the first beat', (wrong, text) => {
    const env = { PATH: process.env['PATH'] ?? '', TMPDIR: dir, ...good, ...wrong };
    const done = spawnSync('sh', [SCRIPT], { env, encoding: 'utf8', timeout: 10_000 });
    expect(done.status).toBe(2);
    expect(done.stderr).toContain(text);
    expect(done.stderr).not.toContain(TOKEN);
  });

  it.each(shells)('%s can read the whole script', (shell, ...rest) => {
    execFileSync(shell, [...rest, '-n', SCRIPT]);
  });
});

describe('the unit for systemd', () => {
  const UNIT = 'lib/agent/sh/tripoint-agent.service';
  const entries = readFileSync(UNIT, 'utf8')
    .split('\n')
    .filter((line) => /^[A-Za-z]+=/.test(line))
    .map((line) => line.split(/=(.*)/s));
  const settingOf = (name: string) => entries.find(([key]) => key === name)?.[1];

  it('is a unit file: sections, comments and assignments', () => {
    for (const line of readFileSync(UNIT, 'utf8').split('\n')) {
      expect(line).toMatch(/^(#.*|\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*|)$/);
    }
    const isRepeated = entries.some(
      ([key], position) => entries.findIndex(([other]) => other === key) !== position,
    );
    expect(isRepeated).toBe(false);
  });

  it('starts the agent again for ever, without privileges, with the token as a credential', () => {
    expect(
      ['Restart', 'StartLimitIntervalSec', 'DynamicUser', 'NoNewPrivileges'].map(settingOf),
    ).toEqual(['always', '0', 'yes', 'yes']);
    expect(settingOf('LoadCredential')).toMatch(/^token:\//);
    expect(settingOf('Environment')).toBe('TRIPOINT_AGENT_TOKEN_FILE=%d/token');
    expect(readFileSync('lib/agent/sh/tripoint-agent.env', 'utf8')).not.toMatch(/TOKEN=/);
  });

  it('gives a hook and a goodbye the time to end before the agent is killed', () => {
    expect(Number(settingOf('TimeoutStopSec'))).toBeGreaterThanOrEqual(2 * 10 + 3);
  });

  it.runIf(isThere('systemd-analyze'))('passes the check of systemd itself', () => {
    const copy = join(dir, 'tripoint-agent.service');
    const text = readFileSync(UNIT, 'utf8').replaceAll('/usr/local/bin/tripoint-agent', '/bin/sh');
    writeFileSync(copy, text);
    const done = spawnSync('systemd-analyze', ['verify', copy], { encoding: 'utf8' });
    const about = done.stderr.split('\n').filter((line) => line.includes('tripoint-agent'));
    expect(about).toEqual([]);
  });

  it('has an example of settings that the agent takes as they are', () => {
    const env = Object.fromEntries(
      readFileSync('lib/agent/sh/tripoint-agent.env', 'utf8')
        .split('\n')
        .filter((line) => /^#?TRIPOINT/.test(line))
        .map((line) => line.replace(/^#/, '').split(/=(.*)/s)),
    );
    const { TRIPOINT_AGENT_CHECK_COMMAND: _, ...settings } = env;
    const done = spawnSync('sh', [SCRIPT], {
      env: { PATH: process.env['PATH'] ?? '', TMPDIR: dir, ...settings },
      encoding: 'utf8',
      timeout: 10_000,
    });
    // All that is missing is the token.
    expect(done.stderr).toContain('there is no token');
  });
});
