#include "lanes/foretelling/forecast.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "lanes/foretelling/index_growth.hpp"
#include "lanes/foretelling/sample_sums.hpp"
#include "walk/interleaving.hpp"

namespace pgsluice::engine {
namespace {

constexpr double kPageBytes = 8'192;
constexpr double kPageRoom = 8'192 - 24;
// Of an image whose own size no batch showed: pages are about 90 % full, and the hole is left out.
constexpr double kImageUsual = 7'400;
constexpr double kImageMin = 300;
constexpr double kImagesEnough = 20;  // to reckon their size from
constexpr double kImagesApart =
    0.3;  // of the first half's: fewer in the second half, or one equation is no news
constexpr double kRecordMin = 50;    // bytes of the shortest record of an update
constexpr double kSplitShare = 0.5;  // of a new leaf is logged when its left neighbour splits
constexpr double kWorstSpread = 3;   // standard deviations of a page's worst moment among dozens of batches
constexpr double kVisitAgain = 0.5;  // of a visit that counts too
// The server starts a checkpoint when about this share of max_wal_size has been written since the last one:
// 1 / (1 + checkpoint_completion_target).
constexpr double kCheckpointShare = 0.53;
constexpr double kRowsEnough = 200;  // changed, timed and explained alike: fewer say nothing
// Statements that a batch of a run sends beside those that a sampled one sends: position, counts with COMMIT;
// each changes one row of the ledger, for which a trip and a half are allowed.
constexpr double kLedgerTrips = 3;
// A later pass also prunes each page, which the likeness cannot show: time of it by measurement, and a record
// of 56 bytes for each page with 4 bytes for each row.
constexpr double kPruneShare = 0.15;
constexpr double kPruneRecord = 56;
constexpr double kPruneRow = 4;
constexpr double kRowsOfAPrune = 2;  // where each batch comes to a page for a row or two
// Of the rows of later passes that should find room on their page, as measured (docs/design/interleaving.md).
constexpr double kHotLater = 0.95;
constexpr double kHotLaterOfFew = 0.92;  // with the fewest passes
// Without a likeness: a later pass takes 4 ms where the first takes 10, and writes a heap record without a
// lock.
constexpr double kLaterTimeShare = 0.4;
constexpr double kLaterRecord = 70;
// How far off each figure may be even when the samples agree.
constexpr double kRowsDoubt = 0.02;
constexpr double kSecondsDoubt = 0.25;
constexpr double kWalDoubt = 0.10;
constexpr double kGrowthDoubt = 0.15;
constexpr double kCatalogDoubt = 0.5;

Span around(double likely, double doubt) {
  return {likely * std::max(0.0, 1 - doubt), likely, likely * (1 + doubt)};
}

/// What the whole run comes to, step by step.
class Course {
 public:
  explicit Course(const Sampled& sampled)
      : s_(sampled),
        first_(sums_of(sampled, SampleKind::kFirst, false)),
        second_(sums_of(sampled, SampleKind::kSecond, false)),
        visit_(sums_of(sampled, SampleKind::kVisit, false)),
        first_told_(sums_of(sampled, SampleKind::kFirst, true)),
        second_told_(sums_of(sampled, SampleKind::kSecond, true)) {
    changed_ = s_.rows_matching();
    visited_ = s_.rows_visited();
    find_prices();
    find_records();
    find_hot();
    find_growth();
    find_wal();
    find_seconds();
  }

  Foretold foretold() const {
    Foretold out;
    out.is_sampled = true;
    out.rows = around(changed_, rows_doubt());
    out.rows.high = std::min(out.rows.high, std::max(visited_, changed_));
    out.seconds =
        around(seconds_, std::hypot(kSecondsDoubt, 2 * relative_error(first_.per_row)) + rows_doubt());
    out.wal_bytes = around(wal_, kWalDoubt + rows_doubt());
    out.heap_bytes = around(heap_, kGrowthDoubt + rows_doubt());
    out.index_bytes = around(indexes_, kGrowthDoubt + rows_doubt());
    return out;
  }

 private:
  bool is_interleaved() const { return s_.passes > 1; }
  /// Pages are come to again and again, and updates find the room of earlier ones.
  bool is_like_passes() const { return !s_.is_heap_local && !s_.is_index_changed; }

