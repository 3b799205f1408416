/** The early warnings that stand about a site, as JSON: in the order of the observers. */
import type { CommittedWarning } from '../recovery/state.ts';
import type { WarningJson } from './schema-parts.ts';

export function presentWarnings(
  site: { readonly warnings?: { readonly [observer: string]: CommittedWarning } } | undefined,
  observers: readonly string[],
): WarningJson[] {
  const warnings = new Map(Object.entries(site?.warnings ?? {}));
  return observers.flatMap((observer) => {
    const warning = warnings.get(observer)?.warning;
    return warning?.code == null
      ? []
      : [
          {
            observer,
            code: warning.code,
            sentence: warning.sentence,
            sinceAt: new Date(warning.since).toISOString(),
          },
        ];
  });
}
