#include "bench/measure/verdict.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/units.hpp"
#include "report/bench/bench_columns.hpp"

namespace pgsluice::bench {
namespace {

constexpr double kCloseShare = 0.95;  // of the winner's rate: trials vary by this much
constexpr int kCloseNamedMax = 3;

std::string milliseconds(double ms) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), ms < 10 ? "%.1f ms" : "%.0f ms", ms);
  return text.data();
}

std::string rate(const BenchFigures& f) {
  return base::format_count(static_cast<std::int64_t>(f.rows_per_second.median)) + " rows/s";
}

struct Rules {
  double target_ms = 0;
  std::optional<double> others_max_ms;  // empty: no traffic

  bool keeps_target(const BenchFigures& f) const {
    return f.batch_p95_ms.is_known() && f.batch_p95_ms.median <= target_ms;
  }
  bool spares_others(const BenchFigures& f) const {
    return !others_max_ms || (f.others_p99_ms.is_known() && f.others_p99_ms.median < *others_max_ms);
  }
};

template <class Allowed>
std::optional<std::size_t> fastest(const std::vector<BenchFigures>& figures, Allowed allowed) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    if (!figures[i].rows_per_second.is_known() || !allowed(figures[i])) continue;
    const bool is_better = !best || figures[i].rows_per_second.median > figures[*best].rows_per_second.median;
    if (is_better) best = i;
  }
  return best;
}

std::string why_best(const BenchFigures& best, const Rules& rules) {
  std::string reason = "most rows per second (" + rate(best) + ") whose batch p95 (" +
                       milliseconds(best.batch_p95_ms.median) + ") meets batch.target (" +
                       milliseconds(rules.target_ms) + ")";
  if (rules.others_max_ms) {
    reason += " and during which the traffic's p99 (" + milliseconds(best.others_p99_ms.median) +
              ") stays below " + milliseconds(*rules.others_max_ms) + ", twice its p99 alone";
  }
  return reason;
}

/// The fastest of all is worth mentioning if the rules excluded it.
std::string passed_over(const BenchFigures& faster, const Rules& rules) {
  const std::string words =
      "; " + report::setting_in_words(faster.setting) + " reaches " + rate(faster) + ", but ";
  if (!faster.batch_p95_ms.is_known()) return words + "too few of its batches were timed";
  if (!rules.keeps_target(faster))
    return words + "its batch p95 is " + milliseconds(faster.batch_p95_ms.median);
  return words + "the traffic's p99 is " + milliseconds(faster.others_p99_ms.median) + " during it";
}

/// Settings that the trials cannot distinguish from the winner: one with less WAL may be preferable.
std::string close_to(const BenchFigures& best, const std::vector<BenchFigures>& figures, const Rules& rules) {
  std::string words;
  int named = 0;
  for (const auto& f : figures) {
    const bool is_close = f.rows_per_second.is_known() && rules.keeps_target(f) && rules.spares_others(f) &&
                          (f.rows_per_second.max >= best.rows_per_second.median ||
                           f.rows_per_second.median >= kCloseShare * best.rows_per_second.median);
    if (!is_close || f.setting == best.setting || ++named > kCloseNamedMax) continue;
    words +=
        (words.empty() ? "; almost as fast: " : "; ") + report::setting_in_words(f.setting) + " (" + rate(f);
    if (f.wal_bytes_per_row.is_known() && best.wal_bytes_per_row.is_known()) {
      words += ", WAL " + report::figure_text(f.wal_bytes_per_row.median, 0) + " B/row against " +
               report::figure_text(best.wal_bytes_per_row.median, 0);
    }
    words += ")";
  }
  return words;
}

std::string why_none(const std::vector<BenchFigures>& figures, const Rules& rules) {
  const auto any = fastest(figures, [](const BenchFigures&) { return true; });
  if (!any) return "no setting has a trial that counts";
  const bool some_keep = std::any_of(figures.begin(), figures.end(),
                                     [&](const BenchFigures& f) { return rules.keeps_target(f); });
  if (!some_keep) {
    return "no setting's batch p95 meets batch.target (" + milliseconds(rules.target_ms) +
           "): try smaller sizes, or raise the target";
  }
  return "with every setting that meets batch.target, the traffic's p99 is at least twice its p99 alone: try "
         "fewer lanes and smaller sizes";
}

std::string advice_for(const BenchFigures& best, const std::vector<BenchFigures>& figures,
                       const BatchLimits& batch, const std::string& step) {
  const auto& s = best.setting;
  const bool larger_was_tried = std::any_of(figures.begin(), figures.end(), [&](const BenchFigures& f) {
    return f.setting.walk == s.walk && f.setting.lanes == s.lanes && f.setting.rows > s.rows;
  });
  const auto rows = std::to_string(s.rows);
  std::string text = "[pool]\nlanes = " + std::to_string(s.lanes) + "\n\n[batch]\nrows = " + rows + "\n";
  if (s.rows < batch.rows_min) text += "rows_min = " + rows + "\n";
  if (larger_was_tried) text += "rows_max = " + rows + "  # larger ones were no better here\n";
  if (!larger_was_tried && s.rows > batch.rows_max) text += "rows_max = " + rows + "\n";
  text += "target = \"" + base::duration_text(batch.target) + "\"\n\n";
  text += "[[step]]  # in step \"" + step + "\"\nwalk = \"" + walk_name(s.walk) + "\"\n";
  return text;
}

}  // namespace

Verdict judge(const std::vector<BenchFigures>& figures, const Spread& others_alone_p99_ms,
              const BatchLimits& batch, const std::string& step) {
  Rules rules;
  rules.target_ms = static_cast<double>(batch.target.count());
  if (others_alone_p99_ms.is_known()) rules.others_max_ms = kOthersSlowdownMax * others_alone_p99_ms.median;

  Verdict verdict;
  verdict.winner = fastest(
      figures, [&](const BenchFigures& f) { return rules.keeps_target(f) && rules.spares_others(f); });
  if (!verdict.winner) {
    verdict.reason = why_none(figures, rules);
    return verdict;
  }
  const auto& best = figures[*verdict.winner];
  verdict.reason = why_best(best, rules);
  const auto any = fastest(figures, [](const BenchFigures&) { return true; });
  if (*any != *verdict.winner) verdict.reason += passed_over(figures[*any], rules);
  verdict.reason += close_to(best, figures, rules);
  verdict.advice = advice_for(best, figures, batch, step);
  return verdict;
}

}  // namespace pgsluice::bench