  double rows_doubt() const {
    const auto& p = s_.pages;
    if (p.pages >= p.pages_all || p.matching <= 0) return 0.001;
    const double mean = p.matching / static_cast<double>(p.pages);
    return kRowsDoubt + 2 * p.matching_spread / mean / std::sqrt(static_cast<double>(p.pages));
  }

  /// Seconds of one lane: for a batch, for a row visited, and for a row changed on top of that.
  void find_prices() {
    batch_s_ = median(times_of(SampleKind::kOneRow));
    visit_s_ =
        visit_.visited > 0 ? std::max(0.0, visit_.seconds - batch_s_ * visit_.batches) / visit_.visited : 0;
    const double batches = first_.batches + second_.batches;
    const double spent =
        first_.seconds + second_.seconds - batch_s_ * batches - visit_s_ * (first_.visited + second_.visited);
    change_s_ = std::max(0.0, spent) / std::max(1.0, first_.changed + second_.changed);
  }
  std::vector<double> times_of(SampleKind kind) const {
    std::vector<double> times;
    for (const auto& batch : s_.batches) {
      if (batch.kind == kind) times.push_back(batch.seconds);
    }
    return times;
  }

  /// WAL of a changed row without page images, and the size of an image: two equations, where the second half
  /// of a place wrote clearly fewer images than the first.
  void find_records() {
    const double b1 = first_told_.wal / std::max(1.0, first_told_.changed);
    const double b2 = second_told_.wal / std::max(1.0, second_told_.changed);
    const double i1 = first_told_.images / std::max(1.0, first_told_.changed);
    const double i2 = second_told_.images / std::max(1.0, second_told_.changed);
    image_ = kImageUsual;
    if (first_told_.images >= kImagesEnough && i1 - i2 > kImagesApart * i1)
      image_ = std::clamp((b1 - b2) / (i1 - i2), kImageMin, kPageBytes);
    const double both = image_ == kImageUsual ? (b1 + b2 - image_ * (i1 + i2)) / 2 : b2 - image_ * i2;
    record_ = std::max(kRecordMin, both);
  }

  double told_changed() const { return first_told_.changed + second_told_.changed; }
  double first_hot() const { return (first_told_.hot + second_told_.hot) / std::max(1.0, told_changed()); }

  /// Share of the updates that write no index.
  void find_hot() {
    const double first = first_hot();
    hot_share_ = first;
    if (is_interleaved()) {
      const double later_share = 1 - 1.0 / s_.passes;
      const double most = walk::Interleaving::hot_share_most(s_.rows_per_page);
      double later = s_.passes <= walk::Interleaving::kPassesMin ? kHotLaterOfFew : kHotLater;
      later = std::min({later, most / later_share, kHotLater / std::max(1.0, growth_of_a_row())});
      later_hot_ = std::max(first, later);
      hot_share_ = std::min(1.0, first / s_.passes + later_hot_ * later_share);
    } else if (is_like_passes()) {
      hot_share_ = std::max(first, 1 - share_that_leaves_its_page());
      later_hot_ = 1;
    }
  }

  /// Of rows that are met in another order than the heap's: a page needs as much room as rows of it are
  /// changed by batches that may still be seen, at the worst moment of the run. Room, once made, is used
  /// again.
  double share_that_leaves_its_page() const {
    const double batch = target_s() / std::max(1e-7, visit_s_ + change_s_);
    const double pages = std::max<double>(1, static_cast<double>(s_.pages.pages_all));
    const double usual = batch * (2 * s_.lanes + 1) / pages * changed_ / std::max(1.0, visited_);
    const double worst = usual + kWorstSpread * std::sqrt(usual) + 1;
    return std::min(1.0, worst / std::max(1.0, changed_ / pages));
  }

  double moved_sampled() const {
    return (first_.changed + second_.changed + told_changed()) * (1 - first_hot());
  }
  double old_row_bytes() const { return kPageRoom / std::max(1.0, s_.rows_per_page); }
  /// New versions that left their page, on the pages that they filled.
  double new_row_bytes() const {
    const double rows = moved_sampled();
    if (rows < kRowsEnough || s_.heap_grown_bytes <= 0) return 0;
    return s_.heap_grown_bytes / rows;
  }
  double growth_of_a_row() const {
    const double bytes = new_row_bytes();
    return bytes > 0 ? std::clamp(bytes / old_row_bytes(), 0.5, 2.0) : 1;
  }

