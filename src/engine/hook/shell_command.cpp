#define BOOST_PROCESS_USE_STD_FS 1  // the other one would have to be linked
#include "engine/hook/shell_command.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/group.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <system_error>

#include "base/units.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {
namespace {

namespace process = boost::process;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{20};  // what it writes fits into its pipe meanwhile, or it waits
constexpr int kReadsMost = 64;                  // of 4 kB in one look: the lanes' thread is not held up
// How long after SIGKILL: only zombies that nobody reaps, or a broken disk, last longer.
constexpr std::chrono::milliseconds kKilledMost{1'000};

process::environment with_facts(const std::map<std::string, std::string>& facts) {
  process::environment all = boost::this_process::environment();
  for (const auto& [name, value] : facts) all[name] = value;
  return all;
}

/// The command's process group and the reading end of its output.
class Shell {
 public:
  Shell(const std::string& text, const std::map<std::string, std::string>& facts) {
    child_ = process::child(
        "/bin/sh", "-c", text, with_facts(facts),
        process::std_in<process::null, (process::std_out & process::std_err)> pipe_, group_,
        process::extend::on_exec_setup = [](auto&) { std::signal(SIGPIPE, SIG_DFL); });
    ::fcntl(pipe_.native_source(), F_SETFL, O_NONBLOCK);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  ~Shell() {
    group_.detach();  // what the command has left in the background stays
    if (has_exited()) return;
    signal(SIGKILL);
    std::error_code ignored;
    child_.wait(ignored);
  }

  bool has_exited() {
    std::error_code ignored;
    return !child_.running(ignored);
  }
  /// The shell, and all of its children that stayed in its group.
  bool is_group_gone() { return has_exited() && ::kill(-group_.native_handle(), 0) != 0; }
  void signal(int number) { ::kill(-group_.native_handle(), number); }

  void read_into(OutputTail& output) {
    std::array<char, 4096> bytes;
    for (int i = 0; i < kReadsMost; ++i) {
      const auto count = ::read(pipe_.native_source(), bytes.data(), bytes.size());
      if (count <= 0) return;
      output.add({bytes.data(), static_cast<std::size_t>(count)});
    }
  }

  void tell_end(ShellEnd& end) const {
    const int status = child_.native_exit_code();
    if (WIFEXITED(status)) {
      end.exit_code = WEXITSTATUS(status);
    } else if (WIFSIGNALED(status)) {
      end.ended = "signal " + std::to_string(WTERMSIG(status)) + " ended it";
    }
  }

 private:
  process::pipe pipe_;
  process::group group_;
  process::child child_;
};

/// What ends a command, and how far that is.
class Ending {
 public:
  explicit Ending(const ShellCommand& command) : command_(command) {}

  void look(Shell& shell, SteadyClock::time_point now) {
    const auto stop = command_.stop();
    if (because_.empty()) {
      const bool is_late = now - began_ >= command_.timeout;
      because_ =
          is_late ? "its time of " + base::format_duration(command_.timeout) + " is over" : stop.because;
      if (because_.empty()) return;
      shell.signal(SIGTERM);
      told_at_ = now;
    }
    if (killed_at_ || (!stop.is_at_once && now - told_at_ < command_.kill_after)) return;
    shell.signal(SIGKILL);
    killed_at_ = now;
  }

  bool is_over(Shell& shell, SteadyClock::time_point now) const {
    if (because_.empty()) return shell.has_exited();
    return shell.is_group_gone() || (killed_at_ && now - *killed_at_ >= kKilledMost);
  }

  const std::string& because() const { return because_; }
  double seconds() const { return std::chrono::duration<double>(SteadyClock::now() - began_).count(); }

 private:
  const ShellCommand& command_;
  const SteadyClock::time_point began_ = SteadyClock::now();
  std::string because_;
  SteadyClock::time_point told_at_;
  std::optional<SteadyClock::time_point> killed_at_;
};

}  // namespace

boost::asio::awaitable<ShellEnd> run_in_shell(ShellCommand command) {
  ShellEnd end;
  std::unique_ptr<Shell> shell;
  try {
    shell = std::make_unique<Shell>(command.text, command.facts);
  } catch (const std::system_error& e) {
    end.ended = std::string("it could not be started: ") + e.what();
  }
  if (!shell) co_return end;
  Ending ending(command);
  while (!ending.is_over(*shell, SteadyClock::now())) {
    shell->read_into(end.output);
    ending.look(*shell, SteadyClock::now());
    co_await sleep_for(kLook);
  }
  shell->read_into(end.output);
  end.duration_s = ending.seconds();
  end.ended = ending.because();
  if (end.ended.empty()) shell->tell_end(end);
  co_return end;
}

}  // namespace pgsluice::engine
