/**
 * What is known of a job, as attributes beside those of its site:
 *
 *   job (1), jobStartedAt?, jobSucceededAt?, jobFailedAt?, jobRunningSince?, jobUnfinishedSince?,
 *   jobExitCode?, jobMessage?
 *
 * A site with a schedule keeps no arrival history, so its item stays below 1 KB with a message too.
 */
import { type EpochMillis, epochMillis } from '../../base/identifiers.ts';
import type { JobRecord } from '../../detection/job.ts';
import { type Item, type ItemReader, integerValue, numberValue, textValue } from './attributes.ts';

export function encodeJob(job: JobRecord | null): Item {
  return job === null
    ? {}
    : {
        job: integerValue(1),
        ...instant('jobStartedAt', job.lastStartedAt),
        ...instant('jobSucceededAt', job.lastSucceededAt),
        ...instant('jobFailedAt', job.lastFailedAt),
        ...instant('jobRunningSince', job.runningSince),
        ...instant('jobUnfinishedSince', job.unfinishedSince),
        ...(job.exitCode === null ? {} : { jobExitCode: integerValue(job.exitCode) }),
        ...(job.message === null ? {} : { jobMessage: textValue(job.message) }),
      };
}

export function decodeJob(read: ItemReader): JobRecord | null {
  return read.integerOrNull('job') === null
    ? null
    : {
        lastStartedAt: instantOrNull(read, 'jobStartedAt'),
        lastSucceededAt: instantOrNull(read, 'jobSucceededAt'),
        lastFailedAt: instantOrNull(read, 'jobFailedAt'),
        runningSince: instantOrNull(read, 'jobRunningSince'),
        unfinishedSince: instantOrNull(read, 'jobUnfinishedSince'),
        exitCode: read.integerOrNull('jobExitCode'),
        message: read.textOrNull('jobMessage'),
      };
}

function instant(name: string, at: EpochMillis | null): Item {
  return at === null ? {} : { [name]: numberValue(at) };
}

function instantOrNull(read: ItemReader, name: string): EpochMillis | null {
  const at = read.numberOrNull(name);
  return at === null ? null : epochMillis(at);
}
