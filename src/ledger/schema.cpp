#include "ledger/schema.hpp"

#include <string>

#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::ledger {
namespace {

// `range` is updated by every batch: free room on its pages keeps those updates HOT, and no index covers what
// changes.
constexpr const char* kSchema = R"sql(
CREATE SCHEMA IF NOT EXISTS pgsluice;
COMMENT ON SCHEMA pgsluice IS 'ledger of pgsluice: jobs, their positions and their event log';

CREATE TABLE pgsluice.meta (schema_version int PRIMARY KEY, installed_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE pgsluice.job (
  job_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  description text NOT NULL DEFAULT '',
  state text NOT NULL DEFAULT 'ready',
  control text NOT NULL DEFAULT 'run',
  control_reason text NOT NULL DEFAULT '',
  control_actor text NOT NULL DEFAULT '',
  control_at timestamptz,
  tunables text[] NOT NULL DEFAULT '{}',
  tunables_version bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CHECK (control IN ('run', 'pause', 'cancel')),
  CONSTRAINT job_state_check CHECK (state IN ('ready', 'running', 'done', 'failed', 'cancelled', 'rolling back', 'rolled back'))
);

CREATE TABLE pgsluice.step (
  step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id bigint NOT NULL REFERENCES pgsluice.job ON DELETE CASCADE,
  parent_id bigint REFERENCES pgsluice.step ON DELETE CASCADE,
  part text NOT NULL DEFAULT '',
  number int NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  definition text[] NOT NULL,
  state text NOT NULL DEFAULT 'waiting',
  detail text NOT NULL DEFAULT '',
  rows_expected bigint NOT NULL DEFAULT 0,
  ranges_cut boolean NOT NULL DEFAULT false,
  started_at timestamptz,
  ended_at timestamptz,
  error text NOT NULL DEFAULT '',
  object_names text NOT NULL DEFAULT 'job',
  as_of timestamptz,
  UNIQUE (job_id, name),
  CHECK (state IN ('waiting', 'running', 'done', 'failed', 'rolled back'))
);

CREATE TABLE pgsluice.run (
  run_id uuid PRIMARY KEY,
  job_id bigint NOT NULL REFERENCES pgsluice.job ON DELETE CASCADE,
  version text NOT NULL,
  host text NOT NULL,
  boot text NOT NULL,
  pid int NOT NULL,
  process_started text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text NOT NULL DEFAULT '',
  exit_code int,
  progress text NOT NULL DEFAULT ''
) WITH (fillfactor = 40);
CREATE INDEX run_job ON pgsluice.run (job_id);

CREATE TABLE pgsluice.range (
  range_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  step_id bigint NOT NULL REFERENCES pgsluice.step ON DELETE CASCADE,
  walk text NOT NULL DEFAULT 'keyset',
  lower text[],
  upper text[],
  position text[],
  is_done boolean NOT NULL DEFAULT false,
  run_id uuid,
  epoch bigint NOT NULL DEFAULT 0,
  rows_expected bigint NOT NULL DEFAULT 0,
  rows_visited bigint NOT NULL DEFAULT 0,
  rows_changed bigint NOT NULL DEFAULT 0,
  rows_quarantined bigint NOT NULL DEFAULT 0,
  batches bigint NOT NULL DEFAULT 0,
  CONSTRAINT range_walk_check CHECK (walk IN ('keyset', 'blocks', 'sweep', 'final'))
) WITH (fillfactor = 40);
CREATE INDEX range_step ON pgsluice.range (step_id);

CREATE TABLE pgsluice.quarantine (
  step_id bigint NOT NULL REFERENCES pgsluice.step ON DELETE CASCADE,
  key text[] NOT NULL,
  sqlstate text NOT NULL,
  message text NOT NULL,
  set_aside_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pgsluice.object (
  step_id bigint NOT NULL REFERENCES pgsluice.step ON DELETE CASCADE,
  kind text NOT NULL,
  name text NOT NULL,
  table_oid oid NOT NULL,
  PRIMARY KEY (step_id, kind, name, table_oid)
);

CREATE TABLE pgsluice.event (
  event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id bigint NOT NULL REFERENCES pgsluice.job ON DELETE CASCADE,
  run_id uuid,
  at timestamptz NOT NULL,
  type text NOT NULL,
  fields jsonb NOT NULL
);
CREATE INDEX event_job ON pgsluice.event (job_id, event_id);

INSERT INTO pgsluice.meta (schema_version) VALUES (9);
)sql";

// The steps that keep before-images, and what these are of.
constexpr const char* kImageTable = R"sql(
CREATE TABLE pgsluice.image (
  step_id bigint PRIMARY KEY REFERENCES pgsluice.step ON DELETE CASCADE,
  kept_for_hours int,
  created_at timestamptz NOT NULL DEFAULT now(),
  table_oid oid NOT NULL,
  key_columns int2[] NOT NULL,
  set_columns int2[] NOT NULL,
  types text[] NOT NULL
);
)sql";

// By a hash: a key that just fits the index of its own table would not fit one with the step's number before
// it. A publication of all tables cannot replicate an update of a table without a primary key, hence the
// number.
constexpr const char* kQuarantineByHash = R"sql(
CREATE UNIQUE INDEX IF NOT EXISTS quarantine_row ON pgsluice.quarantine (step_id, pg_catalog.hash_array_extended(key, 0));
ALTER TABLE pgsluice.quarantine ADD COLUMN IF NOT EXISTS row_id bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE pgsluice.quarantine ADD PRIMARY KEY (row_id);
)sql";

