/** The SDK as others get it: packed, unpacked elsewhere, used from plain JavaScript and from types. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegionStandIn, startRegionStandIn } from '../../support/region-stand-in.ts';

let folder = '';
let region: RegionStandIn;

beforeAll(async () => {
  region = await startRegionStandIn();
  folder = mkdtempSync(join(tmpdir(), 'tripoint-sdk-'));
  const words = ['pack', '--silent', '--pack-destination', folder];
  execFileSync('npm', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [archive = ''] = readdirSync(folder);
  const home = join(folder, 'node_modules/tripoint');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', home, '--strip-components=1']);
});

afterAll(async () => {
  await region.close();
  rmSync(folder, { recursive: true });
});

const PROGRAM = `
import { startHeartbeats } from 'tripoint/agent';
const heartbeats = startHeartbeats({
  service: 'checkout', site: 'us-east-1', token: 'secret-token', intervalMs: 1000,
  endpoints: [process.argv[2]], keepProcessAlive: true,
  onRole: async ({ role, epoch }, reason) => {
    const now = heartbeats.role().role;
    const { toldRegions } = await heartbeats.stop({ leaving: true });
    console.log(JSON.stringify({ role, term: epoch.term, reason, now, toldRegions }));
  },
});
`;

const TYPED = `
import {
  type HeartbeatClient, type HeartbeatOptions, type SiteRole, startHeartbeats,
} from 'tripoint/agent';
declare const options: HeartbeatOptions;
const heartbeats: HeartbeatClient = startHeartbeats({
  ...options, onRole: (role: SiteRole, reason) => { const why: 'answered' | 'lease-lapsed' = reason; },
});
export const told: Promise<{ readonly toldRegions: number }> = heartbeats.stop({ leaving: true });
// The next line must not compile.
startHeartbeats({ ...options, intervalMs: 'soon' });
`;

describe('tripoint/agent', () => {
  it.each(runtimes())('runs from plain JavaScript on Node %s', async (_, node) => {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, PROGRAM);
    const output = await run(node, [file, region.url]);
    expect(JSON.parse(output)).toEqual({
      role: 'active',
      term: 1,
      reason: 'answered',
      now: 'active',
      toldRegions: 1,
    });
  });

  it.each(['nodenext', 'bundler'])(
    'brings its types (%s), which catch mistakes',
    async (resolution) => {
      const file = join(folder, 'program.ts');
      writeFileSync(file, TYPED);
      const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
      const options = [
        '--strict',
        '--noEmit',
        '--ignoreConfig',
        '--target',
        'es2022',
        '--types',
        '',
      ];
      const words = [...options, '--module', module, '--moduleResolution', resolution, file];
      const output = await run('node_modules/.bin/tsc', words).catch(({ stdout }) =>
        String(stdout),
      );
      expect(output.match(/error TS\d+/g)).toEqual(['error TS2322']);
      expect(output).toContain("Type 'string' is not assignable to type 'number'");
    },
  );

  it('can be required where modules are CommonJS, and offers nothing of its inside', async () => {
    const file = join(folder, 'program.cjs');
    const inside = `import('tripoint/dist/agent/lease.js').catch(({ code }) => console.log(code))`;
    writeFileSync(
      file,
      `console.log(typeof require('tripoint/agent').startHeartbeats);\n${inside}`,
    );
    expect(await run(process.execPath, [file])).toBe('function\nERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});

/** This Node, and an older one where the machine has it. */
function runtimes(): readonly (readonly [string, string])[] {
  const candidates = (process.env['PATH'] ?? '').split(delimiter).map((path) => join(path, 'node'));
  const versions = [process.execPath, ...candidates].flatMap((path) => {
    try {
      const version = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim();
      return [[version, path] as const];
    } catch {
      return [];
    }
  });
  return [...new Map(versions).entries()].filter(
    ([version]) => Number.parseInt(version.slice(1), 10) >= 18,
  );
}

async function run(program: string, words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...words], { timeout: 20_000 });
  return stdout;
}
