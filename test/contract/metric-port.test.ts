import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMetricPort } from '../../lib/aws/cloudwatch/metric-port.ts';
import { type MetricWorld, metricPortContract } from './metric-port-contract.ts';

const asked: string[] = [];
let answer: { readonly status: number; readonly body: unknown } = { status: 200, body: {} };
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const bytes = Buffer.concat(chunks);
  asked.push(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes));
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(answer.body));
});

beforeAll(async () => {
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

function results(result: object) {
  return { status: 200, body: { MetricDataResults: [{ Id: 'lag', ...result }] } };
}

const FAILURES = {
  error: { status: 500, body: { __type: 'InternalServiceFault' } },
  refusal: { status: 400, body: { __type: 'AccessDenied', message: 'no' } },
  partial: results({ StatusCode: 'InternalError' }),
} as const;

function cloudWatch(): MetricWorld {
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return {
    port: createMetricPort(() => ({ endpoint: `http://127.0.0.1:${port}`, credentials })),
    hold: (values) => {
      answer = results({
        StatusCode: 'Complete',
        Timestamps: values.map(({ at }) => at / 1000),
        Values: values.map(({ value }) => value),
      });
    },
    fail: (how) => {
      answer = FAILURES[how];
    },
    asked: () => asked,
  };
}

metricPortContract('CloudWatch', cloudWatch);

test('CloudWatch is asked for the largest value of each minute, newest first', () => {
  const said = asked.at(0) ?? '';
  expect(said).toContain('Maximum');
  expect(said).toContain('TimestampDescending');
});
