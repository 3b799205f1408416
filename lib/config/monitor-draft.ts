/** Drafts of monitors out of a file that may be wrong in places, for the rules between values. */
import { TOKEN_PATTERN } from './file-fields.ts';
import { MONITOR_FIELDS } from './monitor-file-schema.ts';
import { checkMonitors, type MonitorDraft } from './monitor-relations.ts';
import type { Finding, Path } from './problem.ts';
import { entriesOf, isMapping, valueAt } from './tree.ts';

/** Every rule about monitors that the file breaks, at its place in the file. */
export function monitorFindings(file: unknown): readonly Finding[] {
  const monitors = entriesOf(valueAt(file, ['monitors']));
  const services = entriesOf(valueAt(file, ['services']));
  const drafts = monitors.map(([name, body]) => draftOf(name, body));
  const tokens = services.flatMap(([, body]) =>
    entriesOf(valueAt(body, ['sites'])).flatMap(([, site]) => hashesAt(site, ['tokens'])),
  );
  const known = tokens.filter((token) => token !== null);
  const taken = { services: services.map(([name]) => name), tokens: new Set(known) };
  return checkMonitors(drafts, taken).map(({ monitor, file: path, message, fix }) => {
    const own = monitor === null ? [] : [drafts[monitor]?.service ?? '', ...path];
    return { path: ['monitors', ...own], atKey: false, message, fix };
  });
}

function draftOf(service: string, body: unknown): MonitorDraft {
  const read = <Output>(schema: Reader<Output>, path: Path): Output | undefined => {
    const parsed = schema.safeParse(valueAt(body, path));
    return parsed.success ? parsed.data : undefined;
  };
  const sites = valueAt(body, ['sites']);
  const hasProvisioning = valueAt(body, ['provisioning']) !== undefined;
  return {
    service,
    intervalMs: read(MONITOR_FIELDS.interval, ['detection', 'interval']),
    silenceMsMax: read(MONITOR_FIELDS.maxSilence, ['detection', 'maxSilence']),
    suspectPhi: read(MONITOR_FIELDS.suspectPhi, ['detection', 'suspectPhi']),
    failPhi: read(MONITOR_FIELDS.failPhi, ['detection', 'failPhi']),
    sites:
      sites === undefined || isMapping(sites)
        ? entriesOf(sites).map(([site, own]) => ({ site, tokens: hashesAt(own, ['tokens']) }))
        : undefined,
    provisioning: hasProvisioning
      ? {
          sitesMax: read(MONITOR_FIELDS.maxSites, ['provisioning', 'maxSites']),
          tokens: hashesAt(body, ['provisioning', 'tokens']),
        }
      : undefined,
  };
}

interface Reader<Output> {
  readonly safeParse: (value: unknown) => { success: true; data: Output } | { success: false };
}

/** null for an entry that is no hash, so that positions agree. */
function hashesAt(value: unknown, path: Path): readonly (string | null)[] {
  const list = valueAt(value, path);
  return Array.isArray(list)
    ? list.map((token) => (typeof token === 'string' && TOKEN_PATTERN.test(token) ? token : null))
    : [];
}
