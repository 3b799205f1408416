/** The generated tables of `docs/runs.md`: the plans of the strategies, as `planOf` gives them. */
import type { DatabasePolicy, PlanPolicy, RunMode } from '../../lib/recovery/plan.ts';
import { planOf } from '../../lib/recovery/plans.ts';
import type { ServicePolicy } from '../../lib/recovery/policy.ts';
import type { RunKind } from '../../lib/recovery/run.ts';
import { EAST, servicePolicy, sitePolicy, WEST } from '../support/service-states.ts';
import { markdownTable } from './generated-page.ts';

const DATABASE: DatabasePolicy = {
  kind: 'rds-replica',
  members: { [EAST]: { region: EAST, instance: 'a' }, [WEST]: { region: WEST, instance: 'b' } },
};
const capacity = {
  resource: { kind: 'hook', url: 'http://127.0.0.1/scale' },
  serving: 6,
  standby: 1,
} as const;
const SIZED = [EAST, WEST].map((site) => sitePolicy(site, { capacity }));
const STEPWISE = { percents: [10, 50, 100], holdMs: 60_000 };

interface Line {
  readonly title: string;
  readonly policy: Partial<ServicePolicy>;
  readonly kind: RunKind;
  readonly mode: RunMode;
  readonly changes?: Partial<Parameters<typeof planOf>[0]>;
}

const LINES: readonly Line[] = [
  { title: 'hot standby fails over', policy: {}, kind: 'failover', mode: 'emergency' },
  {
    title: '… with `fencing: lease`, a database and approval',
    policy: { fencing: 'lease', database: DATABASE },
    kind: 'failover',
    mode: 'emergency',
    changes: { approval: true },
  },
  {
    title: '… with `replication.overLimit: wait`',
    policy: {
      replication: { lagMsMax: 5000, overLimit: 'wait', unknownLag: 'block', metric: null },
    },
    kind: 'failover',
    mode: 'graceful',
  },
  {
    title: 'warm standby and pilot light fail over',
    policy: { strategy: 'warm-standby', sites: SIZED },
    kind: 'failover',
    mode: 'emergency',
  },
  {
    title: 'hot standby goes back in steps',
    policy: { returning: STEPWISE },
    kind: 'failback',
    mode: 'graceful',
  },
  {
    title: 'warm standby goes back at once',
    policy: { strategy: 'warm-standby', sites: SIZED },
    kind: 'failback',
    mode: 'graceful',
  },
  {
    title: 'a site of an active-active service drops out',
    policy: { strategy: 'active-active' },
    kind: 'rebalance',
    mode: 'emergency',
  },
  {
    title: '… and comes back (two sites with equal shares)',
    policy: { strategy: 'active-active', returning: STEPWISE },
    kind: 'rebalance',
    mode: 'graceful',
    changes: { traffic: { [EAST]: 50, [WEST]: 50 } },
  },
  { title: 'a practice', policy: { database: DATABASE }, kind: 'drill', mode: 'graceful' },
  { title: 'the way home from it', policy: {}, kind: 'drill-return', mode: 'graceful' },
  { title: 'the first records of a service', policy: {}, kind: 'setup', mode: 'graceful' },
];

function planOfLine({ policy, kind, mode, changes = {} }: Line): PlanPolicy {
  const [from, to] = kind === 'failover' || kind === 'drill' ? [EAST, WEST] : [WEST, EAST];
  return planOf({
    policy: servicePolicy(policy),
    ...{ kind, mode, from, to },
    before: { [from]: 100 },
    traffic: { [to]: 100 },
    granted: true,
    approval: false,
    atOnce: false,
    loss: null,
    ...changes,
  });
}

/** What moves traffic or authority is bold; what a run can do without stands in brackets. */
function outline(plan: PlanPolicy): string {
  const words = plan.stages.flat().map(({ name, action, essential }) => {
    const isMoving = ['fence', 'switch', 'weights', 'routing'].includes(action.kind);
    const word = isMoving ? `**${name}**` : name;
    return essential ? word : `(${word})`;
  });
  return words.join(' → ');
}

