#include "report/text/render_line.hpp"

#include "report/text/clean_text.hpp"
#include "report/text/describe.hpp"
#include "report/text/progress_text.hpp"
#include "report/text/timestamp.hpp"

namespace pgsluice::report {

namespace {

std::string step_text(const Progress& p) {
  const std::string number =
      p.step_number > 0 ? std::to_string(p.step_number) + "/" + std::to_string(p.step_count) + " " : "";
  return "step " + number + p.step + " " + name_of(p.state);
}

std::string progress_line(const Progress& p) {
  std::string line = step_text(p);
  const auto append = [&line](const std::string& text) { line += ", " + text; };
  if (const auto percent = percent_done(p)) append(percent_text(percent));
  if (p.rows_expected > 0 || p.rows.visited() > 0) append(rows_text(p));
  for (const auto& text : rate_texts(p, "x")) append(text);
  for (const auto& text : signal_texts(p)) append(text);
  if (const std::string eta = eta_text(p); !eta.empty()) append(eta);
  for (const auto& text : remaining_texts(p)) append(text);
  if (const std::string hold = hold_text(p); !hold.empty()) line += "; " + hold;
  return line;
}

}  // namespace

std::string render_line(const Event& event) {
  const auto* status = std::get_if<event::Status>(&event.body);
  const std::string text = status ? clean_line(progress_line(status->progress)) : describe(event.body).text;
  if (text.empty()) return {};
  const std::string job = event.job.empty() ? "" : clean_line(event.job) + ": ";
  return timestamp_seconds(event.at) + " " + job + text;
}

}  // namespace pgsluice::report
