#include "kinds/retype/value_pass.hpp"

#include <algorithm>
#include <thread>

#include "base/units.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/key.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kTidRanges = 140'000;         // server version; before it, each piece would read the whole heap
constexpr std::int64_t kPagesMin = 64;      // 512 kB: with less, the round trip would take most of the time
constexpr std::int64_t kPagesMax = 65'536;  // 512 MB
constexpr milliseconds kTarget{50};
constexpr std::chrono::seconds kTellEvery{10};
constexpr std::size_t kExamples = 3;

// No statement_timeout: a piece is as short as its target, unless the expression is slow.
constexpr pg::TransactionLimits kPieceLimits{milliseconds{1'000}, milliseconds{0}, true};

BatchLimits piece_limits(milliseconds target) {
  return {kPagesMin, target, kPagesMin, kPagesMax};
}

/// True: the expression cannot take a value. False: the server is in trouble.
bool is_of_the_value(const pg::Failure& f) {
  if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) return false;
  const auto kind = f.sqlstate().substr(0, 2);  // no such function or right, no room, ended, broken
  return kind != "42" && kind != "53" && kind != "54" && kind != "57" && kind != "58" && kind != "XX";
}

void keep_some(std::vector<std::string>& kept, const std::vector<std::string>& found) {
  for (const auto& example : found) {
    if (kept.size() < kExamples) kept.push_back(example);
  }
}

std::string listed(const std::vector<std::string>& examples) {
  std::string out;
  for (const auto& example : examples) out += (out.empty() ? "" : "; ") + example;
  return out;
}

}  // namespace

ValuePass::ValuePass(pg::Session& session, steps::retype::Retype retype)
    : retype_(std::move(retype)),
      is_by_blocks_(session.server_version() >= kTidRanges),
      pages_(piece_limits(kTarget)) {
  for (const auto& table : retype_.graph.tables) {
    for (const auto& column : steps::retype::doubtful_columns(retype_, table)) {
      losses_.push_back({"column \"" + retype_.graph.at(column.place).name + "\" of table " + table.sql(),
                         retype_.step.to,
                         0,
                         0,
                         {},
                         {}});
      for (const auto& heap : pg::read_heaps(session, table.oid)) {
        pieces_.push_back({column, heap, losses_.size() - 1});
        pages_in_all_ += heap.pages;
      }
    }
  }
}

void ValuePass::read(pg::Session& session, milliseconds target) {
  const auto began = SteadyClock::now();
  pages_.retarget(piece_limits(std::min(target, kTarget)));
  const auto& piece = pieces_[place_];
  const auto end = block_ + pages_.rows();
  // Rows appended later are seen by the trigger or by the fill.
  const bool is_last = !is_by_blocks_ || end >= piece.heap.pages;
  std::string where = "true";
  if (is_by_blocks_)
    where = "ctid >= '(" + std::to_string(block_) + ",0)'::pg_catalog.tid" +
            (is_last ? "" : " AND ctid < '(" + std::to_string(end) + ",0)'::pg_catalog.tid");
  count(session, piece, where);
  const auto took = SteadyClock::now() - began;
  last_ = std::chrono::duration_cast<milliseconds>(took);
  pages_.record(pages_.rows(), is_last ? 0 : pages_.rows(), took);
  pages_read_ += std::max<std::int64_t>(0, is_last ? piece.heap.pages - block_ : end - block_);
  block_ = is_last ? 0 : end;
  if (is_last) ++place_;
}

void ValuePass::count(pg::Session& session, const Piece& piece, const std::string& where) try {
  const auto sql = steps::retype::count_lost_sql(retype_, piece.column, piece.heap.table_sql, where);
  add(piece,
      pg::in_transaction(session, kPieceLimits, [&] { return session.exec_cancellable(sql, pg::Params{}); }));
} catch (const pg::Failure& f) {
  if (!is_of_the_value(f)) throw;
  const auto sql =
      steps::retype::count_lost_one_by_one_sql(retype_, piece.column, piece.heap.table_sql, where);
  add(piece, pg::in_transaction(session, kPieceLimits, [&] {
        session.exec(sql.front());
        return session.exec(sql.back());
      }));
}

void ValuePass::add(const Piece& piece, const pg::Rows& rows) {
  auto& loss = losses_[piece.loss];
  const auto add_some = [&](std::size_t at, std::int64_t& count, std::vector<std::string>& examples) {
    count += rows.integer(0, at);
    if (!rows.is_null(0, at + 1)) keep_some(examples, pg::from_array(rows.text(0, at + 1)));
  };
  add_some(0, loss.cut, loss.cut_examples);
  add_some(2, loss.missing, loss.missing_examples);
}

std::vector<ValueLosses> ValuePass::losses() const {
  std::vector<ValueLosses> out;
  for (const auto& loss : losses_) {
    if (loss.cut > 0 || loss.missing > 0) out.push_back(loss);
  }
  return out;
}

std::vector<ValueLosses> read_values(pg::Session& session, const steps::retype::Retype& retype) {
  ValuePass pass(session, retype);
  while (!pass.is_over()) {
    pass.read(session, kTarget);
    if (!pass.is_over())
      std::this_thread::sleep_for(pass.last());  // a pace of one half, for the sake of others
  }
  return pass.losses();
}

boost::asio::awaitable<std::vector<ValueLosses>> read_values_paced(pg::Connection& connection,
                                                                   steps::retype::Retype retype,
                                                                   LookSurroundings at) {
  std::function<std::shared_ptr<ValuePass>(pg::Session&)> begin = [retype](pg::Session& s) {
    return std::make_shared<ValuePass>(s, retype);
  };
  const auto pass = co_await keep_trying<std::shared_ptr<ValuePass>>(connection, begin, at.journal, at.stop);
  std::function<bool(pg::Session&)> read = [pass, target = at.tunables.batch.target](pg::Session& s) {
    pass->read(s, target);
    return true;
  };
  auto told = SteadyClock::now();
  while (!pass->is_over()) {
    auto turn = co_await at.gate.pass(pass->last(), 1, at.stop);
    if (at.stop.is_requested()) co_return std::vector<ValueLosses>{};
    co_await keep_trying<bool>(connection, read, at.journal, at.stop);
    turn.worked(pass->last());
    if (SteadyClock::now() - told < kTellEvery) continue;
    told = SteadyClock::now();
    at.journal.write(event::State{"running", "reading values",
                                  base::format_count(pass->pages_read()) + " of " +
                                      base::format_count(pass->pages_in_all()) +
                                      " pages; nothing has been written yet"});
  }
  co_return pass->losses();
}

std::vector<LossInWords> in_words(const std::vector<ValueLosses>& losses, std::int64_t max_quarantined) {
  std::vector<LossInWords> out;
  for (const auto& loss : losses) {
    if (loss.cut > 0)
      out.push_back({base::format_count(loss.cut) + " values of " + loss.column +
                         " would be cut or rounded by " + loss.new_type + ", such as " +
                         listed(loss.cut_examples),
                     "correct these rows, or set `using` if this is what you want"});
    if (loss.missing > max_quarantined)
      out.push_back({base::format_count(loss.missing) + " values of " + loss.column +
                         " have no equivalent in " + loss.new_type + ", such as " +
                         listed(loss.missing_examples),
                     "correct these rows, or give them a value with `using`"});
  }
  return out;
}

}  // namespace pgsluice::engine
