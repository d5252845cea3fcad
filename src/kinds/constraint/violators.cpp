#include "kinds/constraint/violators.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"
#include "walk/batch_size/sizer.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kNamedMost = 20;      // in the error's message
constexpr std::size_t kListedMost = 1'000;  // kept for `failures`; the others are counted
// A piece of a table is read in this time, 512 kB at least, which a cold disk reads in time.
constexpr milliseconds kPieceTarget{50};
constexpr std::int64_t kPagesMin = 64;
constexpr std::int64_t kPagesMax = 65'536;  // 512 MB
constexpr pg::TransactionLimits kPieceLimits{milliseconds{1'000}, milliseconds{0}, true};
constexpr int kTidRanges = 140'000;  // since then a range of ctid is read by itself, and not by reading all

struct Violators {
  std::int64_t rows = 0;
  std::vector<pg::Key> keys;  // of the first kListedMost
};

/// Columns that tell a row: the primary key, else its place.
std::string key_sql(const pg::Table& table) {
  for (const auto& key : table.keys) {
    if (!key.is_primary) continue;
    std::string list;
    for (const auto& column : key.columns)
      list += (list.empty() ? "" : ", ") + ("r." + pg::Identifier(column).sql() + "::text");
    return list;
  }
  return "r.ctid::text";
}

/// `r."a" IS NULL OR r."b" IS NULL`: the columns of the relation `r`, each with `suffix`.
std::string each_column(const ConstraintStep& step, const std::string& suffix, const std::string& between) {
  std::string list;
  for (const auto& column : step.columns)
    list += (list.empty() ? "r." : between + "r.") + pg::Identifier(column).sql() + suffix;
  return list;
}

void take(const pg::Rows& rows, std::size_t key_columns, Violators& found) {
  for (std::size_t i = 0; i < rows.size() && found.keys.size() < kListedMost; ++i) {
    pg::Key key;
    for (std::size_t c = 0; c < key_columns; ++c) key.push_back(rows.text(i, c));
    found.keys.push_back(std::move(key));
  }
}

/// Pieces of one heap after the other; each call reads one. Belongs to the thread of its session while it
/// reads.
class Scan {
 public:
  Scan(const ConstraintStep& step, const ConstraintFacts& facts)
      : sql_(violation_sql(step, facts)),
        key_(key_sql(facts.table)),
        is_whole_(facts.server_version < kTidRanges),
        oid_(facts.table.oid),
        pages_({kPagesMin, kPieceTarget, kPagesMin, kPagesMax}) {}

  void begin(pg::Session& session) { heaps_ = pg::read_heaps(session, oid_); }
  bool is_over() const { return heap_ >= heaps_.size(); }
  milliseconds last() const { return last_; }
  const Violators& found() const { return found_; }

  void read(pg::Session& session) {
    const auto began = SteadyClock::now();
    const auto& heap = heaps_[heap_];
    const auto end = block_ + pages_.rows();
    const bool is_last = is_whole_ || end >= heap.pages;
    const auto where = is_whole_
                           ? std::string(" WHERE ")
                           : " WHERE r.ctid >= '(" + std::to_string(block_) + ",0)'" +
                                 (is_last ? "" : " AND r.ctid < '(" + std::to_string(end) + ",0)'") + " AND ";
    read_piece(session, " FROM ONLY " + heap.table_sql + " AS r" + where + "(" + sql_ + ")");
    const auto took = SteadyClock::now() - began;
    pages_.record(pages_.rows(), is_last ? 0 : pages_.rows(), took);
    last_ = std::chrono::duration_cast<milliseconds>(took);
    block_ = is_last ? 0 : end;
    if (is_last) ++heap_;
  }

 private:
  void read_piece(pg::Session& session, const std::string& from) {
    pg::in_transaction(session, kPieceLimits, [&] {
      const auto rows =
          session.exec_cancellable("SELECT " + key_ + from + " LIMIT " + std::to_string(kListedMost + 1), {});
      const auto columns = static_cast<std::size_t>(std::count(key_.begin(), key_.end(), ',')) + 1;
      take(rows, columns, found_);
      found_.rows += rows.size() <= kListedMost
                         ? static_cast<std::int64_t>(rows.size())
                         : session.exec_cancellable("SELECT count(*)" + from, {}).integer(0, 0);
      return true;
    });
  }

  std::string sql_;
  std::string key_;
  bool is_whole_;
  std::uint32_t oid_;
  walk::Sizer pages_;
  std::vector<pg::HeapFacts> heaps_;
  std::size_t heap_ = 0;
  std::int64_t block_ = 0;
  milliseconds last_{0};
  Violators found_;
};

/// Values that several rows share. The server sorts or hashes the whole table for it.
Violators read_duplicates(pg::Session& session, const ConstraintStep& step, const pg::Table& table) {
  const auto texts = each_column(step, "::text", ", ");
  const auto columns = each_column(step, "", ", ");
  return pg::in_transaction(session, kPieceLimits, [&] {
    const auto rows = session.exec_cancellable(
        "SELECT " + texts + ", count(*), sum(count(*)) OVER () FROM " + table.sql() + " AS r WHERE " +
            each_column(step, " IS NOT NULL", " AND ") + " GROUP BY " + columns +
            " HAVING count(*) > 1 LIMIT " + std::to_string(kListedMost),
        {});
    Violators found;
    take(rows, step.columns.size(), found);
    if (!rows.empty()) found.rows = rows.integer(0, step.columns.size() + 1);
    return found;
  });
}

void add(const Violators& more, Violators& found) {
  found.rows += more.rows;
  for (const auto& key : more.keys) {
    if (found.keys.size() < kListedMost) found.keys.push_back(key);
  }
}

const char* sqlstate_of(const ConstraintStep& step) {
  switch (step.constraint) {
    case Constraint::kNotNull:
      return "23502";
    case Constraint::kCheck:
      return "23514";
    case Constraint::kForeignKey:
      return "23503";
    case Constraint::kUnique:
    case Constraint::kPrimaryKey:
      break;
  }
  return "23505";
}

std::string named(const Violators& found) {
  std::string list;
  for (std::size_t i = 0; i < std::min(kNamedMost, found.keys.size()); ++i)
    list += (i ? ", " : "") + ("(" + pg::display(found.keys[i]) + ")");
  return list + (found.keys.size() > kNamedMost ? ", …" : "");
}

asio::awaitable<void> keep_for_failures(RunningStep& step, Violators found, std::string sqlstate) {
  std::function<bool(pg::Session&)> keep = [=, id = step.record.step_id,
                                            name = step.record.name](pg::Session& s) {
    return pg::in_transaction(s, {}, [&] {
      ledger::forget_quarantine(s, id);
      for (const auto& key : found.keys)
        ledger::quarantine(s, id, key, sqlstate, "breaks the constraint of step \"" + name + "\"");
      return true;
    });
  };
  co_await keep_trying<bool>(step.connection, keep, step.journal, step.stop);
}

asio::awaitable<Violators> scan_paced(RunningStep& step, ConstraintStep constraint, ConstraintFacts facts) {
  const auto scan = std::make_shared<Scan>(constraint, facts);
  std::function<bool(pg::Session&)> begin = [scan](pg::Session& s) {
    scan->begin(s);
    return true;
  };
  co_await keep_trying<bool>(step.connection, begin, step.journal, step.stop);
  std::function<bool(pg::Session&)> read = [scan](pg::Session& s) {
    scan->read(s);
    return true;
  };
  while (!scan->is_over()) {
    auto turn = co_await step.gate.pass(scan->last(), 1, step.stop);
    if (step.stop.is_requested()) co_return Violators{};
    co_await keep_trying<bool>(step.connection, read, step.journal, step.stop);
    turn.worked(scan->last());
  }
  co_return scan->found();
}

asio::awaitable<Violators> find_duplicates(RunningStep& step, ConstraintStep constraint, pg::Table table) {
  std::function<Violators(pg::Session&)> read = [=](pg::Session& s) {
    return read_duplicates(s, constraint, table);
  };
  return keep_trying<Violators>(step.connection, std::move(read), step.journal, step.stop);
}

}  // namespace

std::string violation_sql(const ConstraintStep& step, const ConstraintFacts& facts) {
  switch (step.constraint) {
    case Constraint::kNotNull:
      return "r." + pg::Identifier(step.columns.front()).sql() + " IS NULL";
    case Constraint::kCheck:
      return "(" + step.check + "\n) IS FALSE";
    case Constraint::kForeignKey: {
      std::string same;
      for (std::size_t i = 0; i < step.columns.size(); ++i)
        same += (i ? " AND " : "") + ("p." + pg::Identifier(facts.referenced_columns[i]).sql() + " = r." +
                                      pg::Identifier(step.columns[i]).sql());
      // With LIMIT it cannot become a join over the whole of the other table.
      return each_column(step, " IS NOT NULL", " AND ") + " AND (SELECT true FROM " +
             (facts.is_reference_partitioned ? "" : "ONLY ") + facts.references_sql + " AS p WHERE " + same +
             " LIMIT 1) IS NULL";
    }
    case Constraint::kPrimaryKey:
      return each_column(step, " IS NULL", " OR ");
    case Constraint::kUnique:
      break;
  }
  return "";
}

asio::awaitable<void> refuse_violators(RunningStep& step, ConstraintStep constraint, ConstraintFacts facts) {
  const auto sqlstate = std::string(sqlstate_of(constraint));
  Violators found;
  if (!violation_sql(constraint, facts).empty()) found = co_await scan_paced(step, constraint, facts);
  if (step.stop.is_requested()) co_return;
  if (is_key(constraint)) {
    const auto duplicates = co_await find_duplicates(step, constraint, facts.table);
    add(duplicates, found);
  }
  if (step.stop.is_requested()) co_return;
  co_await keep_for_failures(step, found, sqlstate);
  if (found.rows == 0) co_return;
  const auto rows = base::format_count(found.rows) + (found.rows == 1 ? " row" : " rows");
  throw Error(ExitCode::kMismatch,
              "step \"" + constraint.name + "\": " + rows + " of table " + facts.table.sql() +
                  " break the constraint: " + named(found),
              "correct them and run again; pgsluice failures " + step.job.name + " lists them");
}

}  // namespace pgsluice::engine
