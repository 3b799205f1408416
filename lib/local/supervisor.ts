/**
 * Brings up a whole Tripoint on one machine: three regions, DNS and sites, each its own process.
 *
 * The order of a first start is what makes it safe to be cut off at any instant and started again:
 *
 * ```
 * identity on disk ▶ stores open ▶ registers made ▶ "bootstrapped" on disk ▶ regions run ▶ leader
 *                                  ▲ repeatable      ▲ from here on a missing register is a loss
 * ▶ zone seeded ▶ configuration through the API ▶ its hash on disk ▶ sites beat
 * ```
 * Everything goes through the same ports and the same API as on AWS; nothing reaches into a store.
 */
import { mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { LogEvent } from '../base/log.ts';
import type { Variables } from '../config/expansion.ts';
import { planChildren } from './child-plans.ts';
import {
  type ClusterRecord,
  newSecret,
  openClusterRecord,
  saveClusterRecord,
} from './cluster-file.ts';
import { applyConfiguration, untilLeaderStands } from './first-steps.ts';
import { listen } from './listen.ts';
import { type LocalConfiguration, loadLocalConfiguration } from './local-configuration.ts';
import { describeLocal, writeLocalFile } from './local-file.ts';
import { DNS_PROCESS, type Layout } from './local-layout.ts';
import { makeRegisters } from './make-registers.ts';
import { requireFreePorts } from './ports.ts';
import { type ProcessEvent, ProcessTable } from './process-table.ts';
import { createSupervisorApi } from './supervisor-api.ts';
import { requireNotRunning, takeSupervisorLock } from './supervisor-lock.ts';
