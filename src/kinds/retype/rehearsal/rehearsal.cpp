#include "kinds/retype/rehearsal/rehearsal.hpp"

#include <algorithm>

#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/acts/readiness.hpp"
#include "kinds/retype/cutover/scripts/move_scripts.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/rehearsal/likeness.hpp"
#include "pg/connection/savepoint.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

using Clock = std::chrono::steady_clock;

constexpr pg::TransactionLimits kLimits{std::chrono::milliseconds{500}, std::chrono::milliseconds{5'000},
                                        true};

constexpr const char* kMayCreate =
    "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')";

// All sessions share the server's lock table: a rehearsal takes no more than a quarter of it.
constexpr const char* kLocks = R"sql(
SELECT pg_catalog.current_setting('max_locks_per_transaction')::bigint
         * (pg_catalog.current_setting('max_connections')::bigint
            + pg_catalog.current_setting('max_prepared_transactions')::bigint) / 4
)sql";

/// Thrown for a statement that the server refused.
struct ActRefused {
  Rehearsal::Refused refused;
};
/// Thrown when the time is up or the server is busy: the result is unknown.
struct CutShort {
  std::string why;
};

bool says_nothing(const pg::Failure& f) {
  return f.disposition() == pg::Disposition::kRetryable || f.sqlstate() == pg::kQueryCanceled ||
         f.sqlstate().starts_with("53");
}

/// Locks that the likeness and its twins take, three for each index and table: itself, its TOAST table, that
/// table's index.
std::int64_t locks_of(const Graph& graph) {
  std::size_t objects = 0;
  for (const auto& table : graph.tables) {
    const auto heaps = std::max<std::size_t>(1, table.partitions.size() + (table.kind == "p" ? 1 : 0));
    objects += heaps * (3 + 3 * (table.indexes.size() + 1) + table.columns.size()) + 6;
  }
  return static_cast<std::int64_t>(3 * objects);
}

/// Runs the acts. Lives for one rehearsal.
class Rehearser {
 public:
  using Read = std::function<Retype(pg::Session&, const RetypeStep&)>;

  Rehearser(pg::Session& session, const Likeness& likeness, const Read& read, Clock::time_point end,
            int& statements)
      : session_(session), likeness_(likeness), read_(read), end_(end), statements_(statements) {}

  void run() {
    to_cutover();
    cut_over();
    back();
    to_cutover();
    cut_over();
    perform("contract", contract_script(now()).statements);
  }

 private:
  Retype now() { return read_(session_, likeness_.step()); }

  void to_cutover() {
    const auto retype = now();
    for (const auto& act : acts_before_cutover(retype)) {
      if (act.kind == Act::Kind::kFill) {
        fill(act);
        leave_out_cut_rows(retype);
      } else if (act.kind == Act::Kind::kDdl || act.kind == Act::Kind::kIndex)
        perform(act.name, act.sql);
    }
  }

  void cut_over() {
    const auto retype = now();
    if (const auto missing = missing_twins(session_, retype); !missing.empty())
      throw ActRefused{{"cut-over", "", missing, ""}};
    perform("cut-over", cutover_script(retype, bound_objects(session_, retype.graph)).statements);
  }

  void back() {
    for (const auto& act : acts_before_way_back(now())) perform(act.name, act.sql);
    const auto retype = now();
    perform("way back", way_back_script(retype, bound_objects(session_, retype.graph)).statements);
  }

  /// Values that would be cut are counted and named by the value pass, which reads all of them.
  void leave_out_cut_rows(const Retype& retype) {
    for (std::size_t t = 0; t < retype.graph.tables.size(); ++t) {
      const auto& table = retype.graph.tables[t];
      for (std::size_t c = 0; c < table.columns.size(); ++c) {
        const auto is_cut = cut_condition(retype, {static_cast<int>(t), static_cast<int>(c)}, "");
        if (is_cut.empty()) continue;
        pg::attempt(session_, [&] {
          if (session_.exec("SELECT EXISTS (SELECT FROM " + table.sql() + " WHERE " + is_cut + ")")
                  .boolean(0, 0))
            session_.exec("TRUNCATE " + table.sql() + " CASCADE");
        });
      }
    }
  }

