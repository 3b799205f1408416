/** `tripoint replay`: when would each policy have failed over, had it watched these heartbeats? */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AppError, describeError } from '../../base/errors.ts';
import { parseDuration } from '../../config/duration.ts';
import { backTest } from '../../simulation/replay/back-test.ts';
import { readRecording } from '../../simulation/replay/read-recording.ts';
import {
  REPLAY_LIMITS,
  type Recording,
  recordingOf,
  usualIntervalMs,
} from '../../simulation/replay/recording.ts';
import type { ReplayPolicy } from '../../simulation/replay/watch.ts';
import { isPace } from '../../simulation/traces/arrival-trace.ts';
import { collect, durationArgument } from '../arguments.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { fileFailure } from '../file-failure.ts';
import { type Register, withExamples } from '../invocation.ts';
import { renderReplay, replayDocument } from '../render/replay.ts';
import { renderTimeline } from '../render/replay-timeline.ts';
import { configured, replayPolicy } from '../replay-policy.ts';
import type { Session } from '../session.ts';

interface ReplayOptions {
  readonly policy?: readonly string[];
  readonly config?: string;
  readonly service?: string;
  readonly kind: 'arrivals' | 'arrival' | 'rtt';
  readonly interval?: number;
  readonly intervalMs?: number;
  readonly observers?: readonly string[];
  readonly crashAt?: CrashAt;
  readonly svg?: string;
}

const POLICIES_DEFAULT: readonly string[] = ['phi:8/16', 'misses:3'];

export const registerReplay: Register = (program, run) => {
  const replay: Command = program
    .command('replay')
    .description('Replay recorded heartbeats: when would each policy have failed over?')
    .argument('<file>', 'CSV of arrivals or round trips, or one JSON object a line')
    .option(
      '--policy <policy>',
      'phi:8/16, fixed:30s, misses:3 or FILE.yaml:NAME; may be repeated',
      collect,
    )
    .option('--config <file>', 'with --service: the detection of a configuration')
    .option('-s, --service <name>', 'service of --config')
    .addOption(
      new Option('--kind <kind>', 'what the cells of a CSV are')
        .choices(['arrivals', 'arrival', 'rtt'])
        .default('arrivals'),
    )
    .option('--interval <duration>', 'time between heartbeats; default: measured', durationArgument)
    .addOption(
      new Option('--interval-ms <number>', 'the same as a number of milliseconds')
        .argParser(milliseconds)
        .conflicts('interval'),
    )
    .option('--observers <list>', 'observers that vote, as columns or lines name them', names)
    .option('--crash-at <time>', 'as if all sites died then: 90s, an instant, or end', crashInstant)
    .option('--svg <file>', 'write a timeline as SVG')
    .action((file: string, options: ReplayOptions) =>
      run(replay, (session) => replayFile(session, file, options)),
    );
  withExamples(replay, [
    'tripoint replay docs/examples/beats.csv --policy phi:8/16 --policy misses:3',
    'tripoint replay beats.jsonl --config tripoint.yaml --service checkout --svg beats.svg',
    'tripoint replay rtt.csv --kind rtt --interval 15s --observers o11,o27,o34',
    'tripoint replay beats.jsonl --policy phi:8/16 --crash-at end',
  ]);
};

async function replayFile(
  session: Session,
  file: string,
  options: ReplayOptions,
): Promise<ExitCode> {
  const text = await readText(file);
  const kind = options.kind === 'rtt' ? 'rtt' : 'arrival';
  const read = readRecording(
    text,
    { kind, intervalMs: options.interval ?? options.intervalMs ?? null },
    options.observers ?? null,
  );
  const recording = recordingOf(read.series);
  if (recording === null) {
    return session.failed(NOTHING_HEARD);
  }
  const intervalMs = read.intervalMs ?? usualIntervalMs(recording);
  if (intervalMs === null || intervalMs === 0) {
    return session.failed(NO_PACE);
  }
  if (!isPace(intervalMs)) {
    return session.failed(STRANGE_PACE);
  }
  const policies = await policiesOf(session, options, intervalMs);
  const crashAt = crashInstantOf(options.crashAt, recording);
  const results = backTest(recording, policies, crashAt);
  if (options.svg !== undefined) {
    await writeTimeline(options.svg, { recording, results, crashAt, intervalMs });
  }
  const replayed = { file, intervalMs, recording, crashAt, results };
  session.result(replayDocument(replayed), () => renderReplay(replayed, session.style));
  suggestNext(session, options, file);
  return EXIT.ok;
}

