/**
 * The little XML that Route 53's REST-XML protocol needs, read strictly: one root in the API's
 * namespace, elements and text, the five entities and character references, nothing else.
 */

export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Text directly inside, entities resolved. Empty when there are child elements. */
  readonly text: string;
}

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';

export class XmlFault extends Error {}

/** @throws XmlFault with what Route 53 would complain of. */
export function parseXml(source: string): XmlElement {
  const tokens = tokenize(source.replace(/^<\?xml version="1\.0"(?: encoding="UTF-8")?\?>/, ''));
  const [first] = tokens;
  if (first?.kind !== 'open' || first.attributes !== `xmlns="${NAMESPACE}"`) {
    throw new XmlFault(`the root does not declare xmlns="${NAMESPACE}"`);
  }
  const reader = { tokens, position: 0 };
  const root = readElement(reader);
  if (reader.position !== tokens.length) {
    throw new XmlFault('there is content after the root element');
  }
  return root;
}

type Token =
  | { readonly kind: 'open'; readonly name: string; readonly attributes: string }
  | { readonly kind: 'close'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string };

function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /<([A-Za-z]\w*)((?:\s+[\w:]+="[^"<]*")*)\s*>|<\/([A-Za-z]\w*)>|([^<]+)/gy;
  let end = 0;
  for (const match of source.matchAll(pattern)) {
    const [whole, opened, attributes = '', closed, text] = match;
    end = match.index + whole.length;
    if (opened !== undefined) {
      tokens.push({ kind: 'open', name: opened, attributes: attributes.trim() });
    } else if (closed !== undefined) {
      tokens.push({ kind: 'close', name: closed });
    } else {
      tokens.push({ kind: 'text', text: resolveEntities(text ?? '') });
    }
  }
  if (end !== source.length) {
    throw new XmlFault(`markup is not well-formed at character ${end}`);
  }
  return tokens;
}

interface Reader {
  readonly tokens: readonly Token[];
  position: number;
}

function readElement(reader: Reader): XmlElement {
  const open = reader.tokens[reader.position];
  reader.position += 1;
  if (open?.kind !== 'open') {
    throw new XmlFault('an element was expected');
  }
  const children: XmlElement[] = [];
  let text = '';
  for (;;) {
    const token = reader.tokens[reader.position];
    if (token === undefined) {
      throw new XmlFault(`the element ${open.name} is not closed`);
    }
    if (token.kind === 'open') {
      children.push(readElement(reader));
      continue;
    }
    reader.position += 1;
    if (token.kind === 'text') {
      text += token.text;
    } else if (token.name === open.name) {
      return finish(open.name, children, text);
    } else {
      throw new XmlFault(`${open.name} is closed by ${token.name}`);
    }
  }
}

function finish(name: string, children: readonly XmlElement[], text: string): XmlElement {
  if (children.length > 0 && text.trim() !== '') {
    throw new XmlFault(`the element ${name} mixes text and elements`);
  }
  return { name, children, text: children.length > 0 ? '' : text };
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

function resolveEntities(text: string): string {
  return text.replace(/&([^;\s]*);?/g, (whole, name: string) => {
    const code = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(name);
    const character =
      code === null
        ? ENTITIES.get(name)
        : String.fromCodePoint(Number.parseInt(code[1] ?? code[2] ?? '', code[1] ? 16 : 10));
    if (character === undefined || !whole.endsWith(';')) {
      throw new XmlFault(`the entity ${whole} is not defined`);
    }
    return character;
  });
}

/** Content of an element to write: text is escaped; a list is child elements. */
export type XmlContent = string | number | boolean | readonly XmlNode[];
export type XmlNode = readonly [name: string, content: XmlContent];

export function writeXml([name, content]: XmlNode, namespace = NAMESPACE): string {
  return `<?xml version="1.0"?>\n<${name} xmlns="${namespace}">${writeContent(content)}</${name}>`;
}

function writeContent(content: XmlContent): string {
  if (typeof content === 'object') {
    return content.map(([name, inner]) => `<${name}>${writeContent(inner)}</${name}>`).join('');
  }
  return String(content)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#xD;');
}
