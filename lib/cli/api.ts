/**
 * The control plane as the commands see it, whichever region answers.
 *
 * Every answer is one of three: what was asked for, a problem that the API named, or silence. For a
 * command, silence means that nobody knows whether it was taken.
 */
import type {
  AcceptedJson,
  CommandLookupJson,
  DryRunJson,
  LogJson,
  ProblemJson,
  RunJson,
  StatusJson,
} from '../api/schemas.ts';
import type { ServicePolicy } from '../recovery/policy.ts';

export type Answer<Value> =
  | { readonly kind: 'answered'; readonly value: Value }
  | { readonly kind: 'problem'; readonly problem: ProblemJson }
  | { readonly kind: 'silent'; readonly detail: string };

/** What a person asks the control plane to do. `by` and `reason` are recorded. */
export type Request =
  | {
      readonly kind: 'failover';
      readonly service: string;
      readonly to: string | null;
      readonly force: boolean;
      readonly reason: string;
      readonly by: string;
    }
  | {
      readonly kind: 'failback';
      readonly service: string;
      readonly force: boolean;
      readonly reason: string;
      readonly by: string;
    }
  | {
      readonly kind: 'note';
      readonly service: string;
      readonly text: string;
      readonly by: string;
    }
  | {
      readonly kind: 'configure';
      readonly policies: readonly ServicePolicy[];
      readonly reason: string;
      readonly by: string;
    };

export interface Api {
  readonly status: () => Promise<Answer<StatusJson>>;
  readonly runs: () => Promise<Answer<readonly RunJson[]>>;
  readonly run: (id: string) => Promise<Answer<RunJson>>;
  readonly report: (id: string, format: 'json' | 'markdown') => Promise<Answer<string>>;
  readonly log: (page: {
    readonly after: number;
    readonly limit: number;
  }) => Promise<Answer<LogJson>>;
  /** Decides on the last applied state; changes nothing. Notes have no dry run. */
  readonly dryRun: (request: Exclude<Request, { kind: 'note' }>) => Promise<Answer<DryRunJson>>;
  /** One attempt under this key; the same key again is the same command. */
  readonly send: (request: Request, key: string) => Promise<Answer<AcceptedJson>>;
  readonly lookUp: (command: string) => Promise<Answer<CommandLookupJson>>;
}
