/** `tripoint services`: one line for each protected service. */
import type { ServiceJson } from '../../api/schemas.ts';
import { formatDuration } from '../../config/duration.ts';
import { phasePaint, phaseText } from './opinion.ts';
import type { Style } from './style.ts';
import { cell, renderTable } from './table.ts';

const HEADER = ['service', 'name', 'type', 'phase', 'active', 'primary', 'failover', 'RTO', 'RPO'];

export function renderServices(services: readonly ServiceJson[], style: Style): readonly string[] {
  const rows = services.map((service) => {
    const { activeSite, primary, automatic, objectives } = service;
    return [
      cell(service.service, 'strong'),
      cell(service.dnsName),
      cell(service.recordType),
      cell(phaseText(service.phase), phasePaint(service.phase)),
      cell(activeSite, activeSite === primary ? 'plain' : 'warning'),
      cell(primary),
      cell(automatic ? 'automatic' : 'by hand'),
      cell(formatDuration(objectives.rtoMs)),
      cell(formatDuration(objectives.rpoMs)),
    ];
  });
  return renderTable({ header: HEADER, rows }, style);
}
