#include "kinds/index/index_kind.hpp"

#include "base/units.hpp"
#include "job/read/sql_texts.hpp"
#include "job/sql/sql_rules.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/statement_checks.hpp"
#include "kinds/index_build/asked_index.hpp"
#include "kinds/index_build/run_index.hpp"
#include "kinds/kind/definition_lines.hpp"
#include "kinds/kind/undo_by_statements.hpp"
#include "pg/catalog/catalog.hpp"
#include "pgsluice/error.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

void check_pooler(const StepAt& at, const IndexStep& step, Findings& findings) {
  if (!at.job.direct_dsn.empty() || !pg::is_behind_pooler(at.session)) return;
  findings.refuse(
      "pooler",
      "index step \"" + step.name + "\" needs a separate session, but the connection goes through a pooler",
      "give the server's own address as direct_dsn in the job file");
}

void check_index(pg::Session& session, const IndexStep& step, const Outlook& outlook, Findings& findings) {
  const auto asked = asked_index(step.sql);
  if (!asked) return;
  const auto& table_sql = asked->table_sql;
  if (!steps::is_existing_table(session, table_sql)) {
    if (!outlook.maker_of(*asked->facts.table).empty() || !outlook.opaque_step().empty()) return;
    findings.refuse("table", "index step \"" + step.name + "\": table " + table_sql + " does not exist",
                    "check the name and the database");
    return;
  }
  const auto index_sql = index_sql_of(session, *asked);
  const auto state = steps::index_state(session, index_sql, table_sql);
  if (state == steps::IndexState::kForeign) {
    findings.refuse("index",
                    "the name " + index_sql + " belongs to something other than an index of " + table_sql,
                    "give the index of step \"" + step.name + "\" another name");
  }
  const auto other = state == steps::IndexState::kValid
                         ? steps::other_definition(session, index_sql, table_sql, asked->wanted)
                         : std::string();
  if (!other.empty())
    findings.refuse("index",
                    "index " + index_sql + " differs from the one in step \"" + step.name + "\": " + other,
                    "drop it, or give the step's index another name");
  if (state == steps::IndexState::kValid && other.empty())
    findings.inform(
        "index", "index " + index_sql + " exists and is valid: step \"" + step.name + "\" has nothing to do");
  if (state == steps::IndexState::kInvalid)
    findings.inform("index", "index " + index_sql + " is an INVALID leftover: step \"" + step.name +
                                 "\" drops it and builds it again");
  check_statement(session, step.sql, outlook, findings);
}

void describe_table(const StepAt& at, const TableName& name, PlannedStep& planned) {
  try {
    const auto facts = read_facts(at.session, name);
    planned.rows_estimated = facts.table.rows_estimate;
    planned.notes.push_back("reads the table twice: " +
                            base::format_bytes(static_cast<double>(facts.storage.heap_bytes)));
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost() || !pg::is_timeout(f.sqlstate())) throw;
    planned.notes.push_back("its table is locked now: " + holders_in_words(at.session, name));
  } catch (const Error& e) {
    const auto maker = at.outlook.maker_of(name);
    planned.notes.push_back(maker.empty() ? std::string("run will refuse: ") + e.what()
                                          : "step \"" + maker + "\" makes the table");
  }
}

struct NamedIndex {
  std::string index_sql;
  std::string table_sql;

  bool operator==(const NamedIndex&) const = default;
};

NamedIndex index_of(pg::Session& session, const std::string& sql) {
  const auto asked = asked_index(sql);
  return asked ? NamedIndex{index_sql_of(session, *asked), asked->table_sql} : NamedIndex{};
}

std::string sql_of(const std::vector<std::string>& definition) {
  constexpr std::string_view kSql = "sql = ";
  std::string sql;
  for (const auto& line : definition) {
    if (line.starts_with(kSql)) sql += line.substr(kSql.size()) + "\n";
  }
  return sql;
}

}  // namespace

Step IndexKind::read(job::Section& section, std::string name) {
  section.require("sql", "write sql = \"CREATE INDEX CONCURRENTLY name ON table (column)\"");
  return IndexStep{std::move(name), job::read_checked(section, "sql", job::check_index)};
}

std::vector<std::string> IndexKind::definition() const {
  DefinitionLines lines(step_);
  lines.add("sql", step_.sql);
  return lines.take();
}