  void find_growth() {
    const auto& p = s_.pages;
    cluster_ = p.pages > 0 ? std::max(p.matching_pages / static_cast<double>(p.pages), 1e-6) : 1;
    moved_ = changed_ * (1 - hot_share_);
    heap_ = moved_ * new_row_bytes();
    for (const auto& index : s_.indexes) {
      // Entries of rows that moved within an interleaved walk replace dead ones, which the server deletes
      // from a leaf before it would split it.
      const bool is_cleaned = is_interleaved() && !index.is_changed;
      if (!is_cleaned)
        indexes_ += index_growth(index, entries_of(index), cluster_, moved_sampled() * share_of(index));
    }
  }
  /// Share of the table's rows that have an entry in this index: fewer in a partition's, or a partial one.
  double share_of(const IndexShape& index) const {
    return index.entries > 0 ? std::min(1.0, index.entries / std::max(1.0, visited_)) : 1;
  }
  double entries_of(const IndexShape& index) const { return moved_ * share_of(index); }

  static double leaves(const IndexShape& index) { return std::max(1.0, index.bytes / kPageBytes); }

  /// Pages that were there before and that all sampled batches together touched.
  struct Touched {
    double near = 0;    // of which a run comes to each once
    double spread = 0;  // leaves all over an index
  };
  Touched touched() const {
    const double places = std::max(1.0, first_.batches + first_told_.batches);
    const double visited = first_.visited + first_told_.visited;
    const double changed = first_.changed + second_.changed + told_changed();
    const double heap = static_cast<double>(s_.pages.pages_all);
    Touched out;
    out.near = s_.is_heap_local ? places + std::min(changed, visited / std::max(1.0, s_.rows_per_page))
                                : heap * (1 - std::exp(-changed / std::max(1.0, heap)));
    const double moved = changed * (1 - first_hot());
    if (moved < places) return out;
    for (const auto& index : s_.indexes) {
      const double all = leaves(index);
      if (is_local(index))
        out.near += std::min(all, places + visited / std::max(1.0, visited_) * all);
      else
        out.spread += all * (1 - std::exp(-moved * share_of(index) / all));
    }
    return out;
  }
  static bool is_local(const IndexShape& index) { return index.is_local && !index.is_changed; }

  void find_wal() {
    const bool is_later = is_interleaved() || is_like_passes();
    const double first_rows = is_interleaved() ? changed_ / s_.passes : is_later ? moved_ : changed_;
    wal_ = first_rows * record_ + (changed_ - first_rows) * (is_later ? later_record_bytes() : record_);
    wal_ += indexes_ * kSplitShare;
    wal_ += images() * image_;
  }

  double later_record_bytes() const {
    const double matching = changed_ / std::max(1.0, cluster_ * static_cast<double>(s_.pages.pages_all));
    const double rows_of_a_visit = is_interleaved() ? std::max(1.0, matching / s_.passes) : kRowsOfAPrune;
    const double pruned = kPruneRecord / rows_of_a_visit + kPruneRow;
    const double on_page = s_.pass.explained_rows > 0
                               ? s_.pass.wal_bytes / static_cast<double>(s_.pass.explained_rows)
                               : kLaterRecord;
    return later_hot_ * (on_page + pruned) + (1 - later_hot_) * (record_ + pruned);
  }

  /// Page images of the whole run: each page that is touched for the first time since a checkpoint.
  double images() const {
    if (!s_.checkpoints.has_images) return 0;
    const auto sampled = touched();
    const double seen = images_sampled();
    const double share = std::min(1.0, seen / std::max(1.0, sampled.near));
    // New values may lie close together although they could be anywhere: then few leaves get all of them.
    const double scatter =
        sampled.spread > 0 ? std::clamp((seen - sampled.near) / sampled.spread, 0.0, 1.0) : 0;
    const double heap_pages = static_cast<double>(s_.pages.pages_all) * cluster_;
    double near = heap_pages;
    double spread = 0;
    for (const auto& index : s_.indexes) {
      const double all = leaves(index);
      if (moved_ < 1) break;
      if (is_local(index)) {
        near += std::min(all * cluster_, entries_of(index) + 1);
      } else {
        spread += all * (1 - std::exp(-entries_of(index) / all));
      }
    }
    spread *= scatter;
    const double more = checkpoints_during(wal_ + share * (near + spread) * image_);
    // What comes after the first checkpoint of the run needs its image in any case.
    const double after = more / (more + 1);
    const double again = s_.is_heap_local ? 0 : more * heap_pages;
    const double all = (share * (1 - after) + after) * near + (share + more) * spread + again;
    return std::max(0.0, all - (s_.is_run_next ? images_sampled() : 0));
  }

