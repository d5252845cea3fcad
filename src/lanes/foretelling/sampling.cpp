#include "lanes/foretelling/sampling.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>

#include "governor/turns.hpp"
#include "lanes/foretelling/fitness.hpp"
#include "lanes/foretelling/forecast.hpp"
#include "lanes/foretelling/index_shapes.hpp"
#include "lanes/foretelling/likeness.hpp"
#include "lanes/foretelling/page_reading.hpp"
#include "lanes/foretelling/sample_batch.hpp"
#include "pgsluice/error.hpp"
#include "table/range_plan.hpp"

namespace pgsluice::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPlaces = 20;                // so that a fifth of the table that is different weighs a fifth
constexpr std::int64_t kRowsMost = 1'000;  // of a place: some ms, which nobody waits long for
constexpr std::int64_t kRowsLeast = 20;
// Where few rows match, at most four times as many are visited: pages that a sample touches are dirty too.
constexpr double kDensityLeast = 0.25;
constexpr double kPagesShareMost = 0.1;  // of the table, for the batches of all places
// A sampled batch gives up its row locks within this time, and never waits longer for one.
constexpr pg::TransactionLimits kBatchLimits{std::chrono::milliseconds{50}, std::chrono::milliseconds{250},
                                             false};
constexpr pg::TransactionLimits kLikenessLimits{std::chrono::milliseconds{50}, std::chrono::milliseconds{400},
                                                false};
constexpr int kFailuresMost = 3;  // of one lane: then something is wrong, and the rest would fail too
constexpr int kTripsTimed = 5;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

struct Sizes {
  double heap = 0;
  std::vector<double> indexes;
};

Sizes sizes_of(pg::Session& session, const PreparedBackfill& step, Walk walk) {
  Sizes sizes;
  sizes.heap = static_cast<double>(pg::read_storage(session, step.table.oid).heap_bytes);
  for (const auto& shape : read_index_shapes(session, step, walk)) sizes.indexes.push_back(shape.bytes);
  return sizes;
}

double trip_of(pg::Session& session) {
  double best = 1;
  for (int i = 0; i < kTripsTimed; ++i) {
    const auto began = Clock::now();
    session.exec("SELECT 1", pg::Params{});
    best = std::min(best, seconds_since(began));
  }
  return best;
}

/// What one lane saw.
struct LaneSeen {
  std::vector<SampledBatch> batches;
  SampledPass pass;
};

/// What the lanes share. Constant, except `is_over`.
struct Crew {
  const PreparedBackfill& step;
  const SamplingSite& site;
  SampleWork work;
  std::vector<SamplePlace> places;
  int lanes = 1;
  Clock::time_point end;
  int later_passes = 1;  // above 1: updates will find room that earlier ones left
  std::atomic<int> failures{0};

  bool is_over() const { return Clock::now() >= end || failures >= kFailuresMost; }
};

void sample_at(pg::Session& session, Crew& crew, const SamplePlace& place, bool is_first_told,
               LaneSeen& seen) {
  const auto batch = [&](SampleKind kind, bool is_explained) {
    seen.batches.push_back(run_sample_batch(session, crew.work, place, kind, is_explained));
  };
  batch(SampleKind::kFirst, is_first_told);
  batch(SampleKind::kSecond, !is_first_told);
  batch(SampleKind::kVisit, false);
  batch(SampleKind::kOneRow, false);
}

LaneSeen work_as_lane(Crew& crew, int lane) {
  LaneSeen seen;
  pg::Session session(crew.site.target, crew.site.application_name);
  if (crew.places.empty()) return seen;
  // The first statements of a connection fill its caches: they count for nothing.
  run_sample_batch(session, crew.work, crew.places.back(), SampleKind::kOneRow, false);
  for (std::size_t i = static_cast<std::size_t>(lane), n = 0; i < crew.places.size() && !crew.is_over();
       i += static_cast<std::size_t>(crew.lanes), ++n) {
    try {
      sample_at(session, crew, crew.places[i], n % 2 == 1, seen);
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;
      ++crew.failures;
    }
  }
  if (crew.later_passes > 1 && !crew.is_over()) {
    try {
      seen.pass = sample_later_pass(session, crew.step, crew.later_passes, kLikenessLimits);
    } catch (const pg::Failure& f) {
      if (f.is_connection_lost()) throw;  // else the forecast does without
    }
  }
  return seen;
}

void add(const SampledPass& pass, SampledPass& sum) {
  sum.timed_rows += pass.timed_rows;
  sum.timed_s += pass.timed_s;
  sum.explained_rows += pass.explained_rows;
  sum.wal_bytes += pass.wal_bytes;
}

