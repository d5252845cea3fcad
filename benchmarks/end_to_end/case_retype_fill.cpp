// What the triggers that keep a shadow column in step cost its fill: nothing, if their WHEN turns it away.

#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>

#include "end_to_end/cases.hpp"
#include "measure/bench_server.hpp"
#include "measure/engine_run.hpp"
#include "measure/event_lines.hpp"
#include "measure/figures.hpp"
#include "measure/markdown.hpp"
#include "measure/process_cost.hpp"
#include "measure/users_table.hpp"
#include "support/environment.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kRows = 1'000'000;
constexpr double kSpeedMin = 0.9;  // of the backfill without triggers
constexpr std::chrono::minutes kPatience{60};

/// What mapping = "embed" makes of an integer.
std::string uuid_of(const std::string& id) {
  return "('00000000-0000-8000-8000-' || pg_catalog.lpad(pg_catalog.to_hex((" + id +
         ")::pg_catalog.int8), 12, '0'))::pg_catalog.uuid";
}

const std::string kAddColumn = "ALTER TABLE users ADD COLUMN id_new uuid";

/// What most guides do: fired by every update, the fill's own too.
const std::string kMakePlainTrigger =
    "CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id_new := " + uuid_of("NEW.id") +
    "; RETURN NEW; END $$; CREATE TRIGGER sync BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE "
    "FUNCTION sync()";

enum class Kind { kNoTrigger, kRetype, kPlainTrigger };

struct Arm {
  Kind kind;
  int lanes;
};

const std::vector<Arm> kArms{{Kind::kNoTrigger, 1}, {Kind::kRetype, 1}, {Kind::kPlainTrigger, 1},
                             {Kind::kNoTrigger, 2}, {Kind::kRetype, 2}, {Kind::kPlainTrigger, 2}};

std::string name_of(const Arm& arm) {
  const std::string lanes = arm.lanes == 1 ? ", 1 lane" : ", 2 lanes";
  if (arm.kind == Kind::kNoTrigger) return "backfill, no trigger" + lanes;
  if (arm.kind == Kind::kRetype) return "retype, its fill" + lanes;
  return "backfill, trigger without WHEN" + lanes;
}

std::string job_of(const Arm& arm) {
  if (arm.kind != Kind::kRetype)
    return job_file({"users", "id_new = \"" + uuid_of("id") + "\"", "id_new IS NULL", arm.lanes});
  return "name = \"bench\"\n[pool]\nlanes = " + std::to_string(arm.lanes) +
         "\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"users\"]\nto = \"uuid\"\nmapping = "
         "\"embed\"\nnew_ids = \"gen_random_uuid()\"\n";
}

std::string step_of(const Arm& arm) {
  return arm.kind == Kind::kRetype ? R"(ids: fill "public"."users")" : "fill";
}

struct Cost {
  double wal_mb = 0;
  double cpu_s = 0;
};

Cost cost_until_now(BenchServer& server, test::Db& db) {
  return {wal_position(db) / 1e6, cpu_seconds_of_family(server.server().postmaster_pid())};
}

/// The event of this type that names the step. Throws when the program ends without it.
base::Json await_event(test::Process& program, const std::string& type, const std::string& step) {
  base::Json found;
  test::wait_for(
      [&] {
        const bool is_over = !program.running();
        for (auto& event : events_of(program.out(), type)) {
          if (event.at("step") == step) found = std::move(event);
        }
        if (found.is_null() && is_over)
          throw std::runtime_error("no " + type + " of " + step + ":\n" + program.out() + program.err());
        return !found.is_null();
      },
      kPatience, type + " of " + step);
  return found;
}

struct Measured {
  Figures seconds, rows_per_second, speed, server_cpu, wal_mb;
};

