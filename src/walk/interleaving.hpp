#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "walk/blocks.hpp"

namespace pgsluice::walk {

/// What an interleaved walk is planned from.
struct Ground {
  double rows_per_page = 0;
  std::int64_t cache_pages = 0;  // shared_buffers, in blocks
  int lanes = 1;
  bool is_horizon_held = false;  // by a transaction that has been open for some time
};

using TimePoint = std::chrono::steady_clock::time_point;

/// What a batch showed.
struct BatchShown {
  std::int64_t changed = 0;
  std::int64_t hot = 0;  // of these, updates that wrote no index
  std::chrono::nanoseconds duration{0};
  struct Wal {
    double bytes = 0;
    double page_images = 0;
  };
  std::optional<Wal> wal{};  // only for a sampled batch
  TimePoint began{};
};

/// Decides in how many passes the next group of windows is visited, based on the results of earlier passes:
/// interleaving pays only while old row versions can be pruned between two passes. One for all lanes of a
/// step: what holds back the horizon does so for all of them. Pure; confined to the thread that decides.
class Interleaving {
 public:
  // Figures: docs/design/interleaving.md.
  static constexpr double kRowsPerPass = 10;  // of a page: fewer mean more visits, more leave the page
  static constexpr int kPassesMax = 15;       // beyond it each pass costs more than it saves
  static constexpr int kPassesMin = 4;        // below it too many updates leave their page
  // More windows than lanes: a batch of every other lane may still see what the previous pass replaced.
  static constexpr int kWindowsBeyondLanes = 2;
  // A heap page has at most 291 line pointers, and each HOT update needs a second one for its row.
  static constexpr double kLinePointers = 291;
  static constexpr double kHotShareMin =
      0.3;  // of later passes; below it the visits cost more than they save
  // Rows changed in later passes before a verdict, and in how many batches: a single one may have hit another
  // lane's slow moment.
  static constexpr std::int64_t kRowsToJudge = 2'000;
  static constexpr int kBatchesToJudge = 16;
  // If almost none are HOT, as with an open snapshot, fewer batches are enough.
  static constexpr double kHotShareHopeless = 0.05;
  static constexpr int kBatchesHopeless = 6;
  // Batch time per lane before a verdict, unless a transaction is known to have been open before them. The
  // first batches are so short that anything that holds back the horizon briefly, such as a COMMIT waiting
  // for the disk, keeps all of them from being HOT.
  static constexpr std::chrono::milliseconds kTimeToJudge{300};
  static constexpr int kRestHopeless = 64;  // at least: a snapshot held for a while is usually held for long
  // Relative to the WAL of a row whose page had no room: above it, too little is saved for so many visits.
  static constexpr double kWalShareMax = 0.9;
  static constexpr int kSamplesToJudge = 4;    // on each side
  static constexpr double kPageBytes = 8'192;  // of a page image at most
  // The first change of a page after a checkpoint writes its image, which says nothing about passes.
  static constexpr double kImageShareMax = 0.1;
  static constexpr std::int64_t kRowsToTry = 1'000;  // of a batch when retrying after a rest
  static constexpr int kRestFirst = 16;              // groups without passes before the next try; doubles
  static constexpr int kRestMax = 1'024;
  // How much longer a row takes in the first pass, which counts all rows of its blocks and whose updates
  // leave the page. docs/design/interleaving.md.
  static constexpr double kFirstPassCost = 2;
  static constexpr std::int64_t kCacheShare = 4;  // of shared_buffers, for the windows of all lanes

  explicit Interleaving(const Ground& ground, bool is_wanted);

  /// Share of a page's rows whose updates can be HOT before it runs out of line pointers.
  static double hot_share_most(double rows_per_page);

  /// For a group that begins now, with batches of about `rows` rows; one in progress is cut short if the
  /// result is one pass.
  Weave weave(std::int64_t rows) const;

  /// How many blocks a batch of `rows` rows takes in pass `pass` of `passes`: fewer in the first of several,
  /// so that it takes as long as the others.
  std::int64_t pages(std::int64_t rows, int passes, int pass) const;

  /// A verdict, for the event log: "2 % of the updates were HOT …".
  struct Change {
    int from = 1;
    int to = 1;
    std::string cause;
  };
  /// Records a committed batch: its pass, what it showed, and whether it ended its group.
  std::optional<Change> record(const BlockBatch& batch, const BatchShown& shown);

  /// A replica lags while we interleave: each prune conflicts with every older query there.
  std::optional<Change> on_replica_lag();

  /// Tells since when the oldest foreign transaction that may hold back the horizon has been open; nullopt:
  /// there is none. With such a cause known, a verdict comes sooner, and nothing is retried while the cause
  /// lasts, for at most kRestMax groups: a transaction that takes a snapshot per statement may stay open for
  /// long and hold back nothing.
  void on_transaction_open(std::optional<TimePoint> since) { open_since_ = since; }

 private:
  /// Batches of later passes since the last verdict.
  struct Later {
    TimePoint began;  // when the first of them ran
    std::int64_t changed = 0;
    std::int64_t hot = 0;
    int batches = 0;
    std::chrono::nanoseconds worked{0};
  };

  /// WAL of sampled batches.
  struct Written {
    double bytes = 0;
    double rows = 0;
    int samples = 0;
    double per_row() const { return bytes / std::max(1.0, rows); }
  };

  bool is_held_since(TimePoint when) const { return open_since_ && *open_since_ <= when; }
  std::optional<Change> rest(const std::string& cause);
  void note_wal(bool has_room, const BatchShown& shown);
  std::optional<Change> judge_hot();
  std::optional<Change> judge_wal();

  Ground ground_;
  int passes_;
  bool is_resting_ = false;
  bool is_trying_ = false;  // retrying after a rest, until it has paid off
  std::optional<TimePoint> open_since_;
  std::optional<TimePoint> rests_since_;
  int rest_groups_ = 0;  // still to pass
  int next_rest_ = kRestFirst;
  Later later_;
  bool is_wal_doubtful_ = false;  // it rested because of its WAL, and none has been judged good since
  Written without_room_;          // by batches that found full pages
  Written with_room_;             // by later batches
};

}  // namespace pgsluice::walk
