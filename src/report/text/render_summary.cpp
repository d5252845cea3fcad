#include "report/text/render_summary.hpp"

#include <cmath>

#include "base/units.hpp"
#include "report/text/clean_text.hpp"
#include "report/text/progress_text.hpp"
#include "report/text/style.hpp"

namespace pgsluice::report {

namespace {

std::string labelled(const char* label, const std::string& text) {
  std::string line = "  ";
  line += label;
  line.resize(15, ' ');  // column at which the values start
  return line + clean_line(text);
}

std::string headline(const std::string& job, const event::Summary& summary) {
  const std::string subject = job.empty() ? "" : job + ": ";
  const std::string reason = summary.reason.empty() ? "" : ": " + summary.reason;
  return clean_line(subject + summary.outcome + reason);
}

std::string speed_text(const event::Summary& summary) {
  return base::format_count(std::llround(summary.rows_per_second)) + " rows/s over " +
         seconds_text(summary.duration_s);
}

std::string batches_text(const event::Summary& summary) {
  return base::format_count(summary.batches) + ", " + counted_text(summary.retries, "retry", "retries") +
         ", " + counted_text(summary.splits, "split", "splits");
}

std::string batch_time_text(const event::Summary& summary) {
  return "p50 " + seconds_text(summary.batch_p50_s) + ", p95 " + seconds_text(summary.batch_p95_s) +
         ", p99 " + seconds_text(summary.batch_p99_s) + ", max " + seconds_text(summary.batch_max_s);
}

std::string updates_text(const event::Summary& summary) {
  std::string text = std::to_string(std::llround(summary.hot_percent)) + " % HOT";
  if (summary.wal_bytes_per_row >= 0)
    text += ", about " + std::to_string(std::llround(summary.wal_bytes_per_row)) + " bytes of WAL per row";
  return text;
}

void add_batches(std::vector<std::string>& lines, const event::Summary& summary) {
  lines.push_back(labelled("rows", row_counts_text(summary.rows)));
  lines.push_back(labelled("speed", speed_text(summary)));
  lines.push_back(labelled("batches", batches_text(summary)));
  lines.push_back(labelled("batch time", batch_time_text(summary)));
  if (summary.hot_percent >= 0) lines.push_back(labelled("updates", updates_text(summary)));
  lines.push_back(labelled("held", summary.held_s > 0 ? seconds_text(summary.held_s) : "never"));
  lines.push_back(
      labelled("highest lag", summary.lag_max_s < 0 ? "no replica seen" : seconds_text(summary.lag_max_s)));
}

}  // namespace

std::vector<std::string> render_summary(const std::string& job, const event::Summary& summary, bool color) {
  std::vector<std::string> lines = {
      styled(headline(job, summary), summary.exit_code == 1 ? kRed : kBold, color)};
  if (!summary.hint.empty()) lines.push_back(labelled("hint", summary.hint));
  if (summary.batches > 0 || summary.rows.visited() > 0) {
    add_batches(lines, summary);
  } else if (summary.duration_s > 0) {
    lines.push_back(labelled("time", seconds_text(summary.duration_s)));
  }
  if (summary.events_dropped > 0) {
    lines.push_back(labelled(
        "not shown", base::format_count(summary.events_dropped) + " events: the output was too slow"));
  }
  if (!summary.next.empty()) lines.push_back(labelled("next", summary.next));
  return lines;
}

}  // namespace pgsluice::report
