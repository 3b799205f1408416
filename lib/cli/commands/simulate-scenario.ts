/** `tripoint simulate FILE --scenario NAME`: what would happen to this configuration and its plans? */

import { AppError } from '../../base/errors.ts';
import { parseConfiguration } from '../../config/parse.ts';
import type { ServicePolicy } from '../../recovery/policy.ts';
import { missedObjectives } from '../../simulation/whole/judgement.ts';
import type { ScenarioResult } from '../../simulation/whole/run-scenario.ts';
import { readConfigurationText } from '../configuration-file.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { renderFileProblems } from '../render/problems.ts';
import { renderScenario, renderScenarios } from '../render/scenario.ts';
import type { Session } from '../session.ts';

export interface ScenarioOptions {
  readonly scenario?: string;
  readonly seed: number;
  readonly path: 'a' | 'b';
  readonly service?: string;
  readonly exitCode?: boolean;
}

/** Lists what there is. */
export async function listScenarios(session: Session): Promise<ExitCode> {
  const { SCENARIOS } = await import('../../simulation/whole/scenarios.ts');
  const scenarios = Object.entries(SCENARIOS).map(([name, { sentence, durationMs }]) => ({
    name,
    sentence,
    durationMs,
  }));
  session.result({ scenarios }, () => renderScenarios(scenarios, session.style));
  return EXIT.ok;
}

export async function simulateScenario(
  session: Session,
  file: string,
  options: ScenarioOptions,
): Promise<ExitCode> {
  const text = await readConfigurationText(file);
  const parsed = parseConfiguration(text, { ...madeUpTokens(text), ...session.host.variables });
  if (parsed.kind === 'invalid') {
    const { problems } = parsed;
    session.result({ valid: false, problems }, () =>
      renderFileProblems(file, problems, session.style),
    );
    return EXIT.error;
  }
  const { policies, hash: configHash } = parsed;
  const { service } = chosen(policies, options.service);
  const { scenario = 'region-loss', seed, path } = options;
  const { SCENARIOS } = await import('../../simulation/whole/scenarios.ts');
  if (!Object.hasOwn(SCENARIOS, scenario)) {
    throw new AppError(`there is no scenario ${scenario}`, {
      code: 'scenario-unknown',
      hint: `Choose one of ${Object.keys(SCENARIOS).join(', ')}.`,
      retryable: false,
    });
  }
  const { runScenario } = await import('../../simulation/whole/run-scenario.ts');
  const result = await runScenario({ scenario, seed, path, service, policies, configHash });
  session.result(result, () => renderScenario(result, session.style));
  return exitCodeOf(result, options);
}

/** A missed objective is an answer, and fails nothing unless that was asked for. */
export function exitCodeOf(
  { passed, objectives }: Pick<ScenarioResult, 'passed' | 'objectives'>,
  { exitCode = false }: Pick<ScenarioOptions, 'exitCode'>,
): ExitCode {
  if (!passed) {
    return EXIT.error;
  }
  return exitCode && missedObjectives(objectives).length > 0 ? EXIT.unhealthy : EXIT.ok;
}

/** @throws AppError `service-unknown`. */
function chosen(policies: readonly ServicePolicy[], name: string | undefined): ServicePolicy {
  const found = name === undefined ? policies[0] : policies.find(({ service }) => service === name);
  if (found === undefined) {
    throw new AppError(name === undefined ? 'the file has no service' : `no service ${name}`, {
      code: 'service-unknown',
      hint: `The file has: ${policies.map(({ service }) => service).join(', ') || 'monitors only'}.`,
      retryable: false,
    });
  }
  return found;
}

/** Nobody beats from outside, so any token will do where the environment has none. */
function madeUpTokens(text: string): { readonly [name: string]: string } {
  const names = [...text.matchAll(/\$\{([A-Z][A-Z0-9_]*_TOKEN)\}/g)].map(([, name = '']) => name);
  return Object.fromEntries(
    names.map((name) => [name, `simulated-${name.toLowerCase().padEnd(40, '-')}`]),
  );
}
