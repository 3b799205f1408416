/** Maintenance windows, one line each. */
import type { MaintenanceJson, ServiceJson } from '../../api/schemas.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';
import { formatInstant } from './time.ts';

const HEADER = ['service', 'site', 'since', 'until', 'by', 'reason'];

/** `maintenance of us-east-1 until …, by ann: new disks`. */
export function maintenanceText({ site, untilAt, by, reason }: MaintenanceJson): string {
  return `maintenance of ${site ?? 'the whole service'} until ${formatInstant(untilAt)}, by ${by}: ${reason}`;
}

export function renderMaintenance(
  services: readonly ServiceJson[],
  style: Style,
): readonly string[] {
  const rows = services.flatMap(({ service, maintenance }) =>
    maintenance.map(({ site, sinceAt, untilAt, by, reason }) => [
      cell(service, 'strong'),
      cell(site ?? 'all sites'),
      cell(formatInstant(sinceAt)),
      cell(formatInstant(untilAt)),
      cell(by),
      cell(reason),
    ]),
  );
  return rows.length === 0 ? ['no maintenance'] : renderTable({ header: HEADER, rows }, style);
}
