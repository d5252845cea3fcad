#include "table/walk_choice/walk_choice.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"
#include "walk/interleaving.hpp"

namespace pgsluice::engine {
namespace {

// A table below this many pages (8 MB) is cached whole and done in seconds: the order does not matter.
constexpr std::int64_t kPagesWorthAChoice = 1'000;
// A page with fewer rows than the fewest passes, which TOAST makes rare. With 7 rows a third of the WAL was
// saved: docs/benchmarks.md, wide.
constexpr double kRowsPerPageMin = walk::Interleaving::kPassesMin;
// Below it, neighbours in key order are seldom neighbours on disk.
constexpr double kCorrelationMin = 0.5;
// Fillfactor, or how full pages are, in per cent: with this much room every update finds space on its page.
constexpr int kServesItself = 60;
constexpr double kPageBytes = 8'192 - 24;  // without the page header

/// Why the table cannot be walked by blocks; empty: it can.
std::string blocks_problem(const BackfillStep& step, const WalkFacts& facts) {
  if (facts.server_version < kVersionWithTidRangeScan)
    return "the server is older than version 14 and cannot read just a range of blocks";
  if (step.where.empty()) return "the step has no `where` that a row stops matching once it is done";
  if (!facts.is_delete && !facts.sets_what_where_asks)
    return "no column that the step sets is in its `where`: a changed row would match again and be changed "
           "twice";
  if (facts.has_children) return "the table has children by inheritance";
  if (facts.moves_between_partitions) return "rows would move to another partition";
  if (!facts.write_rules.empty())
    return "rule " + listed(facts.write_rules) + " rewrites its " +
           (facts.is_delete ? "DELETEs" : "UPDATEs") + ", which then cannot report what they changed";
  for (const auto& heap : facts.heaps) {
    if (heap.access_method != "heap")
      return heap.table_sql + " is not stored as a heap" +
             (heap.access_method.empty() ? "" : " but as " + heap.access_method);
    if (!heap.is_changeable) return "this role may not change partition " + heap.table_sql + " directly";
  }
  return {};
}

/// Why visiting pages in several passes would not pay; empty: it does, as far as the catalog shows.
std::string interleaved_problem(const BackfillStep& step, const WalkFacts& facts) {
  if (facts.is_delete) return "deleted rows need no room for new versions";
  if (!facts.indexes_changed.empty())
    return "a changed column is in index " + listed(facts.indexes_changed) + ": no update is HOT";
  const double per_page = facts.rows_per_page();
  if (per_page < kRowsPerPageMin)
    return "a page holds only " + std::to_string(std::lround(per_page)) + " rows";
  if (walk::Interleaving::hot_share_most(per_page) < walk::Interleaving::kHotShareMin)
    return "a page holds " + std::to_string(std::lround(per_page)) +
           " rows, and has too few line pointers for their new versions";
  for (const auto& heap : facts.heaps) {
    if (heap.fillfactor <= kServesItself)
      return "fillfactor " + std::to_string(heap.fillfactor) + " already leaves room on every page";
  }
  if (const double full = 100 * facts.page.bytes / kPageBytes; full > 0 && full <= kServesItself)
    return "pages with rows are only about " + std::to_string(std::lround(full)) +
           " % full: every update already finds room";
  if (!facts.silent_replicas.empty() && !step.is_replica_conflict_allowed)
    return "replica " + listed(facts.silent_replicas) +
           " may serve queries without hot_standby_feedback, and pruning would conflict with them "
           "(allow_replica_conflicts = true overrides this)";
  return {};
}

bool is_small(const WalkFacts& facts) {
  return facts.pages() < kPagesWorthAChoice && facts.key_problem.empty();
}

std::string why_interleaved(const WalkFacts& facts) {
  std::string reason =
      "no changed column is in an index: most updates stay on their page (HOT) and write no index";
  if (!facts.rewriting_triggers.empty())
    reason += "; if trigger " + listed(facts.rewriting_triggers) +
              " changes an indexed column, none is HOT, and blocks are walked in one pass";
  if (facts.oldest_snapshot_s > 0)
    reason += "; a transaction has been open for " + std::to_string(facts.oldest_snapshot_s) +
              " s: until it ends, pages cannot be pruned, and blocks are walked in one pass";
  return reason;
}

WalkChoice decide(const BackfillStep& step, const WalkFacts& facts, const std::string& not_blocks) {
  if (!not_blocks.empty()) return {Walk::kKeyset, "not by blocks: " + not_blocks};
  if (!facts.key_problem.empty() && !interleaved_problem(step, facts).empty())
    return {Walk::kBlocks, "no key can be walked: " + facts.key_problem};
  if (is_small(facts)) return {Walk::kKeyset, "the table is small"};
  const auto not_interleaved = interleaved_problem(step, facts);
  if (not_interleaved.empty()) return {Walk::kInterleaved, why_interleaved(facts)};
  if (std::abs(facts.key_correlation) < kCorrelationMin)
    return {Walk::kBlocks, "rows are not stored in key order; not interleaved: " + not_interleaved};
  return {Walk::kKeyset, "rows are stored in key order; not interleaved: " + not_interleaved};
}

}  // namespace

std::int64_t WalkFacts::pages() const {
  std::int64_t sum = 0;
  for (const auto& heap : heaps) sum += heap.pages;
  return sum;
}

double WalkFacts::rows_per_page() const {
  double rows = 0;
  for (const auto& heap : heaps) rows += heap.rows;
  const double average = rows / static_cast<double>(std::max<std::int64_t>(1, pages()));
  if (page.rows <= 0) return average;
  // One partition does not represent others that look quite different.
  return heaps.size() == 1 ? page.rows : std::clamp(page.rows, average / 2, average * 2);
}

bool is_page_sample_wanted(const BackfillStep& step, const WalkFacts& facts) {
  if (step.walk == Walk::kKeyset || !blocks_problem(step, facts).empty()) return false;
  return facts.pages() > 0 && (step.walk != Walk::kAuto || !is_small(facts));
}

WalkChoice choose_walk(const BackfillStep& step, const WalkFacts& facts) {
  const auto not_blocks = blocks_problem(step, facts);
  switch (step.walk) {
    case Walk::kAuto:
      return decide(step, facts, not_blocks);
    case Walk::kKeyset:
      return {Walk::kKeyset, "the job says so"};
    case Walk::kBlocks:
    case Walk::kInterleaved:
      break;
  }
  if (!not_blocks.empty())
    throw Error(ExitCode::kRefused, std::string("walk \"") + walk_name(step.walk) + "\": " + not_blocks,
                "write walk = \"keyset\", or leave walk out");
  return {step.walk, "the job says so"};
}

}  // namespace pgsluice::engine