// What was foretold of a step when its first run began it, and what came true. From the last four columns the
// values that came true are computed.
constexpr const char* kEstimateTable = R"sql(
CREATE TABLE pgsluice.estimate (
  step_id bigint PRIMARY KEY REFERENCES pgsluice.step ON DELETE CASCADE,
  run_id uuid NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  is_sampled boolean NOT NULL,
  basis text NOT NULL,
  rows_low float8, rows_likely float8, rows_high float8, rows_actual float8,
  seconds_low float8, seconds_likely float8, seconds_high float8, seconds_actual float8,
  wal_bytes_low float8, wal_bytes_likely float8, wal_bytes_high float8, wal_bytes_actual float8,
  heap_bytes_low float8, heap_bytes_likely float8, heap_bytes_high float8, heap_bytes_actual float8,
  index_bytes_low float8, index_bytes_likely float8, index_bytes_high float8, index_bytes_actual float8,
  image_bytes_low float8, image_bytes_likely float8, image_bytes_high float8, image_bytes_actual float8,
  table_oid oid NOT NULL,
  heap_bytes_before float8 NOT NULL,
  index_bytes_before float8 NOT NULL,
  wal_before pg_lsn NOT NULL
);
)sql";

// Copies that follow their source.
constexpr const char* kFollowTable = R"sql(
CREATE TABLE IF NOT EXISTS pgsluice.follow (
  step_id bigint PRIMARY KEY REFERENCES pgsluice.step ON DELETE CASCADE,
  queue text NOT NULL,
  marks text NOT NULL DEFAULT '',
  is_following boolean NOT NULL DEFAULT false,
  is_switched boolean NOT NULL DEFAULT false,
  entries_behind bigint,
  seconds_behind float8,
  measured_at timestamptz,
  switch_within_ms bigint,
  switch_asked_at timestamptz,
  switch_answer text NOT NULL DEFAULT ''
) WITH (fillfactor = 40);
)sql";

// From version 1: the acts of a retype become child steps of its step.
constexpr const char* kUpgradeTo2 = R"sql(
ALTER TABLE pgsluice.step ADD COLUMN parent_id bigint REFERENCES pgsluice.step ON DELETE CASCADE,
  ADD COLUMN part text NOT NULL DEFAULT '';
UPDATE pgsluice.meta SET schema_version = 2;
)sql";

// From version 2: a range records how it is walked.
constexpr const char* kUpgradeTo3 = R"sql(
ALTER TABLE pgsluice.range ADD COLUMN walk text NOT NULL DEFAULT 'keyset' CHECK (walk IN ('keyset', 'blocks', 'final'));
UPDATE pgsluice.meta SET schema_version = 3;
)sql";

// From version 3: blocks can be swept again.
constexpr const char* kUpgradeTo4 = R"sql(
ALTER TABLE pgsluice.range DROP CONSTRAINT range_walk_check,
  ADD CONSTRAINT range_walk_check CHECK (walk IN ('keyset', 'blocks', 'sweep', 'final'));
UPDATE pgsluice.meta SET schema_version = 4;
)sql";

// Before all other upgrades to 5: a publication of all tables cannot replicate an update of a table without a
// key.
constexpr const char* kKeyOfMeta = "ALTER TABLE pgsluice.meta ADD PRIMARY KEY (schema_version)";

// From version 4: what a retype creates is recorded, and named after its job; a retype that has begun keeps
// its old names.
constexpr const char* kUpgradeTo5 = R"sql(
ALTER TABLE pgsluice.step ADD COLUMN object_names text NOT NULL DEFAULT 'job';
UPDATE pgsluice.step SET object_names = 'step' WHERE kind = 'retype' AND detail <> '';
CREATE TABLE pgsluice.object (
  step_id bigint NOT NULL REFERENCES pgsluice.step ON DELETE CASCADE,
  kind text NOT NULL,
  name text NOT NULL,
  table_oid oid NOT NULL,
  PRIMARY KEY (step_id, kind, name, table_oid)
);
UPDATE pgsluice.meta SET schema_version = 5;
)sql";

