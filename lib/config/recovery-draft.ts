/** Drafts of how services recover, out of a file that may be wrong in places, for the rules between values. */
import { FIELD_SCHEMAS } from './file-schema.ts';
import { checkFleet } from './plan-relations.ts';
import type { Finding, Path } from './problem.ts';
import { returningOf, weightsOf } from './recovery-file.ts';
import type { PlanDraft, RecoveryDraft } from './recovery-relations.ts';
import { planPolicyOf } from './step-file.ts';
import { entriesOf, isMapping, valueAt } from './tree.ts';

/** Every rule about recovery that the services of a file break, at its place in the file. */
export function recoveryFindings(file: unknown): readonly Finding[] {
  const services = entriesOf(valueAt(file, ['services']));
  const drafts = services.map(([service, body]) => draftOfFile(service, body));
  return checkFleet(drafts).map(({ service, file: path, message, fix }) => ({
    path: ['services', drafts[service]?.service ?? '', ...path],
    atKey: false,
    message,
    fix,
  }));
}

interface Reader<Output> {
  readonly safeParse: (value: unknown) => { success: true; data: Output } | { success: false };
}

function draftOfFile(service: string, body: unknown): RecoveryDraft {
  const read = <Output>(schema: Reader<Output>, path: Path): Output | undefined => {
    const parsed = schema.safeParse(valueAt(body, path));
    return parsed.success ? parsed.data : undefined;
  };
  const has = (path: Path) => valueAt(body, path) !== undefined;
  const plan = (name: 'failover' | 'failback'): PlanDraft | null | undefined => {
    const path = ['plans', name];
    const written = has(path) ? read(FIELD_SCHEMAS.plan, path) : null;
    return written === null || written === undefined
      ? written
      : { plan: planPolicyOf(written), places: placesOf(written.steps) };
  };
  const strategy = read(FIELD_SCHEMAS.strategy, ['strategy']);
  const returning = read(FIELD_SCHEMAS.returning, ['returning']);
  const database = has(['database']) ? read(FIELD_SCHEMAS.database, ['database']) : null;
  return {
    service,
    strategy,
    primary: read(FIELD_SCHEMAS.primary, ['primary']),
    fencing: read(FIELD_SCHEMAS.fencing, ['fencing']),
    returning:
      strategy === undefined || returning === undefined
        ? undefined
        : returningOf({ strategy, returning }),
    members: database === null ? null : database && Object.keys(database.members),
    drill: has(['drill']) ? read(FIELD_SCHEMAS.drill, ['drill']) : null,
    failover: plan('failover'),
    failback: plan('failback'),
    sites: sitesOf(strategy, valueAt(body, ['sites'])),
  };
}

function placesOf(
  steps: readonly { readonly parallel?: readonly unknown[] | undefined }[],
): PlanDraft['places'] {
  return steps.map(({ parallel }, stage) =>
    parallel === undefined
      ? [['steps', stage]]
      : parallel.map((_, position) => ['steps', stage, 'parallel', position]),
  );
}

function sitesOf(strategy: string | undefined, sites: unknown): RecoveryDraft['sites'] {
  if (!isMapping(sites)) {
    return undefined;
  }
  const written = entriesOf(sites).map(([site, body]) => {
    const weight = FIELD_SCHEMAS.weight.safeParse(valueAt(body, ['weight']));
    const capacity = valueAt(body, ['capacity']);
    const parsed = FIELD_SCHEMAS.capacity.safeParse(capacity);
    return {
      site,
      weight,
      capacity: capacity === undefined ? null : parsed.success ? parsed.data : undefined,
    };
  });
  const isWhole = written.every(({ weight }) => weight.success);
  const weights = weightsOf(
    strategy,
    written.map(({ weight }) => weight.data),
  );
  return written.map(({ site, capacity }, position) => ({
    site,
    weight: isWhole ? weights[position] : undefined,
    capacity,
  }));
}
