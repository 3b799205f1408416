/**
 * A table that is lost for good, and the operator who lets an empty one take its place.
 *
 * One table in a life, because a cluster survives the loss of one. The operator's command is the
 * production one (`membership-change.ts`). It may die in the middle, as commands do; then he gives it
 * again, until it says that it is done.
 */
import type { RegionId } from '../base/identifiers.ts';
import type { Cluster } from '../consensus/cluster.ts';
import type { LogHost } from '../consensus/log-host.ts';
import { replaceMember } from '../consensus/membership-change.ts';
import type { RegisterPort } from '../consensus/register-port.ts';
import type { FaultScene } from './fault-scene.ts';
import type { KeyValueState } from './key-value-machine.ts';
import type { Vitality } from './vitality.ts';

/** What a command of the operator's runs on: a process that comes for it and goes. */
export interface Errand {
  readonly cluster: Cluster;
  readonly host: LogHost<KeyValueState>;
  readonly registers: readonly RegisterPort[];
  readonly vitality: Vitality;
}

const COMMAND_TIMEOUT_MS = 1500;
const DEATH_CHANCE = 0.4;
const DEATH_MS_MAX = 400;
const NOTICE_MS_MAX = 500;
const NEXT_TRY_MS = 50;

/** Nothing happens when the life has lost a table already. */
export function tableLost(scene: FaultScene): boolean {
  const { cluster, random } = scene;
  const region = scene.victim();
  // Before anything is in the log there is nothing to lose, and a bootstrap would begin anew.
  if (cluster.lostTable !== null || cluster.leader === null) {
    return false;
  }
  cluster.loseTable(region);
  scene.world.after(random() * NOTICE_MS_MAX, () => operate(scene, region), 'operator');
  return cluster.storeAt(region).copy === null;
}

function operate(scene: FaultScene, region: RegionId): void {
  const { cluster, random, world } = scene;
  const errand = cluster.errandFrom(scene.anyRegion());
  const again = () => world.after(NEXT_TRY_MS, () => operate(scene, region), 'operator');
  if (!scene.isOver && random() < DEATH_CHANCE) {
    world.after(
      random() * DEATH_MS_MAX,
      () => {
        if (errand.vitality.isAlive && cluster.lostTable?.isReplaced === false) {
          errand.vitality.kill();
          again();
        }
      },
      'operator dies',
    );
  }
  replaceMember({ ...errand, timeoutMs: COMMAND_TIMEOUT_MS }, { leaving: region, joining: region })
    .then((outcome) => {
      if (outcome.kind === 'done') {
        cluster.noteReplaced(region);
      } else {
        again();
      }
      errand.vitality.kill();
    })
    .catch(cluster.fail);
}

/** Somebody hands the lead over to any region, whatever goes on. */
export function transfer(scene: FaultScene): boolean {
  const { vitality, handOver } = scene.cluster.processAt('controller', scene.anyRegion());
  handOver(scene.anyRegion());
  return vitality.isAlive;
}
