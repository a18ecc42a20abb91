import { lookup, lookupService } from 'node:dns/promises';
import { hostname } from 'node:os';

export interface NameService {
  lookup(name: string): Promise<{ readonly address: string }>;
  lookupService(address: string, port: number): Promise<{ readonly hostname: string }>;
}

const NAME_SERVICE: NameService = { lookup: (name) => lookup(name), lookupService };
/** A name service that is away must not keep the first report back for longer. */
const PATIENCE_MS = 5_000;

/**
 * This host's name with its domain, as libvirt tells it to nova and Neutron's agent to placement; the plain host name where no domain is
 * known in time. Never rejects.
 */
export async function canonicalHostName(name = hostname(), service = NAME_SERVICE): Promise<string> {
  if (name.includes('.') || name.startsWith('localhost')) return name;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, name);
  });
  return Promise.race([withDomain(name, service), late]).finally(() => clearTimeout(timer));
}

async function withDomain(name: string, service: NameService): Promise<string> {
  try {
    const { address } = await service.lookup(name);
    const { hostname: found } = await service.lookupService(address, 0);
    // Another name of the address is another's: 127.0.0.1 is localhost too.
    return found.startsWith(`${name}.`) ? found : name;
  } catch {
    return name;
  }
}
