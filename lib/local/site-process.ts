/**
 * The process that plays one site of the demo service: a real server that beats to every region.
 *
 * It begins to beat only when the regions know its token, so that its first beats are not refused.
 */
import { type ChildContext, type ChildParts, runChild } from './child-main.ts';
import type { SiteSettings } from './child-settings.ts';
import { startDemoSite } from './demo-site.ts';

const [, , processName = 'site'] = process.argv;

runChild<SiteSettings>(processName, startSite);

async function startSite(
  settings: SiteSettings,
  { log, prepared }: ChildContext,
): Promise<ChildParts> {
  await prepared();
  const site = await startDemoSite({
    ...settings,
    onRole: ({ role, epoch }, reason) =>
      log('info', 'role', { role, reason, term: epoch?.term, index: epoch?.index }),
    onProblem: ({ code, endpoint, status, detail }) =>
      log('warn', 'heartbeat-problem', { code, endpoint, status, detail }),
  });
  return { stop: site.close };
}
