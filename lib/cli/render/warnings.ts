/** Early warnings in `tripoint status`: signs of a failure to come, on which nothing is decided. */
import type { WarningJson } from '../../api/schema-parts.ts';

/** One line for each sign, however many observers see it. */
export function warningLines(
  sites: readonly { readonly site: string; readonly warnings: readonly WarningJson[] }[],
): readonly string[] {
  return sites.flatMap(({ site, warnings }) =>
    [...Map.groupBy(warnings, ({ code }) => code)].map(
      ([code, [first]]) => `▲ early warning, ${site}: ${code}: ${first?.sentence ?? ''}`,
    ),
  );
}
