#include "lanes/foretelling/forecast.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "lanes/foretelling/index_growth.hpp"
#include "walk/interleaving.hpp"

namespace pgsluice::engine {
namespace {

constexpr double kPageBytes = 8'192;
constexpr double kPageRoom = 8'192 - 24;
// Of an image whose own size no batch showed: pages are about 90 % full, and the hole is left out.
constexpr double kImageUsual = 7'400;
constexpr double kImageMin = 300;
// The server starts a checkpoint when about this share of max_wal_size has been written since the last one:
// 1 / (1 + checkpoint_completion_target).
constexpr double kCheckpointShare = 0.53;
constexpr std::int64_t kRowsEnough = 200;  // changed, timed and explained alike: fewer say nothing
// Statements that a batch of a run sends beside those that a sampled one sends: position, counts with COMMIT;
// each changes one row of the ledger, for which a trip and a half are allowed.
constexpr double kLedgerTrips = 3;
// A later pass also prunes each page, which the likeness cannot show: time of it by measurement, and a record
// of 56 bytes for each page with 4 bytes for each row.
constexpr double kPruneShare = 0.15;
constexpr double kPruneRecord = 56;
constexpr double kPruneRow = 4;
// Of the rows of later passes that should find room on their page, as measured (docs/design/interleaving.md).
constexpr double kHotLater = 0.97;
constexpr double kHotLaterOfFew = 0.92;  // with the fewest passes
// Without a likeness: a later pass takes 4 ms where the first takes 10, and writes a heap record without a
// lock.
constexpr double kLaterTimeShare = 0.4;
constexpr double kLaterRecord = 80;
// How far off each figure may be even when the samples agree.
constexpr double kRowsDoubt = 0.02;
constexpr double kSecondsDoubt = 0.25;
constexpr double kWalDoubt = 0.10;
constexpr double kGrowthDoubt = 0.15;
constexpr double kCatalogDoubt = 0.5;

Span around(double likely, double doubt) {
  return {likely * std::max(0.0, 1 - doubt), likely, likely * (1 + doubt)};
}

/// Sums over the batches of one sort.
struct Sums {
  double batches = 0, visited = 0, changed = 0, hot = 0, seconds = 0, wal = 0, images = 0;
  std::vector<double> per_row{};  // seconds per visited row, of each batch

