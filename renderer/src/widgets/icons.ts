export interface Icon {
  path: string
  /** Filled, not drawn by its outline. */
  solid?: boolean
}

const TABLE = {
  run: { path: 'M5 3.2v9.6L12.6 8z', solid: true },
  pause: { path: 'M4.5 3.5h2v9h-2zM9.5 3.5h2v9h-2z', solid: true },
  step: { path: 'M8 2.5v7M5 6.8l3 3 3-3M6.2 13.3h3.6' },
  stepAll: { path: 'M4.5 2.5v7M2.3 7l2.2 2.5L6.7 7M11.5 2.5v7M9.3 7l2.2 2.5L13.7 7M3 13.3h10' },
  stepOver: { path: 'M2.5 9.5C3.4 5.6 6 4 8.2 4c2.6 0 4.4 1.7 5 4.4M13.6 5.2l-.4 3.3-3.2-.7M6.4 13.3H10' },
  reset: { path: 'M12.9 6.3A5.2 5.2 0 1 0 13.2 8.6M13.2 3v3.4H9.8' },
  open: { path: 'M2 12.5v-9h4l1.5 2H13v2M2 12.5h10.5L14.3 7.5H4z' },
  file: { path: 'M4 2h5l3 3v9H4zM9 2v3h3' },
  save: { path: 'M3 2.8h7.6L13 5.2v8H3zM5.5 2.8v3.4h4.6V2.8M5 13.2V9h6v4.2' },
  camera: { path: 'M2.5 5h2.6l1-1.7h3.8l1 1.7h2.6v7.7h-11zM8 10.8a2.1 2.1 0 1 0 0-4.2 2.1 2.1 0 0 0 0 4.2z' },
  copy: { path: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3' },
  edit: { path: 'M3 13l.6-2.8 7-7 2.2 2.2-7 7zM9.3 4.5l2.2 2.2' },
  search: { path: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4l3.3 3.3' },
  clear: { path: 'M3 4.5h10M6 4.5V3h4v1.5M4.3 4.5l.6 9h6.2l.6-9' },
  close: { path: 'M4 4l8 8M12 4l-8 8' },
  up: { path: 'M4 10l4-4 4 4' },
  down: { path: 'M4 6l4 4 4-4' },
  follow: { path: 'M2 8h9M8 4.5 11.5 8 8 11.5M14 3.5v9' },
  keyboard: { path: 'M1.8 4.2h12.4v7.6H1.8zM4.2 6.7h.1M6.7 6.7h.1M9.2 6.7h.1M11.7 6.7h.1M5 9.4h6' },
  plug: { path: 'M6 2.5v3M10 2.5v3M4.5 5.5h7v2.2A3.5 3.5 0 0 1 8 11.2a3.5 3.5 0 0 1-3.5-3.5zM8 11.2v2.8' },
  plus: { path: 'M8 3.5v9M3.5 8h9' },
  minus: { path: 'M3.5 8h9' },
  fit: { path: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10' },
  warn: { path: 'M8 2.2 14.3 13H1.7zM8 6.5v3M8 11.2v.1' },
  info: { path: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.3v3.6M8 5v.1' },
  fault: { path: 'M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2zM8 4.8v4M8 11v.1' },
  lanes: { path: 'M2 3.5h6M5 8h8.5M2 12.5h3M7.5 12.5h4' },
  kiln: { path: 'M2.2 3.2h3.2v2.2H2.2zM6.4 3.2h3.2v2.2H6.4zM10.6 3.2h3.2v2.2h-3.2zM5 12.6h6M8.4 9.4h.1' },
  climb: { path: 'M2 13h3.2v-3.2h3.2V6.6h3.2V3.4H14' },
} satisfies Record<string, Icon>

export type IconName = keyof typeof TABLE

export const ICONS: Record<IconName, Icon> = TABLE
