#include "bench/measure/server_cpu.hpp"

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace pgsluice::bench {
namespace {

constexpr const char* kBackends = R"sql(
SELECT pid, extract(epoch FROM backend_start)::float8
FROM pg_catalog.pg_stat_activity
WHERE starts_with(application_name, $1) AND backend_start IS NOT NULL
)sql";

// The kernel gives a process's start by its own clock, in hundredths of a second since a boot time in whole
// seconds.
constexpr double kStartSlack = 5;  // seconds

struct Stat {
  double cpu_s = 0;
  double started_s = 0;  // since boot
};

/// Fields 14, 15 and 22 of /proc/PID/stat; the name before them may contain spaces and parentheses.
std::optional<Stat> read_stat(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text) || text.rfind(')') == std::string::npos) return std::nullopt;
  if (text.find("(postgres") == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  for (int field = 16; field < 22; ++field) fields >> skipped;
  double started = 0;
  fields >> started;
  if (!fields) return std::nullopt;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return Stat{(user + system) / ticks, started / ticks};
}

std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double value = 0;
    if (word == "btime" && file >> value) return value;
    std::getline(file, word);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Backend> read_backends(pg::Session& session, const std::string& prefix) {
  const auto rows = session.exec(kBackends, {prefix});
  std::vector<Backend> backends;
  for (std::size_t i = 0; i < rows.size(); ++i)
    backends.push_back({static_cast<int>(rows.integer(i, 0)), rows.real(i, 1)});
  return backends;
}

void ServerCpu::watch(const std::vector<Backend>& backends, From from) {
  const auto boot = boot_time();
  if (!boot) return;
  for (const auto& backend : backends) {
    if (readings_.contains(backend.pid)) continue;
    const auto stat = read_stat(backend.pid);
    if (!stat || std::abs(*boot + stat->started_s - backend.started_at) > kStartSlack) continue;
    readings_[backend.pid] = {from == From::kNow ? stat->cpu_s : 0, stat->cpu_s};
  }
}

void ServerCpu::look() {
  for (auto& [pid, reading] : readings_) {
    if (const auto stat = read_stat(pid)) reading.last_s = stat->cpu_s;
  }
}

std::optional<double> ServerCpu::seconds() const {
  if (readings_.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [pid, reading] : readings_) sum += reading.last_s - reading.first_s;
  return sum;
}

}  // namespace pgsluice::bench