// An index that the step has built or begun to build remains, unless it is INVALID and the step keeps its
// name: then it is dropped before the next build.
std::string IndexKind::left_on_server(pg::Session& session, const ledger::KnownStep& known,
                                      const Step* given) {
  if (known.record.detail.empty()) return "";
  const auto was = index_of(session, sql_of(known.definition));
  if (was.index_sql.empty()) return "";
  const auto state = steps::index_state(session, was.index_sql, was.table_sql);
  if (state == steps::IndexState::kMissing || state == steps::IndexState::kForeign) return "";
  const bool is_leftover = state == steps::IndexState::kInvalid;
  const auto* given_index = given ? given->as<IndexStep>() : nullptr;
  const bool keeps_name = given_index && index_of(session, given_index->sql) == was;
  if (is_leftover && keeps_name) return "";
  return "index " + was.index_sql +
         (is_leftover ? " exists and is INVALID: keep its name, or drop it" : " exists: drop it first");
}

void IndexKind::check(const StepAt& at, bool /*reads_values*/, Findings& findings) const {
  check_pooler(at, step_, findings);
  check_index(at.session, step_, at.outlook, findings);
}

void IndexKind::plan(const StepAt& at, PlannedStep& planned) const {
  const auto asked = asked_index(step_.sql);
  if (!asked) return;
  const auto index_sql = index_sql_of(at.session, *asked);
  const auto& table_sql = asked->table_sql;
  const std::string lock =
      asked->facts.lock + " on " + table_sql + ", no lock_timeout: it waits for every older transaction";
  switch (steps::index_state(at.session, index_sql, table_sql)) {
    case steps::IndexState::kValid:
      planned.notes.push_back("index " + index_sql +
                              " exists and is valid: if it matches the step it stays, even after rollback");
      for (const auto& sql : steps::probe_sql(table_sql, asked->wanted))
        planned.statements.push_back(
            {sql, "ACCESS SHARE on " + table_sql, false, "to compare it, and rolled back"});
      return;
    case steps::IndexState::kForeign:
      planned.notes.push_back("run will refuse: the name " + index_sql + " belongs to something else");
      return;
    case steps::IndexState::kBuilding:
      planned.notes.push_back("another session is building " + index_sql +
                              ": the run waits for it, and builds the index only if that fails");
      break;
    case steps::IndexState::kInvalid:
      planned.notes.push_back("index " + index_sql +
                              " is INVALID, left by a build that was interrupted: it is dropped first");
      planned.statements.push_back({steps::drop_index_sql(index_sql), lock});
      break;
    case steps::IndexState::kMissing:
      break;
  }
  planned.statements.push_back({step_.sql, lock});
  describe_table(at, *asked->facts.table, planned);
}

boost::asio::awaitable<void> IndexKind::run(RunningStep& step) const {
  const Story story = [&] { return run_index(step, step_.sql); };
  co_await run_told(step, story);
}

Undo IndexKind::undo_planned(const StepAt& at) const {
  const auto asked = asked_index(step_.sql);
  if (!asked) return {false, "its statement names no table"};
  return {true, steps::drop_index_sql(index_sql_of(at.session, *asked)) + " (only if this job built it)"};
}

void IndexKind::survey(const StepAt& at, const Traces& traces, RollbackAct& act,
                       RollbackSurvey& survey) const {
  const auto asked = asked_index(step_.sql);
  if (!asked) return;
  const auto& table_sql = asked->table_sql;
  const auto index_sql = index_sql_of(at.session, *asked);
  const auto state = steps::index_state(at.session, index_sql, table_sql);
  // "building" is noted before the build, because a run that died during it could not note that the index is
  // its own.
  const auto& detail = traces.at(act.place).detail;
  const bool is_ours = detail == "created" || detail == "building";
  if (state == steps::IndexState::kBuilding) {
    survey.obstacles.push_back("index " + index_sql + " is being built by a session that outlived its run");
  } else if (state == steps::IndexState::kInvalid || (state == steps::IndexState::kValid && is_ours)) {
    act.index_sql = index_sql;
    act.table_sql = table_sql;
  } else if (state == steps::IndexState::kValid) {
    survey.remarks.push_back("index " + index_sql + " existed before this job: it stays");
  }
}

std::vector<std::string> IndexKind::undoing_in_words(const RollbackAct& act,
                                                     const std::string& /*detail*/) const {
  if (act.index_sql.empty()) return {};
  return {"index " + act.index_sql + " is dropped"};
}

void IndexKind::take_back(OperatorAct& act, const Job& job, const RollbackAct& undo) const {
  undo_by_statements(act, job, step_.name, undo);
}

}  // namespace pgsluice::engine
