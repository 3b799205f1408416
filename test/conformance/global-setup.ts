/** Starts DynamoDB Local before the conformance run and stops it after. */
import type { TestProject } from 'vitest/node';
import { startDynamoDbLocal } from './dynamodb-local.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    dynamoDbLocalUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const store = await startDynamoDbLocal();
  project.provide('dynamoDbLocalUrl', store.url);
  return store.close;
}
