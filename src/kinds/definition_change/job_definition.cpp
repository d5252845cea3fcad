#include "kinds/definition_change/job_definition.hpp"

#include <algorithm>

#include "job/sql/meaning.hpp"
#include "job/sql/table_name.hpp"
#include "kinds/table_of_kinds.hpp"
#include "ledger/runs.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kNoRun = "00000000-0000-0000-0000-000000000000";
constexpr std::string_view kTable = "table = ";

constexpr const char* kFullName = R"sql(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

/// A table's line with the schema in which the server finds it.
std::string with_schema(pg::Session& session, const std::string& line) {
  if (!line.starts_with(kTable)) return line;
  const auto parsed = job::parse_table_name(line.substr(kTable.size()));
  const auto* name = std::get_if<TableName>(&parsed);
  if (name == nullptr) return line;
  const auto rows = session.exec(kFullName, {pg::Identifier(name->schema, name->name).sql()});
  if (rows.empty()) return line;
  return std::string(kTable) + job::written(TableName{rows.text(0, 0), rows.text(0, 1)});
}

std::vector<std::string> meaning_there(pg::Session& session, std::vector<std::string> lines) {
  for (auto& line : lines) line = with_schema(session, line);
  return job::meaning_of(lines);
}

}  // namespace

ledger::JobDefinition definition_of(const Job& job) {
  ledger::JobDefinition definition{job.name, job.description, {}};
  for (const auto& step : job.steps) {
    definition.steps.push_back({step.name(), step.kind(), kind_of(step)->definition()});
  }
  return definition;
}

DefinitionChange read_definition_change(pg::Session& session, const Job& job, std::int64_t job_id) {
  const auto known = ledger::known_steps(session, job_id);
  const auto is_same = [&](const auto& was, const auto& is) {
    return meaning_there(session, was) == meaning_there(session, is);
  };
  const auto standing = [&](std::size_t place) {
    const auto stands = standing_of(known[place]);
    if (!stands.empty()) return stands;
    const auto* kind = find_kind(known[place].record.kind);
    const auto* given = place < job.steps.size() ? &job.steps[place] : nullptr;
    return kind == nullptr ? std::string() : kind->left_on_server(session, known[place], given);
  };
  return definition_change(known, definition_of(job).steps, is_same, standing);
}

void refuse_rolling_back(const std::string& job) {
  throw Error(ExitCode::kRefused, "job \"" + job + "\" is being rolled back",
              "finish that first: pgsluice rollback continues where it stopped");
}

void refuse_definition(const Job& job, const DefinitionChange& change) {
  if (change.refused.empty()) return;
  std::string message = "job \"" + job.name + "\" exists with another definition";
  for (const auto& line : change.refused) message += "\n  " + line;
  throw Error(ExitCode::kRefused, message,
              "give the new definition another name, or restore the old text; only steps that have left "
              "nothing behind may change");
}

namespace {

void refuse_beside_runs(pg::Session& session, const Job& job, std::int64_t job_id) {
  ledger::end_gone_runs(session, job_id);
  if (ledger::other_live_runs(session, job_id, kNoRun) == 0) return;
  throw Error(ExitCode::kRefused,
              "job \"" + job.name + "\" has another definition, and another run is working with the old one",
              "wait until it ends, or run pgsluice cancel " + job.name +
                  " (a run killed on another host counts as live until its lease ends)");
}

/// In the transaction that writes the steps.
DefinitionChange mend(pg::Session& session, const Job& job, std::int64_t job_id) {
  if (ledger::lock_job(session, job_id) == JobState::kRollingBack) refuse_rolling_back(job.name);
  auto change = read_definition_change(session, job, job_id);
  refuse_definition(job, change);
  if (change.mended.empty()) return change;
  refuse_beside_runs(session, job, job_id);
  const auto known = ledger::known_steps(session, job_id);
  for (const auto& mended : change.mended) ledger::hold_step(session, known[mended.place].record.step_id);
  // An orphan may have committed in the meantime.
  change = read_definition_change(session, job, job_id);
  refuse_definition(job, change);
  for (const auto& mended : change.mended) ledger::forget_step(session, known[mended.place].record.step_id);
  return change;
}

}  // namespace

OpenedJob open_job(pg::Session& session, const Job& job) {
  OpenedJob opened;
  opened.record = ledger::open_job(session, definition_of(job),
                                   [&](std::int64_t job_id) { opened.change = mend(session, job, job_id); });
  return opened;
}

}  // namespace pgsluice::engine

std::vector<std::string> pgsluice::step_definition(const Step& step) {
  return engine::kind_of(step)->definition();
}

bool pgsluice::is_repeated(const Job& job) {
  return std::any_of(job.steps.begin(), job.steps.end(),
                     [](const Step& step) { return engine::kind_of(step)->is_repeated(); });
}
