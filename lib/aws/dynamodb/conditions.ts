/**
 * Named conditions that compose into one ConditionExpression (docs/style.md rule 16).
 *
 * Each names what must hold of the item as it stands when the write arrives, which is the only
 * moment that counts: a write that was delayed on its way meets its condition late, and fails.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { TABLE_KEYS } from '../../config/names.ts';

export interface Condition {
  readonly text: string;
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

/** No item has this key. */
export function isAbsent(): Condition {
  const name = `#${TABLE_KEYS.partition}`;
  return {
    text: `attribute_not_exists(${name})`,
    names: { [name]: TABLE_KEYS.partition },
    values: {},
  };
}

export function isEqual(attribute: string, value: AttributeValue): Condition {
  return compare(attribute, '=', value);
}

export function isAtMost(attribute: string, value: AttributeValue): Condition {
  return compare(attribute, '<=', value);
}

export function all(...conditions: readonly Condition[]): Condition {
  return join(conditions, ' AND ');
}

export function either(...conditions: readonly Condition[]): Condition {
  const joined = join(conditions, ' OR ');
  return { ...joined, text: `(${joined.text})` };
}

function compare(attribute: string, operator: string, value: AttributeValue): Condition {
  const name = `#${attribute}`;
  const placeholder = `:${attribute}`;
  return {
    text: `${name} ${operator} ${placeholder}`,
    names: { [name]: attribute },
    values: { [placeholder]: value },
  };
}

function join(conditions: readonly Condition[], operator: string): Condition {
  return {
    text: conditions.map((condition) => condition.text).join(operator),
    names: Object.assign({}, ...conditions.map((condition) => condition.names)),
    values: Object.assign({}, ...conditions.map((condition) => condition.values)),
  };
}
