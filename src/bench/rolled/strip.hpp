#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::bench {

/// The next batch of a strip.
struct StripBatch {
  std::string update_sql;
  pg::Params params;
  bool is_full = false;     // as many rows as requested; the last batch of a strip may be smaller
  bool is_counted = false;  // the statement's answer says how many rows it changed
};

/// A part of the table that one lane at a time goes through in rolled-back batches. Keeps its place across
/// trials, so that no trial revisits the dead row versions of the previous one. Confined to one thread at a
/// time.
class Strip {
 public:
  virtual ~Strip() = default;

  /// Advances. REQUIRES: not over. Asks the server where the batch ends; throws Failure.
  virtual StripBatch next(pg::Session& session, std::int64_t rows) = 0;
  virtual bool is_over() const = 0;
  virtual void start_again() = 0;
};

/// Rows between two keys, in key order.
class KeyStrip final : public Strip {
 public:
  /// REQUIRES: keyset, table and step outlive it.
  KeyStrip(const walk::Keyset& keyset, const pg::Table& table, const BackfillStep& step,
           std::optional<pg::Key> lower, pg::Key upper)
      : keyset_(keyset), table_(table), step_(step), lower_(std::move(lower)), upper_(std::move(upper)) {
    position_ = lower_;
  }

  StripBatch next(pg::Session& session, std::int64_t rows) override;
  bool is_over() const override { return is_over_; }
  void start_again() override;

 private:
  const walk::Keyset& keyset_;
  const pg::Table& table_;
  const BackfillStep& step_;
  std::optional<pg::Key> lower_;
  pg::Key upper_;
  std::optional<pg::Key> position_;
  bool is_over_ = false;
};

/// All strips of a table, taken in turn. Confined to the io thread.
class StripRing {
 public:
  explicit StripRing(std::vector<std::unique_ptr<Strip>> strips);

  /// The next free one, or nullptr; one that is used up starts again.
  std::shared_ptr<Strip> take();
  void give_back(const std::shared_ptr<Strip>& strip);

  std::size_t size() const { return places_.size(); }
  /// How often strips had to start again, so that batches met dead row versions of earlier ones.
  int restarts() const { return restarts_; }

 private:
  struct Place {
    std::shared_ptr<Strip> strip;
    bool is_out = false;
  };
  std::vector<Place> places_;
  std::size_t next_ = 0;
  int restarts_ = 0;
};

/// How many strips to cut: enough rows in each for several of the largest batches, at most kStripsMax, at
/// least `lanes`.
constexpr int kStripsMax = 64;
int strip_count(std::int64_t table_rows, std::int64_t rows_max, int lanes);

/// Cuts the table along the key, from a sample of its pages. Throws Failure; throws Error(kRefused) for an
/// empty table.
std::vector<std::unique_ptr<Strip>> cut_by_key(pg::Session& session, const walk::Keyset& keyset,
                                               const pg::Table& table, const BackfillStep& step, int count);

}  // namespace pgsluice::bench