/// Rows a second. What a retype does after its fill is not awaited.
double trial_of(BenchServer& server, const Arm& arm, std::int64_t rows, Measured& measured) {
  auto trial = server.trial("users");
  auto& db = trial.db();
  if (arm.kind != Kind::kRetype) db.exec(kAddColumn);
  if (arm.kind == Kind::kPlainTrigger) db.exec(kMakePlainTrigger);
  test::TempFolder folder;
  test::Process program(
      test::pgsluice({"run", folder.write("job.toml", job_of(arm)), "--dsn", trial.dsn(), "--json"}));
  await_event(program, "step_started", step_of(arm));
  const auto before = cost_until_now(server, db);
  const auto ended = await_event(program, "step_ended", step_of(arm));
  const auto after = cost_until_now(server, db);
  program.kill();
  const auto wrong = db.number("SELECT count(*) FROM users WHERE id_new IS DISTINCT FROM " + uuid_of("id"));
  if (ended.at("rows_changed") != rows || wrong != 0)
    throw std::runtime_error(name_of(arm) + " left " + std::to_string(wrong) + " rows undone:\n" +
                             program.out() + program.err());
  const double seconds = ended.at("duration_s");
  const double rows_per_second = static_cast<double>(rows) / seconds;
  measured.seconds.add(seconds);
  measured.rows_per_second.add(rows_per_second);
  measured.server_cpu.add(after.cpu_s - before.cpu_s);
  measured.wal_mb.add(after.wal_mb - before.wal_mb);
  return rows_per_second;
}

std::string section(std::map<std::string, Measured>& measured, std::int64_t rows, int rounds) {
  MarkdownTable table(
      {"", "rows a second", "seconds", "speed against no trigger", "server's CPU s", "WAL MB"});
  std::string verdicts;
  for (const auto& arm : kArms) {
    const auto& m = measured[name_of(arm)];
    table.add({name_of(arm), m.rows_per_second.text(0), m.seconds.text(2), m.speed.text(2),
               m.server_cpu.text(2), m.wal_mb.text(0)});
    if (arm.kind != Kind::kRetype) continue;
    verdicts +=
        "- " + name_of(arm) +
        ", at least 0.9 times the backfill without triggers: " + verdict(m.speed.median() >= kSpeedMin) +
        " (" + number_text(m.speed.median(), 2) + "; by the server's CPU " +
        number_text(
            measured[name_of({Kind::kNoTrigger, arm.lanes})].server_cpu.median() / m.server_cpu.median(), 2) +
        ")\n";
  }
  return "## retype-fill: " + std::to_string(rows) + " rows, integer key to uuid, one table\n\n" +
         table.text() + "\nMedian (lowest to highest) of " + std::to_string(rounds) +
         " rounds; speed is compared within a round. The same rows, expression and program in every arm. The "
         "retype's triggers are its own; the one without WHEN is fired by the fill's own updates too. Rows "
         "and "
         "seconds are those of the step that fills, WAL and CPU the server's between its two events. A "
         "BEFORE "
         "trigger makes the server lock each row first, whatever its WHEN says: some 50 bytes of WAL a "
         "row.\n\n" +
         verdicts;
}

}  // namespace

std::string case_retype_fill(const Options& options, std::mt19937_64& random) {
  const auto rows = options.rows(kRows);
  BenchServer server(options);
  server.make_template("users", users_sql(rows));
  std::map<std::string, Measured> measured;
  const int rounds = options.trials(7, 3);
  Measured discarded;
  trial_of(server, kArms.front(), rows, discarded);  // the first trial meets new WAL segments and cold files
  for (int round = 0; round < rounds; ++round) {
    auto arms = kArms;
    std::shuffle(arms.begin(), arms.end(), random);
    std::map<std::string, double> speed;
    for (const auto& arm : arms) {
      const auto name = name_of(arm);
      speed[name] = trial_of(server, arm, rows, measured[name]);
      std::cerr << "round " << round + 1 << " of " << rounds << ", " << name << ": "
                << number_text(speed[name], 0) << " rows/s\n";
    }
    for (const auto& arm : kArms) {
      measured[name_of(arm)].speed.add(speed[name_of(arm)] / speed[name_of({Kind::kNoTrigger, arm.lanes})]);
    }
  }
  return section(measured, rows, rounds);
}

}  // namespace pgsluice::bench
