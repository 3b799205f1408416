/** The words after `npm run evaluate --`. */
import { AppError } from '../../lib/base/errors.ts';
import { parseDuration } from '../../lib/config/duration.ts';
import type { TraceKind } from '../../lib/simulation/traces/trace-file.ts';

export interface Settings {
  readonly json: boolean;
  /** Null = the recorded and the synthetic traces of the repository. */
  readonly file: string | null;
  readonly kind: TraceKind;
  readonly intervalMs: number | null;
  readonly detectionMs: readonly number[] | null;
  readonly seed: number;
  /** Where to write the charts; null = nowhere. */
  readonly charts: string | null;
}

const USAGE = `usage: npm run -s evaluate -- [--json] [--seed N] [--charts DIRECTORY]
       npm run -s evaluate -- --trace FILE [--kind arrivals|rtt] [--interval 15s] [--json]
                              [--detection-ms N,N,…]

FILE is CSV, one column a series, one row a beat; header and index column are optional. Cells are
arrival times in ms, or with --kind rtt round trips in seconds; empty = lost. As in \`tripoint
replay\`, --kind arrival and --interval-ms 15000 are understood as well.`;

export function settingsFrom(words: readonly string[]): Settings {
  let settings: Settings = {
    json: false,
    file: null,
    kind: 'arrival',
    intervalMs: null,
    detectionMs: null,
    seed: 1,
    charts: null,
  };
  const rest = words.flatMap((word) => word.match(/^(--[a-z-]+)=(.*)$/s)?.slice(1) ?? [word]);
  while (rest.length > 0) {
    const flag = rest.shift() ?? '';
    const change = flag === '--json' ? { json: true } : changeFor(flag, rest.shift());
    settings = { ...settings, ...change };
  }
  return settings;
}

function changeFor(flag: string, value: string | undefined): Partial<Settings> {
  const known = VALUES[flag];
  if (known === undefined) {
    throw wrong(`${flag} is not known`);
  }
  if (value === undefined) {
    throw wrong(`${flag} needs a value`);
  }
  return known(value);
}

const VALUES: { readonly [flag: string]: (value: string) => Partial<Settings> } = {
  '--trace': (file) => ({ file }),
  '--charts': (charts) => ({ charts }),
  '--kind': (kind) => {
    if (kind !== 'arrival' && kind !== 'arrivals' && kind !== 'rtt') {
      throw wrong(`--kind is arrivals or rtt, not ${kind}`);
    }
    return { kind: kind === 'rtt' ? 'rtt' : 'arrival' };
  },
  '--interval': (value) => {
    const intervalMs = parseDuration(value);
    if (intervalMs === null) {
      throw wrong(`--interval is a duration such as 15s, not ${value}`);
    }
    return { intervalMs: positive(String(intervalMs), '--interval') };
  },
  '--interval-ms': (value) => ({ intervalMs: positive(value, '--interval-ms') }),
  '--seed': (value) => ({ seed: positive(value, '--seed') }),
  '--detection-ms': (value) => ({
    detectionMs: value.split(',').map((one) => positive(one, '--detection-ms')),
  }),
};

function positive(value: string, flag: string): number {
  const number = Number(value);
  if (!(number > 0 && Number.isFinite(number))) {
    throw wrong(`${flag} takes positive numbers, not ${JSON.stringify(value)}`);
  }
  return number;
}

function wrong(message: string): AppError {
  return new AppError(message, { code: 'usage', hint: USAGE, retryable: false });
}
