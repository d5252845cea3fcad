#include "bench/measure/traffic.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "bench/measure/figures.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::bench {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr int kClients = 4;  // a small application; more would measure the cores instead of the waiting
constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kBeginMax{10};  // to connect and start
constexpr std::chrono::seconds kEndMax{10};    // a transaction that waits longer for a lock is cut off

std::vector<std::string> environment_for(const pg::ConnectionTarget& target) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (const auto equals = text.find('='); equals != std::string::npos)
      variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : target.environment()) variables[name] = value;
  variables["PGAPPNAME"] = "bench traffic";  // not our prefix: it must not count as ours
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
  return texts;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// True once the process has its own handler for the signal, which before that would just end it.
bool handles(pid_t pid, int signal) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("SigCgt:")) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1)) & 1U;
  }
  return false;
}

/// Milliseconds of each transaction. A line of the log: client, number, time in µs ("failed", "skipped"), …
std::vector<double> latencies_in(const fs::path& folder) {
  std::vector<double> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("latency.")) continue;
    std::ifstream file(entry.path());
    std::string line;
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string client;
      std::string number;
      double us = 0;
      if (fields >> client >> number >> us) out.push_back(us / 1e3);
    }
  }
  return out;
}

}  // namespace

Traffic::Traffic(fs::path script, const pg::ConnectionTarget& target)
    : script_(std::move(script)), environment_(environment_for(target)) {
  if (!std::ifstream(script_)) {
    throw Error(ExitCode::kUsage, "cannot read \"" + script_.string() + "\"",
                "--traffic takes a file with a pgbench script");
  }
  std::string name = (fs::temp_directory_path() / "pgsluice-bench-XXXXXX").string();
  if (!mkdtemp(name.data())) {
    throw Error(ExitCode::kFailed, "cannot make a temporary folder: " + std::string(std::strerror(errno)),
                "check TMPDIR");
  }
  folder_ = name;
}

Traffic::~Traffic() {
  end_process();
  std::error_code ignored;  // a leftover folder in /tmp is harmless
  fs::remove_all(folder_, ignored);
}

void Traffic::start(double rate, std::chrono::seconds at_most) {
  for (const auto& entry : fs::directory_iterator(folder_)) fs::remove(entry.path());
  std::vector<std::string> arguments{"pgbench",
                                     "--no-vacuum",
                                     "--log",
                                     "--log-prefix=" + (folder_ / "latency").string(),
                                     "--client=" + std::to_string(kClients),
                                     "--time=" + std::to_string(at_most.count()),
                                     "--file=" + script_.string()};
  if (rate > 0) arguments.push_back("--rate=" + std::to_string(rate));
  spawn(arguments);
  await_begin();
  began_ = SteadyClock::now();
}

void Traffic::spawn(const std::vector<std::string>& arguments) {
  auto words = arguments;
  auto argv = pointers(words);
  auto envp = pointers(environment_);
  const auto said = (folder_ / "said").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  const int failure = posix_spawnp(&pid_, "pgbench", &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure == 0) return;
  pid_ = -1;
  throw Error(ExitCode::kFailed, "cannot start pgbench: " + std::string(std::strerror(failure)),
              "install PostgreSQL's client programs, or add the folder of pgbench to PATH");
}

/// pgbench installs its alarm handler just before its clients start; the alarm also ends it early with
/// complete logs.
void Traffic::await_begin() {
  const auto give_up = SteadyClock::now() + kBeginMax;
  while (!handles(pid_, SIGALRM)) {
    int status = 0;
    const bool has_ended = waitpid(pid_, &status, WNOHANG) == pid_;
    if (has_ended) pid_ = -1;
    if (has_ended || SteadyClock::now() > give_up) {
      throw Error(ExitCode::kFailed, "pgbench does not start: " + last_words(),
                  "try the script by itself: pgbench --no-vacuum --file=" + script_.string());
    }
    std::this_thread::sleep_for(kLook);
  }
}

TrafficSeen Traffic::stop() {
  if (pid_ < 0) return {};
  const auto ran = std::chrono::duration<double>(SteadyClock::now() - began_).count();
  kill(pid_, SIGALRM);
  const auto give_up = SteadyClock::now() + kEndMax;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (SteadyClock::now() > give_up) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(kLook);
  }
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    throw Error(ExitCode::kFailed, "pgbench failed: " + last_words(),
                "try the script by itself: pgbench --no-vacuum --file=" + script_.string());
  }
  auto all = latencies_in(folder_);
  TrafficSeen seen;
  seen.latency.count = static_cast<std::int64_t>(all.size());
  seen.per_second = ran > 0 ? static_cast<double>(all.size()) / ran : 0;
  seen.latency.p50_ms = at_share(all, 0.50);
  seen.latency.p99_ms = at_share(std::move(all), 0.99);
  return seen;
}

void Traffic::end_process() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Traffic::last_words() const {
  std::ifstream file(folder_ / "said");
  std::string line;
  std::string last = "it printed nothing";
  while (std::getline(file, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace pgsluice::bench
