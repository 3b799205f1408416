/** Aligned columns of text. Widths are counted before colour is added, so colour cannot shift them. */
import { type Paint, printable, type Style } from './style.ts';

export interface Cell {
  readonly text: string;
  readonly paint: Paint;
}

export function cell(text: string, paint: Paint = 'plain'): Cell {
  return { text: printable(text), paint };
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

const GAP = '  ';

/** One line for each row, the header first; no white space at the ends of lines. */
export function renderTable({ header, rows }: Table, style: Style): readonly string[] {
  const table = [header.map((title) => cell(title, 'dim')), ...rows];
  const widths = header.map((_, column) =>
    Math.max(...table.map((cells) => widthOf(cells[column]?.text ?? ''))),
  );
  return table.map((cells) =>
    cells
      .map(({ text, paint }, column) => {
        const isLast = column === cells.length - 1;
        const padding = isLast ? 0 : (widths[column] ?? 0) - widthOf(text);
        return `${style(text, paint)}${' '.repeat(padding)}`;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** Columns in a terminal, for the scripts that names are written in here. */
function widthOf(text: string): number {
  return [...text].length;
}
