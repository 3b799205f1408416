/**
 * The boundary between the agent and the program it lives in.
 *
 * Callbacks of the host may throw, now or later, and a defect of ours may throw as well. Both end
 * here, as a report to `onProblem`: a guest must not bring the house down.
 */
import { describeError } from '../base/errors.ts';
import type { HeartbeatProblem } from './endpoint.ts';

type Report = (problem: HeartbeatProblem) => void;

/** Calls the host; when it throws, now or later, says so and goes on with `otherwise`. */
export function askHost<Value>(report: Report, callback: () => Value, otherwise: Value): Value {
  const blame = (thrown: unknown) => report(fault('callback-threw', thrown));
  try {
    const value = callback();
    // An async function passes as a callback that returns void; its rejection must end here.
    if (value instanceof Promise) {
      value.catch(blame);
    }
    return value;
  } catch (thrown) {
    blame(thrown);
    return otherwise;
  }
}

/** The outermost net around our own code: a defect costs a beat, never the host. */
export function guard(report: Report, action: () => void): void {
  try {
    action();
  } catch (thrown) {
    report(fault('internal', thrown));
  }
}

/** `onProblem` made safe to call: what it throws or rejects with has nowhere left to go. */
export function createReport(onProblem: (problem: HeartbeatProblem) => unknown): Report {
  return (problem) => {
    try {
      const answer = onProblem(problem);
      if (answer instanceof Promise) {
        answer.catch(() => undefined);
      }
    } catch {
      // The channel for problems is itself broken: the problem stands in `snapshot()`, beats go on.
    }
  };
}

function fault(code: 'callback-threw' | 'internal', thrown: unknown): HeartbeatProblem {
  return { code, endpoint: null, status: null, detail: describeError(thrown) };
}