async function policiesOf(
  session: Session,
  { policy, config, service }: ReplayOptions,
  intervalMs: number,
): Promise<readonly ReplayPolicy[]> {
  if ((config === undefined) !== (service === undefined)) {
    throw new AppError('--config and --service belong together', {
      code: 'policy-incomplete',
      hint: 'Give both, e.g. --config tripoint.yaml --service checkout.',
      retryable: false,
    });
  }
  const own =
    config === undefined || service === undefined
      ? []
      : [await configured(session, config, service)];
  const asked = policy ?? (own.length > 0 ? [] : POLICIES_DEFAULT);
  const named = await Promise.all(asked.map((text) => replayPolicy(session, text, intervalMs)));
  const policies = [...own, ...named];
  if (policies.length > REPLAY_LIMITS.policiesMax) {
    throw new AppError(`${policies.length} policies`, {
      code: 'policy-too-many',
      hint: `Compare at most ${REPLAY_LIMITS.policiesMax} at once.`,
      retryable: false,
    });
  }
  return policies;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > REPLAY_LIMITS.fileBytesMax) {
      throw new Error(`${size} bytes; at most ${REPLAY_LIMITS.fileBytesMax} are read`);
    }
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new AppError(`the recording ${fileFailure(file, cause)}`, {
      code: 'recording-unreadable',
      hint: 'Name a readable CSV or JSON-lines file; docs/replay.md shows both.',
      retryable: false,
      cause,
    });
  }
}

async function writeTimeline(
  file: string,
  replayed: Parameters<typeof renderTimeline>[0],
): Promise<void> {
  await writeFile(file, renderTimeline(replayed)).catch((cause: unknown) => {
    throw new AppError(`the timeline cannot be written: ${describeError(cause)}`, {
      code: 'timeline-unwritable',
      hint: 'Name a file in a folder that exists.',
      retryable: false,
      cause,
    });
  });
}

function suggestNext(session: Session, { svg, crashAt }: ReplayOptions, file: string): void {
  if (svg !== undefined) {
    session.message([`timeline: ${svg}`]);
  }
  session.suggest(
    crashAt === undefined
      ? { command: `tripoint replay ${file} --crash-at end`, why: 'had it died then' }
      : null,
  );
}

/** An instant, or a time from the first beat, or the last beat. */
type CrashAt =
  | { readonly kind: 'end' }
  | { readonly kind: 'instant'; readonly at: number }
  | { readonly kind: 'offset'; readonly afterMs: number };

function crashInstant(text: string): CrashAt {
  if (text === 'end') {
    return { kind: 'end' };
  }
  if (/^\d{1,15}$/.test(text)) {
    return { kind: 'instant', at: Number(text) };
  }
  if (/^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text))) {
    return { kind: 'instant', at: Date.parse(text) };
  }
  const afterMs = parseDuration(text);
  if (afterMs === null) {
    throw new InvalidArgumentError(
      'Write a time from the first beat (90s), an instant (milliseconds or RFC 3339), or end.',
    );
  }
  return { kind: 'offset', afterMs };
}

function crashInstantOf(crash: CrashAt | undefined, recording: Recording): number | null {
  if (crash === undefined) {
    return null;
  }
  const at =
    crash.kind === 'end'
      ? recording.endsAt
      : crash.kind === 'instant'
        ? crash.at
        : recording.beginsAt + crash.afterMs;
  if (at < recording.beginsAt || at > recording.endsAt) {
    throw new AppError('--crash-at lies outside the recording', {
      code: 'crash-outside-recording',
      hint: `It lasts from ${recording.beginsAt} to ${recording.endsAt} (milliseconds).`,
      retryable: false,
    });
  }
  return at;
}

function milliseconds(text: string): number {
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number))) {
    throw new InvalidArgumentError('Write a positive number, e.g. 15000.');
  }
  return number;
}

function names(text: string): readonly string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.length > REPLAY_LIMITS.observersMax || list.some((name) => name === '')) {
    throw new InvalidArgumentError(
      `List 1 to ${REPLAY_LIMITS.observersMax} observers, separated by commas.`,
    );
  }
  return list;
}

const NOTHING_HEARD = {
  code: 'recording-empty',
  message: 'the recording holds no heartbeat',
  hint: 'Each series needs at least one arrival.',
} as const;

const NO_PACE = {
  code: 'recording-without-pace',
  message: 'the recording is too short to tell the time between heartbeats',
  hint: 'Give it by --interval, e.g. --interval 1s.',
} as const;

const STRANGE_PACE = {
  code: 'recording-pace-invalid',
  message: 'the heartbeats are less than a microsecond or more than a day apart',
  hint: 'arrivedAt is in milliseconds; give the time between heartbeats by --interval, e.g. --interval 1s.',
} as const;
