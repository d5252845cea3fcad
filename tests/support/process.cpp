#include "support/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <system_error>

#include "support/server_user.hpp"

/// Read by LeakSanitizer in this process; children get them by LSAN_OPTIONS.
extern "C" {
const char* __lsan_default_options();
const char* __lsan_default_suppressions();

__attribute__((visibility("default"))) const char* __lsan_default_options() {
  return "print_suppressions=0";
}

__attribute__((visibility("default"))) const char* __lsan_default_suppressions() {
  static const std::string text = pgsluice::test::read_file(PGSLUICE_LEAK_SUPPRESSIONS);
  return text.c_str();
}
}

namespace pgsluice::test {

namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// Our environment without libpq's variables, so that no test ever reaches a server that is not its own.
std::map<std::string, std::string> clean_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const bool libpq = text.starts_with("PG") && !text.starts_with("PGSLUICE_");
    if (libpq || text.starts_with("DATABASE_URL=")) continue;
    const auto equals = text.find('=');
    if (equals != std::string::npos) result[text.substr(0, equals)] = text.substr(equals + 1);
  }
  result.try_emplace("LSAN_OPTIONS", "print_suppressions=0:suppressions=" PGSLUICE_LEAK_SUPPRESSIONS);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// Everything the child needs, made before the fork: between fork and exec only async-signal-safe calls are
/// allowed.
struct Launch {
  explicit Launch(const Command& command) : folder(command.folder), death_signal(command.death_signal) {
    arguments.push_back(command.program);
    arguments.insert(arguments.end(), command.args.begin(), command.args.end());
    auto variables = clean_environment();
    for (const auto& [name, value] : command.env) variables[name] = value;
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    if (command.owner == Owner::kServer) user = server_user();
    argv = pointers(arguments);
    envp = pointers(environment);
  }

  std::vector<std::string> arguments, environment;
  std::vector<char*> argv, envp;
  std::string folder;
  std::optional<ServerUser> user;
  pid_t parent = getpid();
  int death_signal;
};

constexpr int kCannotStart = 127;  // what a shell says too

[[noreturn]] void become(const Launch& launch, int in, int out, int err) {
  setpgid(0, 0);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  close_range(3, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  bool ready = true;
  if (launch.user) {
    ready = setgroups(0, nullptr) == 0 && setgid(launch.user->gid) == 0 && setuid(launch.user->uid) == 0;
  }
  prctl(PR_SET_PDEATHSIG, launch.death_signal);  // after setuid, which clears it
  ready = ready && getppid() == launch.parent;
  if (!launch.folder.empty()) ready = ready && chdir(launch.folder.c_str()) == 0;
  if (ready) execvpe(launch.argv[0], launch.argv.data(), launch.envp.data());
  dprintf(STDERR_FILENO, "cannot start %s: %s\n", launch.argv[0], strerror(errno));
  _exit(kCannotStart);
}

int memory_file() {
  const int file = memfd_create("output", MFD_CLOEXEC);
  if (file < 0) fail("memfd_create");
  fcntl(file, F_SETFL, O_APPEND);
  return file;
}

int log_file(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) fail("open " + path.string());
  return file;
}

std::string content(int file) {
  std::string result;
  char buffer[65536];
  ssize_t count = 0;
  while ((count = pread(file, buffer, sizeof buffer, static_cast<off_t>(result.size()))) > 0) {
    result.append(buffer, static_cast<std::size_t>(count));
  }
  return result;
}

/// State letter and parent of /proc/PID/stat; the name before them may hold spaces and parentheses.
std::optional<std::pair<char, pid_t>> process_stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  char state = 0;
  long parent = 0;
  if (std::sscanf(text.c_str() + text.rfind(')') + 1, " %c %ld", &state, &parent) != 2) return std::nullopt;
  return std::pair{state, static_cast<pid_t>(parent)};
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Exit& exit) {
  if (exit.signal != 0) return out << "ended by signal " << exit.signal;
  return out << "exit code " << exit.code;
}

Process::Process(const Command& command) : command_line_(command.program) {
  for (const auto& arg : command.args) command_line_ += " " + arg;
  const Launch launch(command);
  out_ = command.log.empty() ? memory_file() : log_file(command.log);
  err_ = command.log.empty() ? memory_file() : dup(out_);
  const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_ = fork();
  if (pid_ == 0) become(launch, in, out_, err_);
  close(in);
  if (pid_ < 0) fail("fork");
}

Process::~Process() {
  kill();
  close(out_);
  close(err_);
}

bool Process::running() {
  if (exit_) return false;
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == 0) return true;
  if (ended < 0) fail("waitpid " + command_line_);
  exit_ = WIFSIGNALED(status) ? Exit{-1, WTERMSIG(status)} : Exit{WEXITSTATUS(status), 0};
  return false;
}

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

Exit Process::wait(std::chrono::milliseconds deadline) {
  try {
    wait_for([this] { return !running(); }, deadline, "the end of: " + command_line_);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + out() + err());
  }
  return *exit_;
}

Exit Process::kill() {
  if (exit_) return *exit_;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = WIFSIGNALED(status) ? Exit{-1, WTERMSIG(status)} : Exit{WEXITSTATUS(status), 0};
  return *exit_;
}

std::string Process::out() const {
  return content(out_);
}

std::string Process::err() const {
  return content(err_);
}

Finished run(const Command& command, std::chrono::milliseconds deadline) {
  Process process(command);
  const Exit exit = process.wait(deadline);
  return {exit, process.out(), process.err()};
}

std::string run_ok(const Command& command, std::chrono::milliseconds deadline) {
  const auto finished = run(command, deadline);
  if (finished.code() != 0) {
    throw std::runtime_error(command.program + " failed: " + finished.out + finished.err);
  }
  return finished.out;
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> result;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto pid = static_cast<pid_t>(std::atol(entry.path().filename().c_str()));
    if (pid <= 0) continue;
    const auto stat = process_stat(pid);
    if (stat && stat->second == parent && stat->first != 'Z') result.push_back(pid);
  }
  return result;
}

bool is_alive(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat && stat->first != 'Z' && stat->first != 'X';
}

}  // namespace pgsluice::test
