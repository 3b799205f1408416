/** The application as CloudFormation templates, from the committed settings, without bundling. */
import { readFileSync } from 'node:fs';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Settings, settingsOrThrow } from '../../infra/settings.ts';

interface CdkJson {
  readonly app: string;
  readonly context: { readonly [key: string]: unknown };
}

export const ROOT = new URL('../../', import.meta.url).pathname;

export function cdkJson(): CdkJson {
  return JSON.parse(readFileSync(`${ROOT}cdk.json`, 'utf8')) as CdkJson;
}

export function readText(path: string): string | null {
  try {
    return readFileSync(`${ROOT}${path}`, 'utf8');
  } catch (error) {
    void error;
    return null;
  }
}

/** The settings that are committed, with the context keys of `change` (prefix included) replaced. */
export function committedSettings(change: { readonly [key: string]: unknown } = {}): Settings {
  return settingsOrThrow({ context: { ...cdkJson().context, ...change }, readText });
}

/** An app with the committed feature flags that bundles nothing and skips the slow rule engine. */
export function testApp(): App {
  const fast = {
    'aws:cdk:bundling-stacks': [],
    '@aws-cdk/core:validateAgainstDefaultRules': false,
  };
  return new App({
    context: { ...cdkJson().context, ...fast },
    analyticsReporting: false,
    treeMetadata: false,
  });
}

export interface TemplateJson {
  readonly Resources: { readonly [id: string]: TemplateResource };
  readonly Outputs?: {
    readonly [id: string]: { readonly Value: unknown; readonly Export?: unknown };
  };
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties: { readonly [name: string]: unknown };
  readonly DeletionPolicy?: string;
}

/** The template without hashes of function code: an app that bundles nothing makes them up. */
export function templateJson(stack: Stack): TemplateJson {
  const text = JSON.stringify(Template.fromStack(stack).toJSON());
  return JSON.parse(text.replaceAll(/[0-9a-f]{64}\.zip/g, 'CODE.zip')) as TemplateJson;
}

/** Resources of one type by logical id. */
export function resourcesOf(template: TemplateJson, type: string): readonly TemplateResource[] {
  return Object.values(template.Resources).filter((resource) => resource.Type === type);
}
