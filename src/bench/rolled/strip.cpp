#include "bench/rolled/strip.hpp"

#include <algorithm>

#include "lanes/batch/backfill_step.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "table/update.hpp"

namespace pgsluice::bench {
namespace {

constexpr std::int64_t kBatchesPerStrip = 4;      // of the largest size, so that most batches are full
constexpr std::int64_t kRowsPerStripMin = 2'000;  // a smaller one would be used up at once
constexpr pg::TransactionLimits kSampleLimits{std::chrono::milliseconds{1'000},
                                              std::chrono::milliseconds{60'000}, true};

}  // namespace

StripBatch KeyStrip::next(pg::Session& session, std::int64_t rows) {
  walk::KeySlice slice;
  bool is_full = false;
  const auto ask = keyset_.bound(position_, upper_, rows);
  if (const auto bound = keyset_.read_bound(session.exec(ask.sql, ask.params));
      bound && !bound->is_past_range) {
    slice = {position_, bound->key, bound->equal_prefix};
    is_full = true;
  } else {
    const auto rest = keyset_.remainder(position_, upper_, rows);
    const auto answer = session.exec(rest.sql, rest.params);
    slice = {position_, upper_, static_cast<int>(answer.integer(0, 1))};
    is_over_ = true;
  }
  position_ = slice.upper;
  auto predicate = keyset_.predicate(slice);
  return {steps::update_sql(table_, step_, predicate.sql), std::move(predicate.params), is_full, false};
}

void KeyStrip::start_again() {
  position_ = lower_;
  is_over_ = false;
}

StripRing::StripRing(std::vector<std::unique_ptr<Strip>> strips) {
  for (auto& strip : strips) places_.push_back({std::move(strip), false});
}

std::shared_ptr<Strip> StripRing::take() {
  for (std::size_t looked = 0; looked < places_.size(); ++looked) {
    auto& place = places_[next_++ % places_.size()];
    if (place.is_out) continue;
    place.is_out = true;
    if (place.strip->is_over()) {
      place.strip->start_again();
      ++restarts_;
    }
    return place.strip;
  }
  return nullptr;
}

void StripRing::give_back(const std::shared_ptr<Strip>& strip) {
  for (auto& place : places_) {
    if (place.strip == strip) place.is_out = false;
  }
}

int strip_count(std::int64_t table_rows, std::int64_t rows_max, int lanes) {
  const auto rows_each = std::max(kRowsPerStripMin, kBatchesPerStrip * rows_max);
  return static_cast<int>(
      std::max<std::int64_t>(lanes, std::min<std::int64_t>(kStripsMax, table_rows / rows_each)));
}

std::vector<std::unique_ptr<Strip>> cut_by_key(pg::Session& session, const walk::Keyset& keyset,
                                               const pg::Table& table, const BackfillStep& step, int count) {
  const auto sample = keyset.sample(std::nullopt, std::nullopt, count, engine::sample_percent(table.pages));
  struct Ends {
    pg::Rows cuts;
    pg::Rows highest;
  };
  const auto ends = pg::in_transaction(session, kSampleLimits, [&] {
    return Ends{session.exec(sample.sql, sample.params), session.exec(keyset.highest())};
  });
  if (ends.highest.empty()) {
    throw Error(ExitCode::kRefused, "table " + table.sql() + " is empty: there is nothing to measure",
                "choose a table with rows");
  }
  std::vector<std::unique_ptr<Strip>> strips;
  std::optional<pg::Key> lower;
  for (std::size_t i = 0; i < ends.cuts.size(); ++i) {
    auto upper = keyset.read_key(ends.cuts, i);
    strips.push_back(std::make_unique<KeyStrip>(keyset, table, step, lower, upper));
    lower = std::move(upper);
  }
  strips.push_back(std::make_unique<KeyStrip>(keyset, table, step, lower, keyset.read_key(ends.highest, 0)));
  return strips;
}

}  // namespace pgsluice::bench