  double row_s(double overhead) const {
    return visited > 0 ? std::max(0.0, seconds - overhead * batches) / visited : 0;
  }
};

Sums sums_of(const Sampled& sampled, SampleKind kind, bool is_explained) {
  Sums sums;
  for (const auto& batch : sampled.batches) {
    if (batch.kind != kind || batch.is_explained != is_explained) continue;
    sums.batches += 1;
    sums.visited += static_cast<double>(batch.visited);
    sums.changed += static_cast<double>(batch.changed);
    sums.hot += static_cast<double>(batch.hot);
    sums.seconds += batch.seconds;
    sums.wal += batch.wal_bytes;
    sums.images += batch.page_images;
    if (batch.visited > 0) sums.per_row.push_back(batch.seconds / static_cast<double>(batch.visited));
  }
  return sums;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Standard error of the mean, relative to it.
double relative_error(const std::vector<double>& values) {
  if (values.size() < 2) return 1;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  double squares = 0;
  for (const double v : values) squares += (v - sum / n) * (v - sum / n);
  return sum > 0 ? std::sqrt(squares / (n - 1) / n) / (sum / n) : 1;
}

double one_row_s(const Sampled& sampled) {
  std::vector<double> times;
  for (const auto& batch : sampled.batches) {
    if (batch.kind == SampleKind::kOneRow) times.push_back(batch.seconds);
  }
  return median(std::move(times));
}

/// What the whole run comes to, step by step.
class Course {
 public:
  explicit Course(const Sampled& sampled)
      : s_(sampled),
        cold_(sums_of(sampled, SampleKind::kFirst, false)),
        warm_(sums_of(sampled, SampleKind::kAgain, false)),
        cold_told_(sums_of(sampled, SampleKind::kFirst, true)),
        warm_told_(sums_of(sampled, SampleKind::kAgain, true)) {
    changed_ = s_.rows_matching();
    find_hot();
    find_growth();
    find_wal();
    find_seconds();
  }

  Foretold foretold() const {
    Foretold out;
    out.is_sampled = true;
    out.rows = around(changed_, rows_doubt());
    out.rows.high = std::min(out.rows.high, std::max(s_.rows_visited(), changed_));
    out.seconds =
        around(seconds_, std::hypot(kSecondsDoubt, 2 * relative_error(cold_.per_row)) + rows_doubt());
    out.wal_bytes = around(wal_, kWalDoubt + rows_doubt());
    out.heap_bytes = around(heap_, kGrowthDoubt + rows_doubt());
    out.index_bytes = around(indexes_, kGrowthDoubt + rows_doubt());
    return out;
  }

 private:
  bool is_interleaved() const { return s_.passes > 1; }

  double rows_doubt() const {
    const auto& p = s_.pages;
    if (p.pages >= p.pages_all || p.matching <= 0) return 0.001;
    const double mean = p.matching / static_cast<double>(p.pages);
    return kRowsDoubt + 2 * p.matching_spread / mean / std::sqrt(static_cast<double>(p.pages));
  }

  /// Share of the updates that write no index.
  void find_hot() {
    const double first = cold_told_.changed > 0 ? cold_told_.hot / cold_told_.changed : 0;
    if (!is_interleaved()) {
      hot_share_ = first;
      return;
    }
    const double later_share = 1 - 1.0 / s_.passes;
    const double most = walk::Interleaving::hot_share_most(s_.rows_per_page);
    double later = s_.passes <= walk::Interleaving::kPassesMin ? kHotLaterOfFew : kHotLater;
    later = std::min(later, most / later_share);
    later = std::min(later, kHotLater / std::max(1.0, growth_of_a_row()));
    later_hot_ = later;
    hot_share_ = std::min(1.0, first / s_.passes + later * later_share);
  }

  double updates_sampled() const {
    return cold_.changed + warm_.changed + cold_told_.changed + warm_told_.changed + one_row_changed();
  }
  double one_row_changed() const { return sums_of(s_, SampleKind::kOneRow, false).changed; }
  double nonhot_sampled() const {
    const double hot = cold_told_.changed > 0 ? cold_told_.hot / cold_told_.changed : 0;
    return updates_sampled() * (1 - hot);
  }

  double old_row_bytes() const { return kPageRoom / std::max(1.0, s_.rows_per_page); }
  /// New versions that left their page, on the pages that they filled.
  double new_row_bytes() const {
    const double rows = nonhot_sampled();
    if (rows < static_cast<double>(kRowsEnough) || s_.heap_grown_bytes <= 0) return 0;
    return s_.heap_grown_bytes / rows;
  }
  double growth_of_a_row() const {
    const double bytes = new_row_bytes();
    return bytes > 0 ? std::clamp(bytes / old_row_bytes(), 0.5, 2.0) : 1;
  }

  void find_growth() {
    const double moved = changed_ * (1 - hot_share_);
    heap_ = moved * new_row_bytes();
    const auto& p = s_.pages;
    cluster_ = p.pages > 0 ? std::max(p.matching_pages / static_cast<double>(p.pages), 1e-6) : 1;
    for (const auto& index : s_.indexes) indexes_ += index_growth(index, moved, cluster_, nonhot_sampled());
  }

  double leaves(const IndexShape& index) const { return std::max(1.0, index.bytes / kPageBytes); }

  /// Leaves of one index that `rows` entries of one batch touch.
  double leaves_touched(const IndexShape& index, double rows, double visited) const {
    const double all = leaves(index);
    if (index.is_local && !index.is_changed)
      return std::min(all, 1 + visited / std::max(1.0, s_.rows_visited()) * all);
    return all * (1 - std::exp(-rows / all));
  }

  /// Pages that a sampled batch touched, on average, that were there before it.
  double pages_touched_by_a_batch() const {
    if (cold_told_.batches <= 0) return 1;
    const double visited = cold_told_.visited / cold_told_.batches;
    const double changed = cold_told_.changed / cold_told_.batches;
    const double heap_pages = s_.is_heap_local ? visited / std::max(1.0, s_.rows_per_page) : changed;
    double pages = std::min(heap_pages, changed) + 1;
    const double moved = changed * (1 - cold_told_.hot / std::max(1.0, cold_told_.changed));
    if (moved > 0)
      for (const auto& index : s_.indexes) pages += leaves_touched(index, moved, visited);
    return pages;
  }

  double image_bytes(double row_bytes) const {
    if (cold_told_.images < 20) return kImageUsual;
    const double bytes = (cold_told_.wal - row_bytes * cold_told_.changed) / cold_told_.images;
    return std::clamp(bytes, kImageMin, kPageBytes);
  }

  /// WAL of a changed row without page images.
  double record_bytes() const {
    double images = warm_told_.images;
    if (warm_told_.changed <= 0) return 0;
    const double first = cold_told_.changed > 0 ? cold_told_.wal / cold_told_.changed : 0;
    double bytes = warm_told_.wal / warm_told_.changed;
    // Two equations for two unknowns: bytes of a row, and bytes of an image.
    if (images > 0 && cold_told_.images > images) {
      const double per_row_first = cold_told_.images / std::max(1.0, cold_told_.changed);
      const double per_row_again = images / warm_told_.changed;
      const double image =
          std::clamp((first - bytes) / std::max(1e-9, per_row_first - per_row_again), 0.0, kPageBytes);
      bytes -= image * per_row_again;
    }
    return std::max(0.0, bytes);
  }

  void find_wal() {
    record_ = record_bytes();
    image_ = image_bytes(record_);
    double later = record_;
    if (is_interleaved()) later = later_record_bytes();
    const double first_rows = is_interleaved() ? changed_ / s_.passes : changed_;
    wal_ = first_rows * record_ + (changed_ - first_rows) * later;
    wal_ += indexes_ * 0.5;  // half of each new leaf is logged when its left neighbour splits
    images_ = images();
    wal_ += images_ * image_;
  }

  double later_record_bytes() const {
    const double rows_of_a_pass = std::max(1.0, s_.rows_per_page / s_.passes);
    const double pruned = kPruneRecord / rows_of_a_pass + kPruneRow;
    const double on_page = s_.pass.explained_rows > 0
                               ? s_.pass.wal_bytes / static_cast<double>(s_.pass.explained_rows)
                               : kLaterRecord + old_row_bytes() / 2;
    return later_hot_ * (on_page + pruned) + (1 - later_hot_) * (record_ + pruned);
  }

  /// Page images of the whole run: each page that is touched for the first time since a checkpoint.
  double images() {
    if (!s_.checkpoints.has_images) return 0;
    const double touched = std::max(1.0, pages_touched_by_a_batch() * cold_told_.batches);
    const double share = std::min(1.0, cold_told_.images / touched);
    const double all_pages = static_cast<double>(s_.pages.pages_all);
    const double heap_pages = all_pages * cluster_;
    const double moved = changed_ * (1 - hot_share_);
    double index_pages = 0;
    double spread_pages = 0;
    for (const auto& index : s_.indexes) {
      if (moved <= 0) break;
      if (index.is_local && !index.is_changed) {
        index_pages += leaves(index) * cluster_;
      } else {
        spread_pages += leaves(index) * (1 - std::exp(-moved / leaves(index)));
      }
    }
    const double more = checkpoints_during(wal_ + share * (heap_pages + index_pages + spread_pages) * image_);
    // What comes after the first checkpoint of the run needs its image in any case.
    const double after = more / (more + 1);
    const double first_touch = share * (1 - after) + after;
    const double heap_again = s_.is_heap_local ? 0 : more * heap_pages;
    return first_touch * (heap_pages + index_pages) + (share + more) * spread_pages + heap_again;
  }

  /// How many checkpoints begin while the run lasts.
  double checkpoints_during(double wal) const {
    const double by_wal = wal / std::max(1.0, s_.checkpoints.wal_bytes * kCheckpointShare);
    const double by_time = raw_seconds() / std::max(1.0, s_.checkpoints.timeout_s);
    return std::floor(std::max(by_wal, by_time));
  }

  double overhead_s() const { return std::max(0.0, one_row_s(s_)); }
  double raw_seconds() const { return s_.rows_visited() * cold_.row_s(overhead_s()) / std::max(1, s_.lanes); }

  /// Seconds of one lane for each row that it visits (each that it changes, if interleaved), in first passes.
  double row_seconds() const {
    const double cold = cold_.row_s(overhead_s());
    const double warm = std::min(cold, warm_.row_s(overhead_s()));
    const double sampled = cold_told_.changed > 0 ? cold_told_.images / cold_told_.changed : 0;
    const double in_run = changed_ > 0 ? images_ / changed_ : 0;
    // Images are what makes the first batch at a place dearer than a run's: a run meets a page many times.
    const double share = sampled > 0.02 && !all_local() ? std::clamp(in_run / sampled, 0.0, 1.0) : 1;
    return warm + (cold - warm) * share;
  }
  bool all_local() const {
    return s_.is_heap_local && std::all_of(s_.indexes.begin(), s_.indexes.end(),
                                           [](const IndexShape& i) { return i.is_local && !i.is_changed; });
  }

  void find_seconds() {
    const double each = overhead_s() + kLedgerTrips * s_.trip_s;
    double work = s_.rows_visited() * row_seconds();
    if (is_interleaved()) work = interleaved_work();
    // Batches take `target` each, or as many rows as they may.
    const double target = std::chrono::duration<double>(s_.batch.target).count();
    const double by_time = work / std::max(0.001, target - each);
    const double rows = (is_interleaved() ? changed_ : s_.rows_visited());
    const double by_rows = rows / static_cast<double>(std::max<std::int64_t>(1, s_.batch.rows_max));
    const double batches = std::max({by_time, by_rows, static_cast<double>(s_.lanes)});
    seconds_ = (work + batches * each) / std::max(1, s_.lanes);
    // At the end of a walk over blocks one lane looks once for rows that were left behind.
    if (s_.walk != Walk::kKeyset && s_.pages.pages > 0)
      seconds_ +=
          s_.pages.seconds / static_cast<double>(s_.pages.pages) * static_cast<double>(s_.pages.pages_all);
  }

  /// A sampled batch of a first pass visits all rows of its pages and changes its share of them.
  double interleaved_work() const {
    const double changed = std::max(1.0, cold_.changed);
    const double first = row_seconds() * cold_.visited / changed;  // of a changed row
    double later = first * kLaterTimeShare;
    if (s_.pass.timed_rows > 0) {
      const double hot = s_.pass.timed_s / static_cast<double>(s_.pass.timed_rows) * (1 + kPruneShare);
      later = later_hot_ * hot + (1 - later_hot_) * std::max(first, hot);
    }
    const double first_rows = changed_ / s_.passes;
    return first_rows * first + (changed_ - first_rows) * later;
  }

  const Sampled& s_;
  Sums cold_, warm_, cold_told_, warm_told_;
  double changed_ = 0, hot_share_ = 0, later_hot_ = kHotLater, cluster_ = 1;
  double heap_ = 0, indexes_ = 0, wal_ = 0, images_ = 0, record_ = 0, image_ = 0, seconds_ = 0;
};

}  // namespace

bool is_enough(const Sampled& sampled) {
  const auto timed = sums_of(sampled, SampleKind::kFirst, false);
  const auto told = sums_of(sampled, SampleKind::kFirst, true);
  const auto again = sums_of(sampled, SampleKind::kAgain, true);
  const double least = static_cast<double>(kRowsEnough);
  return timed.visited >= least && told.visited >= least && again.visited >= least && timed.changed > 0 &&
         told.changed > 0 && sampled.pages.pages > 0;
}

Foretold forecast(const Sampled& sampled) {
  auto out = Course(sampled).foretold();
  const auto batches = static_cast<std::int64_t>(sampled.batches.size());
  out.basis = base::format_count(batches) + " small batches, run with " + std::to_string(sampled.lanes) +
              (sampled.lanes == 1 ? " lane" : " lanes") + " and rolled back, and " +
              base::format_count(sampled.pages.pages) + " pages read";
  return out;
}

Foretold forecast_by_catalog(const Estimate& estimate, double rows_changed, const std::string& why) {
  Foretold out;
  out.basis = "the catalog alone: " + why;
  out.rows = around(rows_changed, kCatalogDoubt);
  const double fast = std::chrono::duration<double>(estimate.fastest).count();
  const double slow = std::chrono::duration<double>(estimate.slowest).count();
  out.seconds = {fast, std::sqrt(fast * slow), slow};
  const auto wal = static_cast<double>(estimate.wal_bytes);
  out.wal_bytes = around(wal, kCatalogDoubt);
  const auto room = static_cast<double>(estimate.room_bytes);
  const auto heap = static_cast<double>(estimate.heap_bytes);
  out.heap_bytes = {0, heap, heap};
  out.index_bytes = {0, room - heap, room - heap};
  return out;
}

}  // namespace pgsluice::engine
