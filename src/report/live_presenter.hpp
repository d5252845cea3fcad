#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "report/live/render_live.hpp"
#include "report/live/screen.hpp"
#include "report/presenter.hpp"

namespace pgsluice::report {

/// The repainted view. Events before the run starts, and warnings that scroll out of the view, become plain
/// lines above it.
class LivePresenter final : public Presenter {
 public:
  LivePresenter(std::FILE* err, std::function<Terminal()> terminal);

  void show(const Event& event, TimePoint now) override;
  void tick(TimePoint now) override;
  void finish(TimePoint now) override;

  static constexpr std::size_t kNotes =
      6;  // lines: recent events, without pushing the figures off a small terminal

 private:
  void begin(const Event& event, TimePoint now);
  void update(const event::Status& status, TimePoint now);
  void update(const event::StepStarted& started, TimePoint now);
  void update(const event::StepEnded& ended, TimePoint now);
  void end(const Event& event, const event::Summary& summary, TimePoint now);
  void take_note(const Event& event);
  void paint(TimePoint now);

  std::FILE* const err_;
  const std::function<Terminal()> terminal_;
  Screen screen_;
  bool running_ = false;
  Progress progress_;
  LiveState state_;
  TimePoint progress_at_;
  std::optional<TimePoint> painted_at_;
  std::vector<std::string> above_;  // lines that leave the view at the next paint
};

}  // namespace pgsluice::report
