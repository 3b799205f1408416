/** `tripoint log show --at`: the entry, then the services and the runs as they were after it. */
import type { LogJson, RunJson, ServiceJson } from '../../api/schemas.ts';
import { renderLog } from './log.ts';
import { renderRuns } from './runs.ts';
import { renderServices } from './services.ts';
import type { Style } from './style.ts';

interface ShownState {
  readonly index: number;
  readonly chain: string;
  /** Where the replay began; 0 = with the first entry. */
  readonly replayedAfter: number;
  readonly entry: LogJson['entries'][number];
  readonly services: readonly ServiceJson[];
  readonly runs: readonly RunJson[];
}

export function renderStateAt(state: ShownState, style: Style): readonly string[] {
  const { index, chain, replayedAfter, entry, services, runs } = state;
  const begin =
    replayedAfter === 0 ? 'the first entry' : `the copy of the state at ${replayedAfter}`;
  return [
    ...renderLog([entry], style),
    style(`link ${index}:${chain}, replayed from ${begin}`, 'dim'),
    '',
    ...(services.length === 0
      ? [style('no services are configured', 'warning')]
      : renderServices(services, style)),
    ...(runs.length === 0 ? [] : ['', ...renderRuns(runs, style)]),
  ];
}