  /// By all sampled batches: those that were only timed wrote as many as the explained ones.
  double images_sampled() const {
    const auto of = [](const Sums& timed, const Sums& told) {
      return told.images * (1 + timed.changed / std::max(1.0, told.changed));
    };
    return of(first_, first_told_) + of(second_, second_told_);
  }

  /// How many checkpoints begin while the run lasts.
  double checkpoints_during(double wal) const {
    const double by_wal = wal / std::max(1.0, s_.checkpoints.wal_bytes * kCheckpointShare);
    const double by_time = (visited_ * visit_s_ + changed_ * change_s_) / std::max(1, s_.lanes) /
                           std::max(1.0, s_.checkpoints.timeout_s);
    return std::floor(std::max(by_wal, by_time));
  }

  double target_s() const { return std::chrono::duration<double>(s_.batch.target).count(); }

  void find_seconds() {
    const double each = batch_s_ + kLedgerTrips * s_.trip_s;
    double work = visited_ * visit_s_ + changed_ * change_s_;
    if (is_interleaved()) work = interleaved_work();
    if (!is_interleaved() && is_like_passes())
      work = visited_ * visit_s_ + moved_ * change_s_ + (changed_ - moved_) * later_change_s();
    const double by_time = work / std::max(0.001, target_s() - each);
    const double rows = is_interleaved() ? changed_ : visited_;
    const double by_rows = rows / static_cast<double>(std::max<std::int64_t>(1, s_.batch.rows_max));
    const double batches = std::max({by_time, by_rows, static_cast<double>(s_.lanes)});
    seconds_ = (work + batches * each) / std::max(1, s_.lanes) / std::max(0.01, s_.pace);
    // At the end of a walk over blocks one lane looks once for rows that were left behind.
    if (s_.walk != Walk::kKeyset && s_.pages.pages > 0)
      seconds_ +=
          s_.pages.seconds / static_cast<double>(s_.pages.pages) * static_cast<double>(s_.pages.pages_all);
  }

  /// Of a row whose new version stays on its page.
  double later_change_s() const {
    if (s_.pass.timed_rows <= 0) return change_s_ * kLaterTimeShare;
    return s_.pass.timed_s / static_cast<double>(s_.pass.timed_rows) * (1 + kPruneShare);
  }

  /// The first pass counts and reads all rows of its pages, and later ones read them again without counting.
  double interleaved_work() const {
    const double visits = visited_ * visit_s_ * (1 + kVisitAgain * (s_.passes - 1));
    const double later = later_hot_ * later_change_s() + (1 - later_hot_) * change_s_;
    const double first_rows = changed_ / s_.passes;
    return visits + first_rows * change_s_ + (changed_ - first_rows) * later;
  }

  const Sampled& s_;
  Sums first_, second_, visit_, first_told_, second_told_;
  double changed_ = 0, visited_ = 0;
  double batch_s_ = 0, visit_s_ = 0, change_s_ = 0;
  double record_ = 0, image_ = 0;
  double hot_share_ = 0, later_hot_ = 0, cluster_ = 1, moved_ = 0;
  double heap_ = 0, indexes_ = 0, wal_ = 0, seconds_ = 0;
};

}  // namespace

bool is_enough(const Sampled& sampled) {
  const auto timed = sums_of(sampled, SampleKind::kFirst, false);
  const auto told = sums_of(sampled, SampleKind::kFirst, true);
  const auto second = sums_of(sampled, SampleKind::kSecond, true);
  return timed.changed >= kRowsEnough && told.changed >= kRowsEnough && second.changed >= kRowsEnough &&
         sums_of(sampled, SampleKind::kVisit, false).visited > 0 && sampled.pages.pages > 0;
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
