"""SQL of the store.

Moments are UTC ISO 8601 text as `exam_kit.clock.iso` writes it, so that text order is time order. The ledger's SQL
is kept by name because `log verify` compares it with what stands in the file: a dropped trigger is a finding.
"""

from __future__ import annotations

__all__ = [
    "APPLICATION_ID",
    "FIRST_LEDGER_SCHEMA",
    "INDEXES",
    "LEDGER_SCHEMA",
    "PICTURE_TABLES",
    "PLAN_COLUMNS",
    "SCHEMA_VERSION",
    "SEAL_COLUMN",
    "STATION_TABLES",
    "TABLES",
]

SCHEMA_VERSION = 7
"""How many steps `migrations` has; kept in the file, so that one that is up to date is known at a glance."""

APPLICATION_ID = 0x45584B54
"""EXKT: says of the file whose it is."""


def _frozen(table: str, act: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: entries are never changed; a correction is a new entry'); END"
    )


FIRST_LEDGER_SCHEMA = {
    "ledger": """CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY,
  record TEXT NOT NULL,
  hash TEXT NOT NULL,
  kind TEXT GENERATED ALWAYS AS (json_extract(record, '$.kind')) VIRTUAL,
  at TEXT GENERATED ALWAYS AS (json_extract(record, '$.at')) VIRTUAL
) STRICT""",
    "ledger_kind": "CREATE INDEX ledger_kind ON ledger (kind, seq)",
    "ledger_no_update": _frozen("ledger", "UPDATE"),
    "ledger_no_delete": _frozen("ledger", "DELETE"),
    # INSERT OR REPLACE walks past a delete trigger, so a wrong INSERT is refused as well.
    "ledger_next_only": """CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ledger)
  OR json_extract(NEW.record, '$.seq') IS NOT NEW.seq
  OR (NEW.seq > 1 AND json_extract(NEW.record, '$.prev') IS NOT (SELECT hash FROM ledger ORDER BY seq DESC LIMIT 1))
BEGIN SELECT RAISE(ABORT, 'ledger: only the next entry of the chain may be added'); END""",
    "checkpoint": """CREATE TABLE checkpoint (
  seq INTEGER PRIMARY KEY,
  text TEXT NOT NULL
) STRICT""",
    "checkpoint_no_update": _frozen("checkpoint", "UPDATE"),
    "checkpoint_no_delete": _frozen("checkpoint", "DELETE"),
    "checkpoint_next_only": """CREATE TRIGGER checkpoint_next_only BEFORE INSERT ON checkpoint
WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM checkpoint)
BEGIN SELECT RAISE(ABORT, 'checkpoint: only a later checkpoint may be added'); END""",
}
SEAL_COLUMN = "ALTER TABLE ledger ADD COLUMN seal BLOB"

LEDGER_SCHEMA = {
    **FIRST_LEDGER_SCHEMA,
    # As SQLite writes the table down after the step that added the column.
    "ledger": FIRST_LEDGER_SCHEMA["ledger"].replace(") STRICT", ", seal BLOB) STRICT"),
}
"""The ledger's SQL as it must stand in an up-to-date file."""

