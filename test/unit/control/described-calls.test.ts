import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Every call of AWS that a tabletop may print, by its service and operation. */
function printed(): ReadonlySet<string> {
  const texts = ['described-calls', 'described-ports'].map((name) =>
    readFileSync(`lib/control/${name}.ts`, 'utf8'),
  );
  const names = texts.flatMap((text) => [
    ...text.matchAll(
      /\b(autoscaling|application-autoscaling|ecs|lambda|rds|sns|dynamodb):([A-Z]\w+)/g,
    ),
  ]);
  return new Set(names.map(([, , operation = '']) => operation));
}

/** Every command that the adapters of actions send. */
function sent(): ReadonlySet<string> {
  const names = readdirSync('lib/aws/actions', { recursive: true, encoding: 'utf8' });
  const texts = names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`lib/aws/actions/${name}`, 'utf8'));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/new (\w+)Command\(/g)].map(([, name = '']) => name)),
  );
}

test('a tabletop prints no call that no adapter makes', () => {
  expect(printed().size).toBeGreaterThan(12);
  expect([...printed()].filter((operation) => !sent().has(operation))).toEqual([]);
});

test('a tabletop prints every call that changes capacity, a database or a receiver', () => {
  const changing = [...sent()].filter((name) =>
    /^(Set|Put|Update|Register|Switchover|Failover|Promote|Invoke|Publish|Delete)/.test(name),
  );
  expect(changing.length).toBeGreaterThan(7);
  expect(changing.filter((operation) => !printed().has(operation))).toEqual([]);
});
