#include "measure/cores_watch.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#include "measure/process_cost.hpp"

namespace pgsluice::bench {
namespace {

/// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; all but the idle
/// ones.
double busy_seconds_of_all() {
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  file >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
  return (user + nice + system + irq + softirq + steal) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

CoresWatch::CoresWatch()
    : all_s_(busy_seconds_of_all()),
      ours_s_(cpu_seconds_of_this_process() + cpu_seconds_of_ended_children()),
      began_s_(now_seconds()) {}

double CoresWatch::others_percent() const {
  const double ours = cpu_seconds_of_this_process() + cpu_seconds_of_ended_children() - ours_s_;
  const double others = std::max(0.0, busy_seconds_of_all() - all_s_ - ours);
  const auto cores = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  return 100 * others / (cores * std::max(0.001, now_seconds() - began_s_));
}

}  // namespace pgsluice::bench
