/**
 * What stands behind the stand-in of the services that steps act on: Auto Scaling groups, ECS services,
 * provisioned concurrency, databases, functions, topics. Plain state that a test sets and moves on by
 * hand; every change that was really made stands in `changes`, once.
 */

export interface GroupState {
  desired: number;
  min: number;
  max: number;
  /** Instances in service and healthy, of the weight given. */
  ready: number;
  weight?: number;
}

export interface ServiceState {
  desired: number;
  running: number;
  /** The scalable target, where scaling policies act; null = none. */
  target: { min: number; max: number; tags: Record<string, string> } | null;
}

export interface ConcurrencyState {
  requested: number;
  available: number;
  status: 'IN_PROGRESS' | 'READY' | 'FAILED';
}

export interface GlobalState {
  status: string;
  writer: string;
  members: readonly string[];
  failover: { to: string; isLossAllowed: boolean } | null;
}

export interface InstanceState {
  status: string;
  source: string | null;
}

export interface FunctionState {
  /** Of the answer's body. */
  answer: unknown;
  isError: boolean;
}

export class ActionWorld {
  readonly groups = new Map<string, GroupState>();
  /** By `cluster/service`. */
  readonly services = new Map<string, ServiceState>();
  /** By `function:qualifier`. */
  readonly concurrencies = new Map<string, ConcurrencyState>();
  readonly functionNames = new Set<string>();
  /** Provisioned concurrency that the account may have. */
  concurrencyMax = 1000;
  readonly globals = new Map<string, GlobalState>();
  readonly instances = new Map<string, InstanceState>();
  readonly functions = new Map<string, FunctionState>();
  readonly topics = new Set<string>();
  readonly changes: { readonly kind: string; readonly detail: unknown }[] = [];

  changed(kind: string, detail: unknown): void {
    this.changes.push({ kind, detail });
  }

  countOf(kind: string): number {
    return this.changes.filter((change) => change.kind === kind).length;
  }
}