TABLES = (
    # People who sign in. A PIN is kept as an argon2 hash only.
    """CREATE TABLE account (
  login TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  post TEXT NOT NULL,
  pin_hash TEXT NOT NULL,
  language TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  locked_until TEXT
) STRICT""",
    # The cookie's token is kept as its SHA-256 only.
    """CREATE TABLE session (
  token_hash TEXT PRIMARY KEY,
  login TEXT NOT NULL REFERENCES account(login),
  language TEXT NOT NULL,
  created_at TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  ends_at TEXT NOT NULL
) STRICT""",
    # One row per planned run (a check at T-2 h). Claimed in one BEGIN IMMEDIATE.
    """CREATE TABLE run_plan (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  day TEXT NOT NULL,
  due_from TEXT NOT NULL,
  due_until TEXT NOT NULL,
  claimed_by TEXT,
  lease_until TEXT,
  started_at TEXT,
  ended_at TEXT,
  outcome TEXT
) STRICT""",
    # What a person asked for, with who ordered it and why. The agent takes it and answers in the same row.
    """CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  actor TEXT NOT NULL,
  ordered_by TEXT NOT NULL,
  why TEXT NOT NULL,
  given_at TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'new',
  progress TEXT,
  result TEXT,
  ended_at TEXT,
  seq INTEGER NOT NULL
) STRICT""",
    "CREATE INDEX orders_state ON orders (state, id)",
    # Recorded pieces. A row appears when the piece is opened and is completed when it is closed or recovered.
    """CREATE TABLE segment (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  day TEXT NOT NULL,
  path TEXT NOT NULL UNIQUE,
  from_at TEXT NOT NULL,
  to_at TEXT,
  frames INTEGER,
  bytes INTEGER,
  sha256 TEXT,
  closed_reason TEXT,
  seq INTEGER
) STRICT""",
    "CREATE INDEX segment_camera ON segment (camera, from_at)",
    # Time in which a camera should have recorded and did not. to_at is null while it lasts.
    """CREATE TABLE gap (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  from_at TEXT NOT NULL,
  to_at TEXT,
  cause TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT '',
  seq INTEGER
) STRICT""",
    "CREATE INDEX gap_camera ON gap (camera, from_at)",
    # Last known state of each camera; overwritten, never acknowledged.
    """CREATE TABLE camera_state (
  camera TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  since TEXT NOT NULL,
  seen_at TEXT NOT NULL,
  desired TEXT NOT NULL,
  info TEXT NOT NULL
) STRICT""",
    """CREATE TABLE check_run (
  id TEXT PRIMARY KEY,
  day TEXT,
  profile TEXT NOT NULL,
  profile_hash TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  verdict TEXT,
  actor TEXT NOT NULL,
  seq INTEGER
) STRICT""",
    """CREATE TABLE check_result (
  run TEXT NOT NULL REFERENCES check_run(id),
  position INTEGER NOT NULL,
  check_id TEXT NOT NULL,
  target TEXT NOT NULL,
  state TEXT NOT NULL,
  severity TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run, check_id, target)
) STRICT""",
    """CREATE TABLE archive_job (
  id TEXT PRIMARY KEY,
  day TEXT NOT NULL,
  destination TEXT NOT NULL,
  zones TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  bag TEXT,
  files INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  done_files INTEGER NOT NULL DEFAULT 0,
  done_bytes INTEGER NOT NULL DEFAULT 0,
  detail TEXT NOT NULL DEFAULT '',
  seq INTEGER
) STRICT""",
    """CREATE TABLE archive_file (
  job TEXT NOT NULL REFERENCES archive_job(id),
  path TEXT NOT NULL,
  source TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (job, path)
) STRICT""",
)

STATION_TABLES = (
    # A run made on an exam station names it; the laptop's own runs have null here.
    "ALTER TABLE check_run ADD COLUMN station TEXT",
    "CREATE INDEX check_run_station ON check_run (station, started_at)",
    # What came with a station's run. `nonce` and `sha256` keep a file from being taken twice.
    """CREATE TABLE station_result (
  run TEXT PRIMARY KEY REFERENCES check_run(id),
  station TEXT NOT NULL,
  role TEXT NOT NULL,
  stick TEXT NOT NULL,
  nonce TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL UNIQUE,
  file TEXT NOT NULL,
  machine TEXT NOT NULL,
  made_at TEXT NOT NULL,
  taken_at TEXT NOT NULL,
  taken_by TEXT NOT NULL,
  remarks TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT""",
)

INDEXES = (
    # What a crash left unfinished is looked for at every start, among all that was ever recorded.
    "CREATE INDEX segment_unfinished ON segment (id) WHERE seq IS NULL",
)

PICTURE_TABLES = (
    # What was seen of each camera's picture, a row for as long as it stayed the same; `to_at` moves on while it lasts.
    # Between two rows nobody looked. A record for the screens, not evidence: the footage itself is that.
    """CREATE TABLE picture_state (
  id INTEGER PRIMARY KEY,
  camera TEXT NOT NULL,
  state TEXT NOT NULL,
  from_at TEXT NOT NULL,
  to_at TEXT NOT NULL
) STRICT""",
    "CREATE INDEX picture_state_camera ON picture_state (camera, from_at)",
)

PLAN_COLUMNS = (
    # JSON: when each completed run began, by the wall clock's present scale.
    "ALTER TABLE run_plan ADD COLUMN ran TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE run_plan ADD COLUMN settled INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE run_plan ADD COLUMN reported_at TEXT",
    # What stood there before: one run or one report, in the same columns.
    """UPDATE run_plan SET ran = json_array(started_at)
  WHERE started_at IS NOT NULL AND ended_at IS NOT NULL AND (outcome IS NULL OR outcome <> 'missed')""",
    "UPDATE run_plan SET reported_at = ended_at WHERE outcome = 'missed' OR (outcome IS NULL AND started_at IS NULL)",
)
