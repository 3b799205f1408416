/**
 * The baseline of a commit: the writes that no protocol can do without (leader, then one follower),
 * of items of the same size and form, sent by the same SDK client, without our code.
 *
 * The item is the very one that the adapter sent last, under a sort key of its own, so that the two
 * cannot differ in size or form. Only its revision counts on, with the same kind of condition.
 */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { BenchRegion } from './regions.ts';

export class RawRegister {
  readonly #region: BenchRegion;
  #revision = 0;

  constructor(region: BenchRegion) {
    this.#region = region;
  }

  /** Writes the next revision, if the one before still stands. */
  async write(): Promise<void> {
    const { traffic, table } = this.#region;
    const model = traffic.lastWrite;
    if (model === null) {
      throw new Error('the adapter has written nothing yet');
    }
    const before = this.#revision;
    this.#revision += 1;
    const Item = { ...model.Item, sk: { S: 'raw!' }, revision: { N: String(this.#revision) } };
    if (before === 0) {
      await table.client.send(new PutItemCommand({ TableName: model.TableName, Item }));
      return;
    }
    const ExpressionAttributeValues = {
      ...model.ExpressionAttributeValues,
      ':revision': { N: String(before) },
    };
    await table.client.send(new PutItemCommand({ ...model, Item, ExpressionAttributeValues }));
  }
}
