import { expect, test } from 'vitest';
import { itemBytes, keyItem } from '../../../../lib/aws/dynamodb/attributes.ts';
import { decodeSite, encodeSite, siteKey } from '../../../../lib/aws/dynamodb/health-mapping.ts';
import { SITE_BYTES_MAX } from '../../../../lib/aws/dynamodb/limits.ts';
import { fullSiteRecord, siteRecord } from '../../../support/site-records.ts';

test('a site with a full window and names of 63 characters costs one write unit', () => {
  const record = fullSiteRecord();
  const item = {
    ...keyItem(siteKey(record.service, record.site)),
    ...encodeSite(Number.MAX_SAFE_INTEGER, record),
  };
  expect(itemBytes(item)).toBeLessThan(SITE_BYTES_MAX);
  expect(decodeSite(item)).toEqual({ ...record, revision: Number.MAX_SAFE_INTEGER });
});

test('the site may have an @ in its name, the service may not', () => {
  const key = keyItem(siteKey('checkout', 'blue@us-east-1'));
  const decoded = decodeSite({ ...key, ...encodeSite(1, siteRecord()) });
  expect([decoded.service, decoded.site]).toEqual(['checkout', 'blue@us-east-1']);
  expect(() => siteKey('check@out', 'us-east-1')).toThrow('site-name-malformed');
});
