/** Child process of `lambda-process.ts`: loads a bundled handler and invokes it when it is told to. */
const [, , path = ''] = process.argv;

interface Invocation {
  readonly id: number;
  readonly event: unknown;
}

const { handler } = (await import(path)) as {
  handler: (event: unknown, context: unknown) => Promise<unknown>;
};

process.on('message', (message: Invocation) => {
  void invoke(message).then((outcome) => process.send?.(outcome));
});
process.send?.({ id: 0 });

async function invoke({ id, event }: Invocation): Promise<unknown> {
  try {
    return { id, result: await handler(event, { awsRequestId: `request-${id}` }) };
  } catch (thrown) {
    const { message, code } = thrown as Error & { code?: string };
    return { id, error: { message, code } };
  }
}
