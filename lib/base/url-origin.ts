/**
 * Where a URL goes, for logs, findings and reports. Pure.
 *
 * The path or the query of a webhook is often its only secret, and whoever reads a log or a page is not
 * always somebody who may post there. So texts name scheme, host and port, and nothing else of it.
 */

/** `https://hooks.example.test:8443`; what is no URL is not repeated either. */
export function urlOrigin(url: string): string {
  const [, scheme, authority = ''] = /^([a-z][a-z\d+.-]*:)\/\/([^/\\?#]*)/i.exec(url.trim()) ?? [];
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return scheme === undefined || host === '' ? 'a URL' : `${scheme}//${host}`.toLowerCase();
}
