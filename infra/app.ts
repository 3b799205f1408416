/**
 * The whole application as constructs: one regional stack for each control region, one global stack,
 * and the rules that all of them are checked by at every synthesis.
 */
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { GlobalStack } from './global-stack.ts';
import { RegionalStack, regionalStackName } from './regional-stack.ts';
import type { Settings } from './settings.ts';

export interface TripointStacks {
  readonly regional: ReadonlyMap<string, RegionalStack>;
  readonly global: GlobalStack;
}

/** Fills the app. A finding of cdk-nag that nobody acknowledged ends the synthesis. */
export function addStacks(app: App, settings: Settings): TripointStacks {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const regional = new Map(
    settings.regions.map((region) => [region, addRegionalStack(app, settings, region)] as const),
  );
  const global = addGlobalStack(app, settings);
  for (const stack of regional.values()) {
    // An order for `deploy --all`, no reference: `--exclusively` deploys the global stack alone.
    global.addStackDependency(stack);
  }
  return { regional, global };
}

/** One region by itself. */
export function addRegionalStack(app: App, settings: Settings, region: string): RegionalStack {
  const { clusterId, account, disposable } = settings;
  return new RegionalStack(app, regionalStackName(clusterId, region), {
    settings,
    region,
    env: { account, region },
    description: `Tripoint ${clusterId}: control region ${region}`,
    terminationProtection: !disposable,
    tags: tagsOf(settings),
  });
}

export function addGlobalStack(app: App, settings: Settings): GlobalStack {
  const { clusterId, account, regions } = settings;
  return new GlobalStack(app, `${clusterId}-global`, {
    settings,
    env: { account, region: regions[0] ?? '' },
    description: `Tripoint ${clusterId}: health checks of the sites, and the dashboard`,
    tags: tagsOf(settings),
  });
}

/** On each stack, from where CloudFormation puts them on every resource. */
function tagsOf({ clusterId }: Settings): { [name: string]: string } {
  return { 'tripoint:cluster': clusterId };
}
