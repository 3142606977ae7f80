import type { ChunkCell, ChunkLetter } from './chunk-cells.ts';

/** Cells of the chunk map on a canvas: each state has a shape of its own beside its colour. */

/** Distance of two cells, in CSS pixels. */
export const CELL = 16;
const SIDE = 13;

const COLOURS: Readonly<Record<ChunkLetter, string>> = {
  q: '--queued',
  r: '--accent',
  d: '--accent',
  u: '--reused',
  f: '--bad',
};

export function drawCells(
  canvas: HTMLCanvasElement,
  cells: readonly ChunkCell[],
  columns: number,
  chosen: number | null,
): void {
  const rows = Math.max(1, Math.ceil(cells.length / columns));
  const paint = prepare(canvas, columns * CELL, rows * CELL);
  if (paint === null) return;
  const colours = getComputedStyle(document.documentElement);
  for (const [index, cell] of cells.entries()) {
    const x = (index % columns) * CELL;
    const y = Math.floor(index / columns) * CELL;
    drawCell(paint, x, y, cell.state, cell.doneShare, colours);
    if (index !== chosen) continue;
    paint.strokeStyle = colours.getPropertyValue('--ink');
    paint.lineWidth = 2;
    paint.strokeRect(x + 1, y + 1, CELL - 3, CELL - 3);
  }
}

/** One cell for the legend, drawn on whatever template ref Vue hands over. `_isDark`: redraw. */
export function fitCells(element: unknown, letter: ChunkLetter, _isDark: boolean): void {
  if (!(element instanceof HTMLCanvasElement)) return;
  const paint = prepare(element, CELL, CELL);
  if (paint === null) return;
  drawCell(paint, 1, 1, letter, 0, getComputedStyle(document.documentElement));
}

function prepare(canvas: HTMLCanvasElement, width: number, height: number) {
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const paint = canvas.getContext('2d');
  paint?.scale(ratio, ratio);
  return paint;
}

function drawCell(
  paint: CanvasRenderingContext2D,
  x: number,
  y: number,
  state: ChunkLetter,
  doneShare: number,
  colours: CSSStyleDeclaration,
): void {
  const colour = colours.getPropertyValue(COLOURS[state]);
  paint.fillStyle = colour;
  paint.strokeStyle = colour;
  paint.lineWidth = 1.5;
  if (state === 'q' || state === 'r') {
    outline(paint, x, y);
    if (state === 'r') stripes(paint, x, y);
    if (state === 'q' && doneShare > 0) {
      paint.fillStyle = colours.getPropertyValue('--accent');
      paint.fillRect(
        x + 2,
        y + SIDE - 1 - (SIDE - 3) * doneShare,
        SIDE - 3,
        (SIDE - 3) * doneShare,
      );
    }
    return;
  }
  paint.beginPath();
  paint.roundRect(x, y, SIDE, SIDE, 3);
  paint.fill();
  paint.strokeStyle = colours.getPropertyValue('--surface');
  paint.fillStyle = paint.strokeStyle;
  if (state === 'u') {
    paint.beginPath();
    paint.arc(x + SIDE / 2, y + SIDE / 2, 2.6, 0, Math.PI * 2);
    paint.fill();
  }
  if (state === 'f') cross(paint, x, y);
}

function outline(paint: CanvasRenderingContext2D, x: number, y: number): void {
  paint.beginPath();
  paint.roundRect(x + 0.75, y + 0.75, SIDE - 1.5, SIDE - 1.5, 3);
  paint.stroke();
}

function stripes(paint: CanvasRenderingContext2D, x: number, y: number): void {
  paint.beginPath();
  paint.moveTo(x + 2, y + 7);
  paint.lineTo(x + 7, y + 2);
  paint.moveTo(x + 3, y + 11);
  paint.lineTo(x + 11, y + 3);
  paint.moveTo(x + 7.5, y + 11.5);
  paint.lineTo(x + 11.5, y + 7.5);
  paint.stroke();
}

function cross(paint: CanvasRenderingContext2D, x: number, y: number): void {
  paint.lineWidth = 2;
  paint.beginPath();
  paint.moveTo(x + 3.5, y + 3.5);
  paint.lineTo(x + SIDE - 3.5, y + SIDE - 3.5);
  paint.moveTo(x + SIDE - 3.5, y + 3.5);
  paint.lineTo(x + 3.5, y + SIDE - 3.5);
  paint.stroke();
}