  /// A row that cannot be mapped is left to the fill, which names it: here it is left out.
  void fill(const Act& act) {
    const auto table = pg::Identifier(act.fill.table.schema, act.fill.table.name).sql();
    std::string update;
    for (const auto& set : act.fill.set)
      update += (update.empty() ? "UPDATE " + table + " SET " : ", ") + pg::Identifier(set.column).sql() +
                " = (" + set.expression + "\n)";
    update += " WHERE " + act.fill.where;
    const auto failure = pg::attempt(session_, [&] { session_.exec(update); });
    if (!failure) return;
    const auto& state = failure->sqlstate();
    if (!pg::is_row_fault_of_update(state)) refuse(act.name, update, *failure);
    perform(act.name, {"TRUNCATE " + table + " CASCADE"});
  }

  void perform(const std::string& act, const std::vector<std::string>& statements) {
    for (auto sql : statements) {
      if (Clock::now() > end_)
        throw CutShort{"it took too long and ended before act \"" + likeness_.original(act) + "\""};
      const std::string concurrently = "INDEX CONCURRENTLY ";
      if (const auto at = sql.find(concurrently); at != std::string::npos)
        sql.replace(at, concurrently.size(), "INDEX ");
      try {
        session_.exec(sql);
        ++statements_;
      } catch (const pg::Failure& f) {
        refuse(act, sql, f);
      }
    }
  }

  [[noreturn]] void refuse(const std::string& act, const std::string& sql, const pg::Failure& f) {
    if (f.is_connection_lost()) throw pg::Failure(f);
    const auto text = std::string(f.what());
    if (says_nothing(f)) throw CutShort{"act \"" + likeness_.original(act) + "\": " + text};
    throw ActRefused{
        {likeness_.original(act), likeness_.original(sql), likeness_.original(text), f.sqlstate()}};
  }

  pg::Session& session_;
  const Likeness& likeness_;
  const Read& read_;
  Clock::time_point end_;
  int& statements_;
};

void rehearse_inside(pg::Session& session, const Retype& retype, const Rehearser::Read& read,
                     Rehearsal& out) {
  const auto end = Clock::now() + kRehearsalMost;
  session.exec("CREATE SCHEMA IF NOT EXISTS pgsluice");
  const Likeness likeness(session, retype);
  session.exec("SET LOCAL statement_timeout = " + std::to_string(kLimits.statement_timeout.count()));
  // Pending events of a deferred trigger would make ALTER TABLE fail.
  session.exec("SET CONSTRAINTS ALL IMMEDIATE");
  for (const auto& remark : likeness.remarks()) out.remarks.push_back(likeness.original(remark));
  try {
    Rehearser(session, likeness, read, end, out.statements).run();
  } catch (const ActRefused& refused) {
    out.refused.push_back(refused.refused);
  } catch (const CutShort& cut) {
    out.cut_short = cut.why;
  }
}

std::string why_not(pg::Session& session, const Retype& retype) {
  if (!session.exec(kMayCreate, pg::Params{}).boolean(0, 0))
    return "it needs a scratch schema: GRANT CREATE ON DATABASE … TO this role";
  const auto most = session.exec(kLocks, pg::Params{}).integer(0, 0);
  if (locks_of(retype.graph) > most)
    return "so many tables and indexes would need more than a quarter of the server's locks "
           "(max_locks_per_transaction)";
  return {};
}

}  // namespace

Rehearsal rehearse(pg::Session& session, const Retype& retype, const Rehearser::Read& read) {
  Rehearsal out;
  const auto began = Clock::now();
  pg::begin(session, kLimits);
  try {
    out.cut_short = why_not(session, retype);
    if (out.cut_short.empty()) rehearse_inside(session, retype, read, out);
  } catch (const pg::Failure& f) {
    pg::rollback(session);
    if (f.is_connection_lost()) throw;
    out.cut_short = std::string("the likeness could not be created: ") + f.what();
  } catch (...) {
    pg::rollback(session);
    throw;
  }
  pg::rollback(session);
  out.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  return out;
}

}  // namespace pgsluice::steps::retype
