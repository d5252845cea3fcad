#include "base/process_identity.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pgsluice::base {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Fields after the command name, which may itself hold spaces and parentheses: state is the first of them.
std::string stat_field_after_name(int pid, int index) {
  const std::string line = first_line("/proc/" + std::to_string(pid) + "/stat");
  const auto close = line.rfind(')');
  if (close == std::string::npos) return {};
  std::istringstream rest(line.substr(close + 1));
  std::string field;
  for (int i = 0; i <= index; ++i) rest >> field;
  return field;
}

constexpr int kState = 0;       // field 3 of proc(5)
constexpr int kStartTime = 19;  // field 22 of proc(5)

std::string boot_and_namespace() {
  std::error_code ignored;  // without /proc the boot is unknown, and no range is ever taken over early
  const auto ns = std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
  const auto boot = first_line("/proc/sys/kernel/random/boot_id");
  return boot.empty() || ns.empty() ? "" : boot + " " + ns;
}

}  // namespace

ProcessIdentity this_process() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const int pid = getpid();
  return {host.data(), boot_and_namespace(), pid, stat_field_after_name(pid, kStartTime)};
}

bool is_certainly_gone(const ProcessIdentity& other) {
  const auto boot = boot_and_namespace();
  if (boot.empty() || other.boot != boot) return false;
  if (kill(other.pid, 0) == -1 && errno == ESRCH) return true;
  const auto state = stat_field_after_name(other.pid, kState);
  if (state == "Z" || state == "X") return true;  // dead, just not reaped yet
  const auto started = stat_field_after_name(other.pid, kStartTime);
  return !started.empty() && started != other.started;
}

}  // namespace pgsluice::base
