/**
 * Tells people and machines: SNS topics and webhooks.
 *
 * SNS gives a message to whoever subscribed, mail and pagers among them, so the text is what a person
 * reads first and the details follow as JSON. A FIFO topic drops the repeat of a lost answer by the token.
 * (SNS API: Publish.)
 */
import { createHash } from 'node:crypto';
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { ActionOutcome, ActionToken, Notice } from '../../recovery/action-ports.ts';
import type { NotificationTarget } from '../../recovery/plan.ts';
import { classifyActionFailure } from './errors.ts';
import { postWebhook, type WebhookOptions } from './webhook.ts';

/** SNS takes printable ASCII only, at most this much. */
const SUBJECT_CHARACTERS_MAX = 100;

export interface NoticeOptions extends WebhookOptions {
  readonly topicClient: (region: string) => Pick<SNSClient, 'send'>;
}

export function sendNotice(
  options: NoticeOptions,
  target: NotificationTarget,
  { notice, token }: { readonly notice: Notice; readonly token: ActionToken },
): Promise<ActionOutcome> {
  if (target.kind === 'sns') {
    return publish(options, target.topicArn, { notice, token });
  }
  const { url, secretName } = target;
  const { subject, sentence, details } = notice;
  // `text` is what chat systems show.
  const body = { text: `${subject}: ${sentence}`, subject, sentence, token, details };
  return postWebhook(options, { url, secretName, token, body });
}

async function publish(
  { topicClient }: NoticeOptions,
  topicArn: string,
  { notice, token }: { readonly notice: Notice; readonly token: ActionToken },
): Promise<ActionOutcome> {
  const [, , , region = ''] = topicArn.split(':');
  const fifo = {
    MessageGroupId: 'tripoint',
    MessageDeduplicationId: createHash('sha256').update(token, 'utf8').digest('hex'),
  };
  try {
    const { MessageId } = await topicClient(region).send(
      new PublishCommand({
        TopicArn: topicArn,
        Subject: subjectLine(notice.subject),
        Message: `${notice.sentence}\n\n${JSON.stringify({ token, ...notice.details }, null, 2)}\n`,
        ...(topicArn.endsWith('.fifo') ? fifo : {}),
      }),
    );
    return { kind: 'done', evidence: { topic: topicArn, message: MessageId ?? null } };
  } catch (thrown) {
    return classifyActionFailure(thrown, `topic ${topicArn}`);
  }
}

function subjectLine(text: string): string {
  const printable = text
    .replaceAll('→', '->')
    .replace(/[^!-~]+/g, ' ')
    .trim();
  return printable.slice(0, SUBJECT_CHARACTERS_MAX) || 'Tripoint';
}