/// Runs the lanes side by side and collects what they saw. Throws the first lane's failure.
void run_lanes(Crew& crew, Sampled& sampled) {
  std::vector<std::future<LaneSeen>> lanes;
  for (int i = 0; i < crew.lanes; ++i)
    lanes.push_back(std::async(std::launch::async, [&crew, i] { return work_as_lane(crew, i); }));
  std::exception_ptr error;
  for (auto& lane : lanes) {
    try {
      auto seen = lane.get();
      sampled.batches.insert(sampled.batches.end(), seen.batches.begin(), seen.batches.end());
      add(seen.pass, sampled.pass);
    } catch (...) {
      if (!error) error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

/// How many rows are changed at a place, half of them in each of two batches: all places together no more
/// than the bound.
std::int64_t rows_of_a_batch(double rows_visited, double rows_matching) {
  const double most = std::min(static_cast<double>(kRowsTouchedMost), kShareTouchedMost * rows_visited);
  const double touched = most / kPlaces;
  // Where few rows match, more may be visited for the same number of changed ones.
  const double density = std::clamp(rows_matching / std::max(1.0, rows_visited), kDensityLeast, 1.0);
  const auto rows = static_cast<std::int64_t>(std::min(touched, static_cast<double>(kRowsMost)) / density);
  return std::max(kRowsLeast, rows);
}

SampleWork work_for(const PreparedBackfill& step, const Sampled& sampled) {
  SampleWork work;
  work.step = &step;
  work.walk = sampled.walk;
  work.passes = sampled.passes;
  work.rows = rows_of_a_batch(sampled.rows_visited(), sampled.rows_matching());
  const walk::Interleaving interleaving(step.ground, sampled.passes > 1);
  // Two passes change as many rows as two halves.
  const auto wanted = interleaving.pages(work.rows, sampled.passes, 1) / 2;
  const auto most =
      static_cast<std::int64_t>(kPagesShareMost * static_cast<double>(sampled.pages.pages_all)) / kPlaces;
  work.pages = std::max<std::int64_t>(1, sampled.passes > 1 ? std::min(wanted, most) : 2 * wanted);
  work.limits = kBatchLimits;
  return work;
}

void look_at_table(pg::Session& session, const PreparedBackfill& step, const SamplingSite& site,
                   Sampled& sampled) {
  sampled.walk = step.choice.walk;
  const auto& tunables = site.tunables;
  sampled.lanes = std::max(1, tunables.lanes);
  sampled.pace = site.pace;
  sampled.is_run_next = site.is_run_next;
  sampled.rows_per_page = std::max(1.0, step.ground.rows_per_page);
  auto ground = step.ground;
  ground.lanes = sampled.lanes;
  const walk::Interleaving interleaving(ground, step.choice.walk == Walk::kInterleaved);
  sampled.passes = interleaving.weave(tunables.batch.rows).passes;
  sampled.batch = within_deadlock_timeout(tunables.batch, tunables.throttle.lock_wait, step.deadlock_timeout,
                                          step.long_statements());
  if (site.is_beside_others)
    sampled.batch.target = std::min(sampled.batch.target, governor::kTargetBesideOthers);
  sampled.pages = read_pages(session, step);
  sampled.is_heap_local = is_heap_walked_in_order(session, step, sampled.walk);
  if (sampled.pages.pages > 0 && sampled.pages.rows > 0)
    sampled.rows_per_page = sampled.pages.rows / static_cast<double>(sampled.pages.pages);
  sampled.indexes = read_index_shapes(session, step, sampled.walk);
  sampled.is_index_changed = std::any_of(sampled.indexes.begin(), sampled.indexes.end(),
                                         [](const IndexShape& index) { return index.is_changed; });
  sampled.checkpoints = read_checkpoint_facts(session);
  sampled.trip_s = trip_of(session);
}

/// A key that meets the heap's pages in another order comes to each page again and again: as passes do.
int later_passes_of(const Sampled& sampled) {
  const bool is_like_passes = !sampled.is_heap_local && !sampled.is_index_changed;
  return is_like_passes ? walk::Interleaving::kPassesMax : sampled.passes;
}

Sampled sample(pg::Session& session, const PreparedBackfill& step, const SamplingSite& site) {
  const auto end = Clock::now() + kSamplingMost;
  Sampled sampled;
  look_at_table(session, step, site, sampled);
  Crew crew{step, site, work_for(step, sampled), {}, sampled.lanes, end, later_passes_of(sampled)};
  crew.places = sample_places(session, step, sampled.walk, kPlaces);
  const auto before = sizes_of(session, step, sampled.walk);
  run_lanes(crew, sampled);
  const auto after = sizes_of(session, step, sampled.walk);
  sampled.heap_grown_bytes = std::max(0.0, after.heap - before.heap);
  for (std::size_t i = 0; i < std::min(sampled.indexes.size(), after.indexes.size()); ++i)
    sampled.indexes[i].grown_bytes = std::max(0.0, after.indexes[i] - before.indexes.at(i));
  return sampled;
}

}  // namespace

Foretold foretell_by_catalog(pg::Session& session, const PreparedBackfill& step, int lanes,
                             const std::string& why) {
  const auto rows = step.table.rows_estimate;
  const auto changed =
      std::min(rows, estimate_matching(session, step.table, step.definition.where).value_or(rows));
  const auto storage = pg::read_storage(session, step.table.oid);
  const auto estimate = walk_estimate(estimate_backfill(storage, rows, changed, lanes), step.choice.walk);
  return forecast_by_catalog(estimate, static_cast<double>(changed), why);
}

Foretold foretell(pg::Session& session, const PreparedBackfill& step, const SamplingSite& site) {
  std::string why = why_not_sampled(session, step);
  if (!why.empty()) return foretell_by_catalog(session, step, site.tunables.lanes, why);
  try {
    const auto sampled = sample(session, step, site);
    if (is_enough(sampled)) return forecast(sampled);
    why = sampled.rows_matching() > 0 ? "too few of the sampled batches could be run"
                                      : "no row matches `where`";
  } catch (const pg::Failure& f) {
    why = std::string("a sampled batch failed: ") + f.what();
  }
  return foretell_by_catalog(session, step, site.tunables.lanes, why);
}

}  // namespace pgsluice::engine
