/**
 * Addresses that no hook is sent to: those of the link, where the metadata services of clouds answer
 * whoever asks with the keys of the machine.
 *
 * An address in the URL is looked at before; a name may resolve to anything, also to another address
 * than a moment ago, so it is looked at in the look-up of the connection itself. Private networks are
 * allowed: that is where most hooks are.
 */
import { lookup as lookUpInSystem } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const LINK_LOCAL: BlockList = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
// The metadata services of EC2, and IPv4's behind NAT64.
LINK_LOCAL.addSubnet('fd00:ec2::', 32, 'ipv6');
LINK_LOCAL.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

/** Also one that an IPv6 address stands for; a name is none. */
export function isLinkLocal(address: string): boolean {
  const [plain = ''] = address.split('%');
  const version = isIP(plain);
  return version !== 0 && LINK_LOCAL.check(plain, version === 6 ? 'ipv6' : 'ipv4');
}

export const LINK_LOCAL_CODE = 'ELINKLOCAL';

/** Refuses a name of which any address is link-local. */
export function lookupElsewhere(lookUp: LookupFunction = lookUpInSystem): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, options, (error, found, family) => {
      const addresses = typeof found === 'string' ? [found] : (found ?? []).map((a) => a.address);
      if (error === null && addresses.some(isLinkLocal)) {
        const refusal = new Error('resolves to a link-local address');
        callback(Object.assign(refusal, { code: LINK_LOCAL_CODE }), '', 0);
      } else {
        callback(error, found, family);
      }
    });
  };
}
