#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/temp_folder.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {

struct Command {
  std::string program{};                     // a path, or a name to be found in PATH
  std::vector<std::string> args{};           // without the program's own name
  std::map<std::string, std::string> env{};  // laid over ours, which loses libpq's PG* variables
  Owner owner = Owner::kCaller;
  std::filesystem::path folder{};  // working folder; empty: ours
  std::filesystem::path log{};     // both outputs are appended to this file; empty: kept in memory
  int death_signal = SIGKILL;      // what it gets when the thread that started it ends
};

struct Exit {
  int code = -1;   // -1 when a signal ended it
  int signal = 0;  // 0 when it exited by itself

  bool operator==(const Exit&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Exit& exit);

/// A child process in its own process group, with no input. Its output goes to memory files, so it never
/// blocks on a reader. Killed and reaped by the destructor; the kernel kills it when the thread that started
/// it ends, so start it from the test's own thread. Externally synchronised.
class Process {
 public:
  explicit Process(const Command& command);
  Process(const std::string& program, const std::vector<std::string>& args)
      : Process(Command{program, args}) {}
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  bool running();
  void signal(int number);

  /// Waits for its end. Throws with its output when the deadline passes first.
  Exit wait(std::chrono::milliseconds deadline = kPatience);

  /// SIGKILL, and reaped when this returns. No effect on one that has ended.
  Exit kill();

  /// What it has written so far; empty with Command::log.
  std::string out() const;
  std::string err() const;

 private:
  std::string command_line_;
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<Exit> exit_;
};

struct Finished {
  Exit exit;
  std::string out;
  std::string err;

  int code() const noexcept { return exit.code; }
};

/// Runs a command to its end.
Finished run(const Command& command, std::chrono::milliseconds deadline = kPatience);

/// Runs a command that must succeed; throws with its output otherwise. Returns its standard output.
std::string run_ok(const Command& command, std::chrono::milliseconds deadline = kPatience);

/// Children of a process, as of now. Zombies are left out.
std::vector<pid_t> children_of(pid_t parent);

/// False for a zombie too: nobody may have reaped it yet, but it does nothing any more.
bool is_alive(pid_t pid);

}  // namespace pgsluice::test
