#include "measure/process_cost.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace pgsluice::bench {
namespace {

struct Ticks {
  pid_t parent = 0;
  double own = 0;
  double of_ended_children = 0;  // that it has waited for
};

/// Fields 4 and 14 to 17 of /proc/PID/stat; the name before them may hold spaces and parentheses.
Ticks ticks_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string text;
  if (!std::getline(file, text)) return {};
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  Ticks ticks;
  fields >> skipped >> ticks.parent;
  for (int field = 5; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0, children_user = 0, children_system = 0;
  fields >> user >> system >> children_user >> children_system;
  ticks.own = user + system;
  ticks.of_ended_children = children_user + children_system;
  return ticks;
}

/// Zombies too: until their parent has waited for them, only they know what they took.
double ticks_of_children(pid_t parent) {
  double ticks = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto child = ticks_of(name);
    if (child.parent == parent) ticks += child.own;
  }
  return ticks;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double seconds_of(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

double cpu_seconds_of_family(pid_t parent) {
  const auto name = std::to_string(parent);
  auto before = ticks_of(name);
  while (true) {
    const double of_children = ticks_of_children(parent);
    const auto after = ticks_of(name);
    const bool has_waited =
        after.of_ended_children > before.of_ended_children;  // then a child may be missing
    if (!has_waited)
      return (after.own + after.of_ended_children + of_children) / static_cast<double>(sysconf(_SC_CLK_TCK));
    before = after;
  }
}

double cpu_seconds_of_this_process() {
  return seconds_of(RUSAGE_SELF);
}

double cpu_seconds_of_ended_children() {
  return seconds_of(RUSAGE_CHILDREN);
}

double resident_peak_mb(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace pgsluice::bench
