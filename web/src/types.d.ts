// What the modules say to one another, and what they read of STAC.

/** What the address of the page says; everything else follows from it. */
export interface State {
  /** What the page is used for: looking around, or one of the other views. */
  mode: Mode;
  /** Page of the view “operate”, such as `backfill/1a2b3c4d`; null is its first. */
  show: string | null;
  collection: string | null;
  /** Id of the Item that is open. */
  item: string | null;
  /** First and last day, `YYYY-MM-DD`, both included; null is open. */
  from: string | null;
  to: string | null;
  /** Only what covers this place, longitude and latitude. */
  place: Position | null;
  view: View | null;
  /** Of the mask, 0 to 100. */
  opacity: number;
  /** Names of the classes that are drawn; null is all. */
  classes: string[] | null;
  /** The polygon whose sky is asked for, as `area/encoding.js` writes it. */
  area: string | null;
  /** Least share of the polygon that has to be clear, per cent. */
  least: number;
  /** Share of the polygon that a set of acquisitions shall see clear, per cent. */
  share: number;
  /** Id of the Item of the acquisition that the map shows over the polygon. */
  pick: string | null;
  how: Way;
  /** What the open Item is compared with; `compare/sides.js` reads it. */
  against: string | null;
  /** Where the divider stands, per cent from the left. */
  divide: number;
}

export type Way = "swipe" | "side" | "slides" | "agreement";

export type Mode = "map" | "clear" | "compare" | "operate";

export interface View {
  longitude: number;
  latitude: number;
  zoom: number;
}

export type Position = [longitude: number, latitude: number];

/** West, south, east, north; west is greater than east across the antimeridian. */
export type Box = [west: number, south: number, east: number, north: number];

export type Geometry =
  | { type: "Polygon"; coordinates: Position[][] }
  | { type: "MultiPolygon"; coordinates: Position[][][] };

export interface Link {
  rel: string;
  href: string;
  type?: string;
  title?: string;
}

export interface ClassDescription {
  value: number;
  name: string;
  title?: string;
  description?: string;
  color_hint?: string;
}

export interface Asset {
  href: string;
  type?: string;
  title?: string;
  roles?: string[];
  "file:size"?: number;
  "classification:classes"?: ClassDescription[];
}

export interface Item {
  id: string;
  collection: string;
  bbox: number[];
  geometry: Geometry;
  properties: { datetime: string; [name: string]: unknown };
  assets: Record<string, Asset>;
  links: Link[];
}

export interface Collection {
  id: string;
  title?: string;
  description?: string;
  links?: Link[];
  extent?: {
    spatial?: { bbox?: number[][] };
    temporal?: { interval: [string | null, string | null][] };
  };
  item_assets?: Record<string, { "classification:classes"?: ClassDescription[] }>;
  summaries?: Record<string, string[]>;
  /** How masks are drawn: red, green, blue and opacity by class value, 0 to 255. */
  renders?: { mask?: { colormap?: Record<string, number[]> } };
}

/** Products of one day, as a timeline counts them. */
export interface Day {
  /** `YYYY-MM-DD`. */
  day: string;
  count: number;
  /** Mean share of clear sky, 0 to 1. */
  clear: number | null;
}

/** What a search found: a page of it. */
export interface Found {
  /** Items with just the fields that a list shows. */
  items: Item[];
  /** How many there are in all, as far as the catalogue says. */
  matched: number | null;
  /** What to ask for the next page; null at the end. */
  next: { address: string; body: unknown } | null;
}

/** Where the services are, each without a slash at its end. */
export interface Services {
  stac: string;
  tiler: string;
  admin: string;
}

/** What the operator may set in `config.json`. */
export interface Config {
  background: { tiles: string; attribution?: string; maxzoom?: number } | null;
}

/** One bar of the timeline. */
export interface Bin {
  /** First and last day of the bar, `YYYY-MM-DD`. */
  from: string;
  to: string;
  count: number;
  /** Mean share of clear sky of its products, 0 to 1; null where there are none. */
  clear: number | null;
}

export interface Snippet {
  id: string;
  title: string;
  /** One sentence on what to do with it. */
  hint: string;
  text: string;
}
