// What the administration tells, as JSON.

export interface Counts {
  held: number;
  due: number;
  queued: number;
  running: number;
  done: number;
  failed: number;
  aborted: number;
}

export interface Backfill {
  id: string;
  name: string;
  engine: string;
  state: "listing" | "running" | "paused" | "aborted" | "done" | "failed";
  priority: number;
  created: string;
  created_by: string;
  spec: {
    source?: {
      kind: string;
      address?: string | null;
      names?: string[];
      names_in_all?: number;
    };
    filters?: {
      start?: string | null;
      end?: string | null;
      tiles?: string[];
      bbox?: number[] | null;
      geometry?: unknown;
      level?: string | null;
      baseline_min?: string | null;
      max_cloud?: number | null;
    };
  };
  found: number;
  skipped: Record<string, number>;
  counts: Counts;
  total: number;
  done_share: number;
  rate_per_hour: number;
  eta_s: number | null;
  error: string | null;
}

export interface Brake {
  engine: string;
  failures_in_a_row: number;
  stopped: string | null;
  reason: string | null;
}

export interface LaneState {
  lane: "stage" | "mask" | "publish";
  due: number;
  delayed: number;
  queued: number;
  running: number;
  failed: number;
  held: number;
  brakes: Brake[];
}

export interface Worker {
  name: string;
  lane: string;
  host: string;
  pid: number;
  device: string | null;
  product: string | null;
  step: string | null;
  done: number | null;
  total: number | null;
  scratch_free: number | null;
  since: string | null;
  alive: boolean;
}

export interface Everything {
  backfills: Backfill[];
  lanes: LaneState[];
  workers: Worker[];
}

export interface Failure {
  id: number;
  product: string;
  engine: string;
  lane: string;
  source: string;
  kind: string;
  error: string;
  attempts: number;
  updated: string;
}

export interface Estimate {
  engine: string;
  engine_reason: string;
  found: number;
  already_masked: number;
  to_do: number;
  bytes: number;
  bytes_unknown: number;
  expected_s: number | null;
  basis: string | null;
  skipped: Record<string, number>;
}

export interface Engine {
  name: string;
  title: string;
  levels: string[];
  versions: Record<string, string>;
}

export type Coverage = "masked" | "running" | "waiting" | "failed" | "missing";

export interface CoveredProduct {
  product: string;
  engine: string;
  state: Coverage;
  version: string | null;
  detail: string | null;
}

export interface CoveredTile {
  tile: string;
  days: { date: string; products: CoveredProduct[] }[];
}

export interface Entry {
  id: number;
  at: string;
  who: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
}

export interface SessionFacts {
  name: string;
  role: "read" | "operate";
  expires: string | null;
}