// From version 5: the word for a retype whose columns are undone has changed.
constexpr const char* kUpgradeTo6 = R"sql(
UPDATE pgsluice.step SET detail = 'taken back' WHERE kind = 'retype' AND detail = 'swapped back';
UPDATE pgsluice.meta SET schema_version = 6;
)sql";

// From version 6: a rollback is a run, and the job says so; steps can keep before-images; what is foretold of
// a step is kept beside what comes true.
constexpr const char* kUpgradeTo7 = R"sql(
ALTER TABLE pgsluice.job DROP CONSTRAINT job_state_check,
  ADD CONSTRAINT job_state_check
  CHECK (state IN ('ready', 'running', 'done', 'failed', 'cancelled', 'rolling back', 'rolled back'));
UPDATE pgsluice.meta SET schema_version = 7;
)sql";

// From version 7: a purge keeps the time that its `where` refers to, and any key can be quarantined.
constexpr const char* kUpgradeTo8 = R"sql(
ALTER TABLE pgsluice.step ADD COLUMN IF NOT EXISTS as_of timestamptz;
ALTER TABLE pgsluice.quarantine DROP CONSTRAINT IF EXISTS quarantine_pkey;
UPDATE pgsluice.meta SET schema_version = 8;
)sql";

// From version 8: a copy can follow its source.
constexpr const char* kUpgradeTo9 = "UPDATE pgsluice.meta SET schema_version = 9";

// Any two numbers that nobody else uses; the lock is of the transaction, so poolers do not mind.
constexpr const char* kInstallLock = "SELECT pg_catalog.pg_advisory_xact_lock(7034, 1)";

// Not to_regclass: it trusts its backend's cache, which does not know what another session committed while we
// waited.
constexpr const char* kIsInstalled = R"sql(
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'pgsluice' AND c.relname = 'meta')
)sql";

constexpr std::chrono::milliseconds kInstallTimeout{10'000};  // another run may be installing

}  // namespace

int installed_version(pg::Session& session) {
  return static_cast<int>(
      session.exec("SELECT max(schema_version) FROM pgsluice.meta", pg::Params{}).integer(0, 0));
}

bool is_installed(pg::Session& session) {
  return session.exec(kIsInstalled, pg::Params{}).boolean(0, 0);
}

void install(pg::Session& session) try {
  if (!is_installed(session)) {
    const pg::TransactionLimits limits{kInstallTimeout, kInstallTimeout, true};
    pg::in_transaction(session, limits, [&] {
      session.exec(kInstallLock);
      if (!is_installed(session))
        session.exec(std::string(kSchema) + kImageTable + kEstimateTable + kFollowTable + kQuarantineByHash);
      return true;
    });
  }
  if (installed_version(session) < kSchemaVersion) {
    const pg::TransactionLimits limits{kInstallTimeout, kInstallTimeout, true};
    pg::in_transaction(session, limits, [&] {
      session.exec(kInstallLock);
      if (installed_version(session) < 5) session.exec(kKeyOfMeta);
      if (installed_version(session) == 1) session.exec(kUpgradeTo2);
      if (installed_version(session) == 2) session.exec(kUpgradeTo3);
      if (installed_version(session) == 3) session.exec(kUpgradeTo4);
      if (installed_version(session) == 4) session.exec(kUpgradeTo5);
      if (installed_version(session) == 5) session.exec(kUpgradeTo6);
      if (installed_version(session) == 6)
        session.exec(std::string(kImageTable) + kEstimateTable + kUpgradeTo7);
      if (installed_version(session) == 7) session.exec(std::string(kUpgradeTo8) + kQuarantineByHash);
      if (installed_version(session) == 8) session.exec(std::string(kFollowTable) + kUpgradeTo9);
      return true;
    });
  }
  const int version = installed_version(session);
  if (version > kSchemaVersion) {
    throw Error(ExitCode::kRefused,
                "the ledger in schema \"pgsluice\" has version " + std::to_string(version) +
                    ", but this program supports only up to " + std::to_string(kSchemaVersion),
                "use the newer version of pgsluice that wrote it");
  }
} catch (const pg::Failure& f) {
  if (f.sqlstate() != pg::kInsufficientPrivilege) throw;
  throw Error(ExitCode::kPrivileges,
              std::string("cannot create or read the ledger in schema \"pgsluice\": ") + f.what(),
              "as a superuser: GRANT CREATE ON DATABASE … TO …, or create the ledger once as its owner and "
              "GRANT USAGE ON "
              "SCHEMA pgsluice and ALL ON ALL TABLES IN SCHEMA pgsluice");
}

}  // namespace pgsluice::ledger