export function plansTable(): string {
  const rows = LINES.map((line) => {
    const plan = planOfLine(line);
    return [
      line.title,
      line.mode,
      outline(plan),
      plan.onFailure === 'undo' ? 'taken back' : 'left',
    ];
  });
  return markdownTable(['run', 'mode', 'steps', 'when it fails'], rows);
}

export function renderRunsPage(): string {
  return `# Runs and their plans

This page is written by \`test/docs/runs.test.ts\`; the plans are what \`lib/recovery/plans.ts\` gives. Change the text in
\`test/docs/runs-page.ts\`, then run \`UPDATE_DOCS=1 npm test -- test/docs\`.

A run is one execution of a plan, held in the log. A plan is a list of stages. The steps of a stage are worked on together, and the entry
that ends the last of them opens the next stage.

## Who does a step, and what keeps it from being done twice

A worker in one of the regions **claims** a step by an entry that names the attempt; of two claims of one attempt the log takes one. It does
the effect and records the result by another entry. If it dies in between, another region claims the same step again. The **epoch** of a
step, the (term, index) of the entry that opened its stage, goes with its effects: a change of DNS under an older epoch than the one in the
fence is refused as a whole, and what cannot compare numbers is given the token \`run/step\`, the same at each attempt.

Steps of kind \`approve\`, \`hold\`, \`wait-healthy\` and \`child-plan\` have no worker. The log settles them: by the word of a second person, by
time, by verdicts, by the end of the other run.

A step that says \`waiting\` (capacity that grows, data that catch up) counts no attempt; only its time-out bounds it. A time-out never takes a
step its first attempt: it is measured by wall clocks, and one of them may be wrong by hours.

## When the authority moves

With the entry that **opens** the first step of kind \`fence\`, \`switch\`, \`routing\` or \`weights\` (bold below), never before: while a standby
grows or a person thinks, the old site is the active one. From the opening of \`fence\` until it is done nobody is active. A stage that moves
the authority is not opened when the target failed after the run was authorised (\`target-failed\`), or, in a graceful run, when an alarm rang
for it.

${plansTable()}

Steps in brackets can fail without failing the run; they leave an exception. A plan of your own replaces that of \`failover\` (and of drills) or
of \`failback\`. It is given what it may not lack: the approval and the data-loss gate that the policy asks for, a fence before the traffic
moves, \`propagate\` and \`verify\` after a switch, and the report. The gate stays open by itself only where the steps carry the data: an
essential, unconditional \`wait-replication\` of at most \`replication.maxLag\`, or the switchover of an Aurora global database in a graceful
run, before anything moves. A replica of RDS is promoted with what it has, and a practice leaves the database alone: both ask the
ordinary gate.

The gate is asked when a run is authorised, and again when a second person approves it: an approval of a run that would lose too much by now
is refused, the run goes on waiting, and its report has the figures of the approval. A run that came by itself and still waits for an approval ends
(\`site-recovered\`) when the site that had failed serves again.

## When a run fails, or is cancelled

What was done is taken back newest first, where the table says so, and always when it is cancelled: the shares of before, under
a newer epoch; behind a fence of its own where the target may hold a lease; and only while the source lives. A run that promoted a database
stops where it is, because turning round would not demote it. Children that were started stay where they went. The run then ends as failed,
with the code that came first. A run that has only its report left is not cancelled any more: ask for another. Every run but \`setup\` writes
its report, also one that failed or was superseded.

A run that was cancelled after its fence had begun has taken the role from the site that served, and leaves nobody active. After the hold-down the
machine gives the role to somebody, also where \`automatic\` is off. To decide yourself where it goes, ask for it at once (\`tripoint failover\`,
\`tripoint failback\`); to keep the machine out of it, \`tripoint freeze\` first.

## How it is tried

\`npm run interruptions\` lets every plan of every strategy stop before and after each effect, lets other regions go on from the log, and compares
the end with that of an uninterrupted run: log, DNS, capacity, database, calls, reports. It does so again in a world that changes at that moment:
the target or the source fails, a person switches elsewhere by force or cancels, the configuration changes, the zone loses an answer. \`npm test\`
does some of each.
`;
}
