/** Writes the evidence of a run, as JSON and for people, into the store of the region that does it. */
import type { SnapshotStore } from '../../backup/snapshot-store.ts';
import { encodeReport, reportOf } from '../../recovery/report.ts';
import { reportMarkdown } from '../../recovery/report-text.ts';
import type { StepResult } from '../../recovery/run.ts';
import { again, type StepWork } from './step-work.ts';

/** Where the report of a run is kept, in the store of the region that wrote it. */
export function reportKeys(run: string): { readonly json: string; readonly markdown: string } {
  return { json: `reports/report-${run}.json`, markdown: `reports/report-${run}.md` };
}

export async function writeReport({ run, service, ports, context }: StepWork): Promise<StepResult> {
  const report = reportOf(run, await context.report(run, service.policy));
  const keys = reportKeys(run.id);
  const encoder = new TextEncoder();
  const json = await ports.store.put(keys.json, encoder.encode(encodeReport(report)));
  // A report that another attempt wrote stands as it is: it tells the same run.
  const digest =
    json.kind === 'conflict' ? await storedDigest(ports.store, keys.json) : report.digest.value;
  if (json.kind === 'unknown') {
    return again('report-not-stored');
  }
  const markdown = await ports.store.put(keys.markdown, encoder.encode(reportMarkdown(report)));
  return markdown.kind === 'unknown'
    ? again('report-not-stored')
    : { kind: 'done', evidence: { key: keys.json, digest } };
}

/** null when nobody can say what stands there. */
async function storedDigest(store: SnapshotStore, key: string): Promise<string | null> {
  const stored = await store.get(key);
  const text = stored.kind === 'found' ? new TextDecoder().decode(stored.bytes) : '';
  return /"digest": \{\s*"method": "[\w-]+",\s*"value": "([0-9a-f]{64})"/.exec(text)?.[1] ?? null;
}
