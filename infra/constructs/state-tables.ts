/**
 * The two tables of a control region: its register, and the arrival windows of its sites.
 *
 * Neither is ever restored in place. A register that goes back in time forgets votes it gave and
 * entries it acknowledged: two leaders in one term, or a lost command. The register has
 * point-in-time recovery all the same, to be restored under ANOTHER name and read, when a majority of
 * the registers is gone and people must find out what was decided (`docs/runbook.md`,
 * table-lost). Arrival windows are worth minutes, and old ones would be false suspicions: no backup.
 *
 * `Table`, not `TableV2`: the latter makes a global table of one replica, and one line more would
 * turn three independent registers into one that the last writer wins.
 */
import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { TABLE_KEYS, tableNames } from '../../lib/config/names.ts';
import type { Settings } from '../settings.ts';

export class StateTables extends Construct {
  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const names = tableNames(settings.clusterId);
    const shape = {
      partitionKey: { name: TABLE_KEYS.partition, type: AttributeType.STRING },
      sortKey: { name: TABLE_KEYS.sort, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      deletionProtection: !settings.disposable,
      removalPolicy: settings.disposable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    };
    new Table(this, 'Consensus', {
      ...shape,
      tableName: names.consensus,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    });
    const health = new Table(this, 'Health', { ...shape, tableName: names.health });
    Validations.of(health).acknowledge({
      id: 'AwsSolutions::AwsSolutions-DDB3',
      reason: 'Arrival windows are rebuilt by the next heartbeats; restored ones would be stale.',
    });
  }
}
