#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/status_text.hpp"

namespace pgsluice::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLookEvery{1};  // as long as a person likes to wait; one short connection each
constexpr std::chrono::seconds kLineEvery{30};   // without a terminal: as often as a run's own line
constexpr std::chrono::minutes kOutageMost{10};  // a failover is over by then

bool stdout_is_capable_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S", &local);
  return text;
}

/// The lines that fit on the terminal: the head and the last ones, where the runs are.
std::vector<std::string> fitted(std::vector<std::string> lines) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 4 || size.ws_col == 0) return lines;
  const auto taken = [&size](std::size_t rows, const std::string& line) {
    return rows + std::max<std::size_t>(1, (character_count(line) + size.ws_col - 1) / size.ws_col);
  };
  const std::size_t room = size.ws_row - 2U;  // one line for the clock, one for the cursor
  while (lines.size() > 2 && std::accumulate(lines.begin(), lines.end(), std::size_t{0}, taken) > room) {
    lines.erase(lines.begin() + 1);
  }
  return lines;
}

/// Shows the latest status: repainted on a terminal, else a line on every change of state and every 30 s.
class View {
 public:
  explicit View(bool json) : json_(json), paints_(!json && stdout_is_capable_terminal()) {}

  void show(const JobOverview& job) {
    if (paints_) return paint(job);
    const std::string state = state_text(job) + " " + name_of(job.control);
    if (state == last_state_ && Clock::now() - last_line_ < kLineEvery) return;
    last_state_ = state;
    last_line_ = Clock::now();
    if (!json_) return print_now(time_of_day() + " " + job_line(job));
    base::Json line{{"type", "status"}};
    line.update(job_json(job));
    print_now(json_line(line));
  }

  void show_outage(const Error& error) {
    if (json_ || last_state_ == kOutage) return;
    last_state_ = kOutage;
    print_now(time_of_day() + " " + plain_words(error.what()));
  }

 private:
  static constexpr const char* kOutage = "outage";

  static void print_now(const std::string& line) {
    print_line(line);
    std::fflush(stdout);
  }

  void paint(const JobOverview& job) {
    last_state_.clear();
    std::string frame = "\x1b[H";  // home; then clear each line to its end, and the screen below
    for (const auto& line : fitted(job_lines(job))) frame += line + "\x1b[K\n";
    frame += time_of_day() + ", Ctrl-C closes this view, not the job\x1b[K\n\x1b[J";
    if (!painted_) frame = "\x1b[2J" + frame;
    painted_ = true;
    std::fwrite(frame.data(), 1, frame.size(), stdout);
    std::fflush(stdout);
  }

  const bool json_;
  const bool paints_;
  bool painted_ = false;
  std::string last_state_;
  Clock::time_point last_line_;
};

}  // namespace

ExitCode watch_job(const Arguments& arguments) {
  const LedgerJob wanted = find_ledger_job(arguments);
  Engine engine(wanted.dsn);
  View view(arguments.json);
  std::optional<Clock::time_point> seen;  // wait out an outage only after the job was seen once
  for (;; std::this_thread::sleep_for(kLookEvery)) {
    try {
      const auto jobs = engine.status(wanted.name);
      seen = Clock::now();
      view.show(jobs.front());
      if (is_over(jobs.front())) return exit_code_of(jobs.front());
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUnreachable || !seen || Clock::now() - *seen > kOutageMost) throw;
      view.show_outage(error);
    }
  }
}

}  // namespace pgsluice::cli
