#include "end_to_end/process_cost.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "support/process.hpp"

namespace pgsluice::bench {
namespace {

struct Ticks {
  double own = 0;
  double of_ended_children = 0;
};

/// Fields 14 to 17 of /proc/PID/stat; the name before them may hold spaces and parentheses.
Ticks ticks_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return {};
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0, children_user = 0, children_system = 0;
  fields >> user >> system >> children_user >> children_system;
  return {user + system, children_user + children_system};
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

double cpu_seconds_of_family(pid_t parent) {
  const auto of_parent = ticks_of(parent);
  double ticks = of_parent.own + of_parent.of_ended_children;
  for (const pid_t child : test::children_of(parent)) ticks += ticks_of(child).own;
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double cpu_seconds_of_ended_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
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
