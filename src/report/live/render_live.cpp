#include "report/live/render_live.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.hpp"
#include "report/text/clean_text.hpp"
#include "report/text/progress_text.hpp"
#include "report/text/style.hpp"

namespace pgsluice::report {

namespace {

constexpr std::size_t kBarWidest = 50;     // columns: a longer bar adds nothing
constexpr std::size_t kBarNarrowest = 10;  // columns: below, the bar gets a line of its own
// Age of the last Progress at which the view mentions it: the engine sends it several times a second.
constexpr std::chrono::seconds kSilence{5};

/// Collects lines and knows how wide they may be.
struct View {
  const Terminal& terminal;
  std::size_t width;
  std::vector<std::string> lines;

  explicit View(const Terminal& t) : terminal(t), width(std::max<std::size_t>(t.columns, 2) - 1) {}

  std::string clean(const std::string& text) const { return clean_line(text, terminal.utf8); }

  void add(const std::string& text, const char* style = nullptr) {
    const std::string line = fit_line(text, width, terminal.utf8);
    lines.push_back(style != nullptr ? styled(line, style, terminal.color) : line);
  }

  void add_packed(const std::vector<std::string>& texts, const char* style = nullptr) {
    for (const auto& line : pack_lines(texts, "   ", width, terminal.utf8)) add(line, style);
  }

  void add_wrapped(const std::string& text, const char* style) {
    for (const auto& line : wrap_line(clean(text), width, terminal.utf8)) add(line, style);
  }
};

std::string step_text(const Progress& p) {
  const std::string number =
      p.step_number > 0 ? std::to_string(p.step_number) + "/" + std::to_string(p.step_count) + " " : "";
  const std::string kind = p.step_kind.empty() ? "" : " (" + p.step_kind + ")";
  return "step " + number + p.step + kind;
}

void add_header(View& view, const Progress& p, const LiveState& state) {
  std::vector<std::string> texts = {view.clean(p.job)};
  if (!p.step.empty()) texts.push_back(view.clean(step_text(p)));
  texts.push_back(view.clean(state.outcome.empty() ? std::string(name_of(p.state)) : state.outcome));
  view.add_packed(texts, kBold);
}

std::string unicode_bar(double share, std::size_t width) {
  // Left-aligned blocks of one to seven eighths of a column.
  constexpr std::array<const char*, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(share * static_cast<double>(width) * 8);
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  std::size_t used = eighths / 8;
  if (eighths % 8 > 0) {
    bar += kEighths[eighths % 8];
    ++used;
  }
  for (; used < width; ++used) bar += "░";
  return bar;
}

std::string ascii_bar(double share, std::size_t width) {
  const std::size_t inner = width - 2;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(inner));
  return "[" + std::string(full, '#') + std::string(inner - full, '-') + "]";
}

std::string bar(double percent, std::size_t width, bool utf8) {
  const double share = std::clamp(percent / 100, 0.0, 1.0);
  return utf8 ? unicode_bar(share, width) : ascii_bar(share, width);
}

void add_bar(View& view, const Progress& p, const LiveState& state) {
  if (p.rows_expected <= 0 && p.rows.visited() == 0) return;
  const auto percent = state.step_done ? std::optional<double>(100) : percent_done(p);
  const std::string rows = rows_text(p);
  if (!percent) return view.add(rows);
  const std::string text = percent_text(percent) + "   " + rows;
  const std::size_t beside = view.width > text.size() + 2 ? view.width - text.size() - 2 : 0;
  if (beside >= kBarNarrowest) {
    return view.add(bar(*percent, std::min(beside, kBarWidest), view.terminal.utf8) + "  " + text);
  }
  if (view.width >= kBarNarrowest)
    view.add(bar(*percent, std::min(view.width, kBarWidest), view.terminal.utf8));
  view.add(text);
}

std::vector<std::string> time_texts(Progress progress, const LiveState& state) {
  const bool running = state.outcome.empty();
  if (running) progress.elapsed += state.since_progress;
  auto texts = remaining_texts(progress);
  const std::string eta = eta_text(progress);
  if (running && !state.step_done && !eta.empty()) texts.insert(texts.begin(), eta);
  if (running && state.since_progress >= kSilence) {
    texts.push_back("no update for " + base::format_duration(state.since_progress));
  }
  return texts;
}

std::vector<std::string> cleaned(const View& view, std::vector<std::string> texts) {
  for (auto& text : texts) text = view.clean(text);
  return texts;
}

const char* style_of(Weight weight) {
  if (weight == Weight::kError) return kRed;
  return weight == Weight::kWarning ? kYellow : nullptr;
}

void add_notes(View& view, const std::vector<Note>& notes) {
  const std::size_t most = view.terminal.rows > 1 ? view.terminal.rows - 1 : 1;
  if (view.lines.size() > most) view.lines.resize(most);
  const std::size_t room = std::min(most - view.lines.size(), notes.size());
  for (auto note = notes.end() - static_cast<std::ptrdiff_t>(room); note != notes.end(); ++note) {
    view.add("  " + note->time + " " + view.clean(note->text), style_of(note->weight));
  }
}

}  // namespace

std::vector<std::string> render_live(const Progress& progress, const LiveState& state,
                                     const Terminal& terminal) {
  View view(terminal);
  add_header(view, progress, state);
  add_bar(view, progress, state);
  view.add_packed(rate_texts(progress, terminal.utf8 ? "×" : "x"));
  view.add_packed(cleaned(view, signal_texts(progress)));
  if (state.outcome.empty()) view.add_wrapped(hold_text(progress), kYellow);
  view.add_packed(time_texts(progress, state));
  add_notes(view, state.notes);
  return std::move(view.lines);
}

}  // namespace pgsluice::report
