/**
 * Entry point of `cdk`: reads the settings from the context, builds the stacks, writes the assembly.
 */
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { addStacks } from './app.ts';
import { settingsOrThrow } from './settings.ts';

const app = new App();
addStacks(app, settingsOrThrow({ context: app.node.getAllContext(), readText }));
app.synth();

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The settings say which file it was and what to do.
    void error;
    return null;
  }
}
