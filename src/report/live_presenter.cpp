#include "report/live_presenter.hpp"

#include "report/text/clean_text.hpp"
#include "report/text/render_line.hpp"
#include "report/text/render_summary.hpp"
#include "report/text/timestamp.hpp"

namespace pgsluice::report {

namespace {

bool starts_the_view(const EventBody& body) {
  return std::holds_alternative<event::RunStarted>(body) ||
         std::holds_alternative<event::StepStarted>(body) || std::holds_alternative<event::Status>(body);
}

}  // namespace

LivePresenter::LivePresenter(std::FILE* err, std::function<Terminal()> terminal)
    : err_(err), terminal_(std::move(terminal)), screen_(err) {}

void LivePresenter::show(const Event& event, TimePoint now) {
  if (const auto* summary = std::get_if<event::Summary>(&event.body)) return end(event, *summary, now);
  if (!running_ && starts_the_view(event.body)) begin(event, now);
  if (const auto* status = std::get_if<event::Status>(&event.body)) return update(*status, now);
  if (const auto* started = std::get_if<event::StepStarted>(&event.body)) update(*started, now);
  if (const auto* ended = std::get_if<event::StepEnded>(&event.body)) update(*ended, now);
  take_note(event);
}

void LivePresenter::begin(const Event& event, TimePoint now) {
  running_ = true;
  progress_ = Progress{};
  progress_.job = event.job;
  progress_.state = RunState::kStarting;
  progress_at_ = now;
  state_ = LiveState{};
}

void LivePresenter::update(const event::Status& status, TimePoint now) {
  if (status.progress.step != progress_.step) state_.step_done = false;
  progress_ = status.progress;
  progress_at_ = now;
}

void LivePresenter::update(const event::StepStarted& started, TimePoint now) {
  Progress next;  // nothing about the previous step holds for this one
  next.job = progress_.job;
  next.step = started.step;
  next.step_kind = started.kind;
  next.state = RunState::kRunning;
  next.rows_expected = started.rows_expected;
  next.lanes = progress_.lanes;
  next.elapsed =
      progress_.elapsed + std::chrono::duration_cast<std::chrono::milliseconds>(now - progress_at_);
  progress_ = next;
  progress_at_ = now;
  state_.step_done = false;
}

void LivePresenter::update(const event::StepEnded& ended, TimePoint /*now*/) {
  if (ended.step != progress_.step) return;
  progress_.rows = ended.rows;
  state_.step_done = ended.outcome == "done";
}

void LivePresenter::take_note(const Event& event) {
  const Description description = describe(event.body);
  if (description.weight == Weight::kDetail) return;
  const Note note{time_of_day(event.at), description.text, description.weight};
  if (!running_) return write_lines(err_, {note.time + " " + note.text});
  state_.notes.push_back(note);
  if (state_.notes.size() <= kNotes) return;
  const Note& oldest = state_.notes.front();
  if (oldest.weight >= Weight::kWarning) above_.push_back(oldest.time + " " + oldest.text);
  state_.notes.erase(state_.notes.begin());
}

void LivePresenter::end(const Event& event, const event::Summary& summary, TimePoint now) {
  const bool color = terminal_().color;
  state_.outcome = summary.outcome;
  finish(now);
  write_lines(err_, render_summary(event.job, summary, color));
}

void LivePresenter::tick(TimePoint now) {
  if (running_ && (!painted_at_ || now - *painted_at_ >= kTick)) paint(now);
}

void LivePresenter::finish(TimePoint now) {
  if (!running_) return;
  paint(now);
  screen_.leave();
  running_ = false;
}

void LivePresenter::paint(TimePoint now) {
  const Terminal terminal = terminal_();
  state_.since_progress = std::chrono::duration_cast<std::chrono::milliseconds>(now - progress_at_);
  for (auto& line : above_)
    line = fit_line(clean_line(line, terminal.utf8), terminal.columns - 1, terminal.utf8);
  screen_.paint(above_, render_live(progress_, state_, terminal), terminal.columns);
  above_.clear();
  painted_at_ = now;
}

}  // namespace pgsluice::report
