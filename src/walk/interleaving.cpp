#include "walk/interleaving.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace pgsluice::walk {
namespace {

#ifdef PGSLUICE_FAILPOINTS
/// For the sweep of bench/compare, in builds that honour failpoints: PGSLUICE_WEAVE=passes:windows:pages; 0
/// keeps what would be decided otherwise.
Weave swept(Weave decided) {
  const char* text = std::getenv("PGSLUICE_WEAVE");
  int passes = 0;
  int windows = 0;
  long pages = 0;
  if (!text || std::sscanf(text, "%d:%d:%ld", &passes, &windows, &pages) != 3) return decided;
  if (passes > 0) decided.passes = passes;
  if (windows > 0) decided.windows = windows;
  if (pages > 0) decided.window_pages = pages;
  return decided;
}
#else
Weave swept(const Weave& decided) {
  return decided;
}
#endif

}  // namespace

Interleaving::Interleaving(const Ground& ground, bool is_wanted) : ground_(ground), passes_(1) {
  if (!is_wanted) return;
  const double wanted = std::round(std::max(1.0, ground.rows_per_page) / kRowsPerPass);
  passes_ = static_cast<int>(std::clamp<double>(wanted, kPassesMin, kPassesMax));
  // If line pointers run out, the later passes find no room, whatever was pruned.
  if (hot_share_most(ground.rows_per_page) < 1) passes_ = kPassesMin;
  if (ground.is_horizon_held) rest({});
}

double Interleaving::hot_share_most(double rows_per_page) {
  return std::max(0.0, kLinePointers / std::max(1.0, rows_per_page) - 1);
}

std::int64_t Interleaving::pages(std::int64_t rows, int passes, int pass) const {
  const double cost = passes > 1 && pass == 0 ? kFirstPassCost : 1;
  const double per_page = cost * std::max(1.0, ground_.rows_per_page) / passes;
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(rows) / per_page));
}

Weave Interleaving::weave(std::int64_t rows) const {
  Weave weave;
  weave.passes = is_resting_ ? 1 : passes_;
  weave.windows = weave.passes > 1 ? std::max(1, ground_.lanes) + kWindowsBeyondLanes : 1;
  const auto room = std::max<std::int64_t>(
      1, ground_.cache_pages / kCacheShare / std::max(1, ground_.lanes) / weave.windows);
  weave.window_pages =
      pages(is_trying_ && weave.passes > 1 ? std::min(rows, kRowsToTry) : rows, weave.passes, 1);
  if (weave.passes > 1) weave.window_pages = std::min(weave.window_pages, room);
  return weave.passes > 1 ? swept(weave) : weave;
}

std::optional<Interleaving::Change> Interleaving::rest(const std::string& cause) {
  is_resting_ = true;
  rests_since_.reset();
  is_trying_ = false;
  rest_groups_ = next_rest_;
  next_rest_ = std::min(kRestMax, next_rest_ * 2);
  later_ = {};
  with_room_ = {};
  return Change{passes_, 1, cause};
}

void Interleaving::note_wal(bool has_room, const BatchShown& shown) {
  if (!shown.wal || shown.changed == 0) return;
  if (!has_room && shown.wal->page_images * kPageBytes > kImageShareMax * shown.wal->bytes) return;
  auto& written = has_room ? with_room_ : without_room_;
  written.bytes += shown.wal->bytes;
  written.rows += static_cast<double>(shown.changed);
  ++written.samples;
}

std::optional<Interleaving::Change> Interleaving::judge_hot() {
  const double share =
      static_cast<double>(later_.hot) / static_cast<double>(std::max<std::int64_t>(1, later_.changed));
  const int enough = share < kHotShareHopeless ? kBatchesHopeless : kBatchesToJudge;
  const bool is_held = is_held_since(later_.began);
  const bool is_long_enough =
      share >= kHotShareMin || is_held || later_.worked >= kTimeToJudge * std::max(1, ground_.lanes);
  if (later_.batches < enough || later_.changed < kRowsToJudge || !is_long_enough) return std::nullopt;
  if (share < kHotShareHopeless) next_rest_ = std::max(next_rest_, kRestHopeless);
  if (share < kHotShareMin) {
    const std::string why = is_held
                                ? "a transaction that was already open keeps their pages from being pruned"
                                : "a changed column is indexed, rows grow, or an old snapshot keeps their "
                                  "pages from being pruned";
    return rest("only " + std::to_string(std::lround(share * 100)) +
                " % of the updates in later passes were HOT: " + why);
  }
  later_ = {};
  if (!is_wal_doubtful_) next_rest_ = kRestFirst;
  is_trying_ = false;
  return std::nullopt;
}

std::optional<Interleaving::Change> Interleaving::judge_wal() {
  if (with_room_.samples < kSamplesToJudge || without_room_.samples < kSamplesToJudge) return std::nullopt;
  const auto later = std::exchange(with_room_, {});
  const auto first = std::exchange(without_room_, {});
  is_wal_doubtful_ = later.per_row() > kWalShareMax * first.per_row();
  if (!is_wal_doubtful_) return std::nullopt;
  return rest("updates in later passes write " + std::to_string(std::lround(later.per_row())) +
              " bytes of WAL per row, those on full pages " + std::to_string(std::lround(first.per_row())));
}

std::optional<Interleaving::Change> Interleaving::record(const BlockBatch& batch, const BatchShown& shown) {
  if (passes_ == 1) return std::nullopt;
  if (is_resting_) {
    // A group in progress continues with its last pass, on pages that were visited before: it measures
    // neither kind.
    if (batch.weave.passes == 1) note_wal(false, shown);
    if (!rests_since_) rests_since_ = shown.began;
    const bool is_group_over = !batch.next.group;
    if (batch.weave.passes > 1 || !is_group_over || --rest_groups_ > 0) return std::nullopt;
    if (is_held_since(*rests_since_) && rest_groups_ > -kRestMax) return std::nullopt;
    is_resting_ = false;
    is_trying_ = true;
    return Change{1, passes_, "tried again"};
  }
  note_wal(batch.pass > 0, shown);
  if (batch.pass == 0) return std::nullopt;  // full pages have no room yet
  if (later_.batches == 0) later_.began = shown.began;
  later_.changed += shown.changed;
  later_.hot += shown.hot;
  later_.worked += shown.duration;
  ++later_.batches;
  if (auto change = judge_hot()) return change;
  return judge_wal();
}

std::optional<Interleaving::Change> Interleaving::on_replica_lag() {
  if (passes_ == 1 || is_resting_) return std::nullopt;
  return rest("a replica is falling behind: pruning conflicts with its queries");
}

}  // namespace pgsluice::walk
