#include "support/pgbench.hpp"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "support/server_user.hpp"

namespace pgsluice::test {

namespace {

std::vector<std::string> arguments(const Traffic& traffic, const TempFolder& folder) {
  std::vector<std::string> result{"--no-vacuum",
                                  "--log",
                                  "--log-prefix=" + (folder.path() / "latency").string(),
                                  "--client=" + std::to_string(traffic.clients),
                                  "--time=" + std::to_string(traffic.duration.count()),
                                  "--max-tries=" + std::to_string(traffic.max_tries)};
  if (traffic.rate > 0) result.push_back("--rate=" + std::to_string(traffic.rate));
  if (!traffic.script.empty()) {
    result.push_back("--file=" + folder.write("script.sql", traffic.script).string());
  }
  for (const auto& [name, value] : traffic.variables) result.push_back("--define=" + name + "=" + value);
  result.push_back(traffic.dsn);
  return result;
}

/// True once the process has a handler of its own for the signal, which would end it before.
bool handles(pid_t pid, int signal) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("SigCgt:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1)) & 1U;
  }
  return false;
}

/// By latency. A line of the log: client, number, time in µs (or "failed" or "skipped"), script, when it
/// ended in seconds and µs, …
std::vector<Served> served_in(const std::filesystem::path& folder) {
  std::vector<Served> result;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("latency.")) continue;
    std::ifstream file(entry.path());
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string client, number, time, script;
      std::int64_t seconds = 0, microseconds = 0;
      fields >> client >> number >> time >> script >> seconds >> microseconds;
      if (!fields || time.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::chrono::microseconds ended =
          std::chrono::seconds(seconds) + std::chrono::microseconds(microseconds);
      result.push_back({std::chrono::system_clock::time_point(ended), std::stod(time) / 1000});
    }
  }
  std::sort(result.begin(), result.end(), [](const Served& a, const Served& b) { return a.ms < b.ms; });
  return result;
}

double at_share(const std::vector<Served>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)].ms;
}

std::int64_t count_in(const std::string& report, const std::string& label) {
  std::smatch match;
  return std::regex_search(report, match, std::regex(label + ": ([0-9]+)")) ? std::stoll(match[1]) : 0;
}

}  // namespace

Pgbench::Pgbench(const Traffic& traffic)
    : duration_(traffic.duration),
      process_(std::make_unique<Process>(postgres_program("pgbench"), arguments(traffic, folder_))) {
  await_begin();
}

/// pgbench installs its alarm just before its clients start; it is also what ends it early, report included.
void Pgbench::await_begin() {
  const auto begun = [this] {
    if (!running()) throw std::runtime_error("pgbench ended at once: " + process_->out() + process_->err());
    return handles(process_->pid(), SIGALRM);
  };
  wait_for(begun, "pgbench to begin");
}

TrafficResult Pgbench::stop() {
  process_->signal(SIGALRM);
  return result(process_->wait());
}

TrafficResult Pgbench::finish() {
  return result(process_->wait(duration_ + kPatience));
}

TrafficResult Pgbench::result(const Exit& exit) const {
  TrafficResult result;
  result.exit = exit;
  result.report = process_->out() + process_->err();
  result.transactions = count_in(result.report, "number of transactions actually processed");
  result.failed = count_in(result.report, "number of failed transactions");
  result.served = served_in(folder_.path());
  result.p50 = at_share(result.served, 0.50);
  result.p99 = at_share(result.served, 0.99);
  result.max = result.served.empty() ? 0 : result.served.back().ms;
  return result;
}

void make_pgbench_tables(const std::string& dsn, int scale) {
  const std::chrono::seconds deadline = kPatience + std::chrono::seconds(scale);
  run_ok({postgres_program("pgbench"), {"-i", "-q", "-s", std::to_string(scale), dsn}}, deadline);
}

}  // namespace pgsluice::test
