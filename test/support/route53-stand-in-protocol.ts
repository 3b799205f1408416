/**
 * The wire forms of Route 53's REST-XML protocol: requests as the schema wants them, and answers.
 */
import {
  type XmlContent,
  type XmlElement,
  XmlFault,
  type XmlNode,
} from './route53-stand-in-xml.ts';
import type { StandInChange, StandInSet } from './route53-stand-in-zone.ts';

export interface Answer {
  readonly status: number;
  readonly document: XmlNode;
}

export function setNodes(set: StandInSet): readonly XmlNode[] {
  const { aliasTarget } = set;
  const records = set.values.map((value): XmlNode => ['ResourceRecord', [['Value', value]]]);
  return [
    ['Name', set.name],
    ['Type', set.type],
    ...(set.setIdentifier === undefined ? [] : [['SetIdentifier', set.setIdentifier] as const]),
    ...(set.weight === undefined ? [] : [['Weight', set.weight] as const]),
    ...(set.ttl === null ? [] : [['TTL', set.ttl] as const]),
    ...(records.length === 0 ? [] : [['ResourceRecords', records] as const]),
    ...(aliasTarget === undefined
      ? []
      : [
          [
            'AliasTarget',
            [
              ['HostedZoneId', aliasTarget.hostedZoneId],
              ['DNSName', aliasTarget.dnsName],
              ['EvaluateTargetHealth', true],
            ],
          ] as const,
        ]),
  ];
}

export function readChanges(root: XmlElement): readonly StandInChange[] {
  if (root.name !== 'ChangeResourceRecordSetsRequest') {
    throw new XmlFault(`cvc-elt.1: Cannot find the declaration of element '${root.name}'.`);
  }
  const batch = only(root, 'ChangeBatch');
  const comment = batch.children.find(({ name }) => name === 'Comment')?.text ?? '';
  if (comment.length > 256) {
    throw new XmlFault('cvc-maxLength-valid: Comment is longer than 256');
  }
  const changes = only(batch, 'Changes').children;
  if (changes.length === 0) {
    throw new XmlFault("The content of element 'Changes' is not complete.");
  }
  return changes.map((change) => {
    const action = only(change, 'Action').text;
    if (action !== 'CREATE' && action !== 'DELETE') {
      throw new XmlFault(`the stand-in refuses ${action}: Tripoint sends CREATE and DELETE only`);
    }
    return { action, set: readSet(only(change, 'ResourceRecordSet')) };
  });
}

/** The schema's sequence; an element out of order is invalid XML. */
const SET_SEQUENCE = ['Name', 'Type', 'SetIdentifier', 'Weight', 'TTL', 'ResourceRecords'];

function readSet(element: XmlElement): StandInSet {
  const order = element.children.map(({ name }) => SET_SEQUENCE.indexOf(name));
  if (order.some((rank, position) => rank < 0 || rank <= (order[position - 1] ?? -1))) {
    throw new XmlFault(`cvc-complex-type.2.4.a: unexpected content in ${element.name}`);
  }
  const records = only(element, 'ResourceRecords').children;
  if (records.length === 0) {
    throw new XmlFault("The content of element 'ResourceRecords' is not complete.");
  }
  const ttl = only(element, 'TTL').text;
  if (!/^\d+$/.test(ttl)) {
    throw new XmlFault(`cvc-datatype-valid.1.2.1: '${ttl}' is not a valid value for 'integer'.`);
  }
  return {
    name: wireName(only(element, 'Name').text),
    type: only(element, 'Type').text,
    ttl: Number(ttl),
    values: records.map((record) => only(record, 'Value').text),
    ...readWeight(element),
  };
}

function readWeight(element: XmlElement): Pick<StandInSet, 'setIdentifier' | 'weight'> {
  const has = (name: string) => element.children.some((child) => child.name === name);
  if (!has('SetIdentifier') && !has('Weight')) {
    return {};
  }
  const weight = only(element, 'Weight').text;
  if (!/^\d{1,3}$/.test(weight) || Number(weight) > 255) {
    throw new XmlFault(`cvc-maxInclusive-valid: '${weight}' is not a valid value for 'Weight'.`);
  }
  return { setIdentifier: only(element, 'SetIdentifier').text, weight: Number(weight) };
}

function only(parent: XmlElement, name: string): XmlElement {
  const [element, ...others] = parent.children.filter((child) => child.name === name);
  if (element === undefined || others.length > 0) {
    throw new XmlFault(`The content of element '${parent.name}' is not complete: ${name}`);
  }
  return element;
}

/** Route 53 keeps names in lower case with the trailing dot, and `*` as an octal escape. */
export function wireName(name: string): string {
  const dotted = name.endsWith('.') ? name : `${name}.`;
  return dotted.toLowerCase().replaceAll('*', '\\052');
}

export function success(name: string, content: XmlContent): Answer {
  return { status: 200, document: [name, content] };
}

export function failure(status: number, code: string, message: string): Answer {
  return {
    status,
    document: [
      'ErrorResponse',
      [
        [
          'Error',
          [
            ['Type', status >= 500 ? 'Receiver' : 'Sender'],
            ['Code', code],
            ['Message', message],
          ],
        ],
        ['RequestId', 'stand-in'],
      ],
    ],
  };
}
