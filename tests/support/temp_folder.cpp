#include "support/temp_folder.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <mutex>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "support/server_user.hpp"

namespace pgsluice::test {

namespace {

void remove_leftovers() {
  static const std::regex pattern("pgsluice-([0-9]+)-[A-Za-z0-9]{6}");
  std::error_code ignored;  // somebody else's folder, or gone meanwhile: both are none of our business
  for (const auto& entry : std::filesystem::directory_iterator("/tmp", ignored)) {
    std::smatch match;
    const std::string name = entry.path().filename();
    if (!std::regex_match(name, match, pattern)) continue;
    const bool alive = kill(static_cast<pid_t>(std::stol(match[1])), 0) == 0 || errno != ESRCH;
    if (!alive) std::filesystem::remove_all(entry.path(), ignored);
  }
}

void give_to_server_user(const std::filesystem::path& path) {
  const auto user = server_user();
  if (user && chown(path.c_str(), user->uid, user->gid) != 0) {
    throw std::system_error(errno, std::generic_category(), "chown " + path.string());
  }
}

}  // namespace

TempFolder::TempFolder(Owner owner) {
  static std::once_flag once;
  std::call_once(once, remove_leftovers);
  std::string name = "/tmp/pgsluice-" + std::to_string(getpid()) + "-XXXXXX";
  if (mkdtemp(name.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = name;
  if (owner == Owner::kServer) give_to_server_user(path_);
}

TempFolder::~TempFolder() {
  std::error_code ignored;  // a leftover is removed by the next test process
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempFolder::write(const std::string& name, const std::string& text) const {
  const auto path = path_ / name;
  std::ofstream(path) << text;
  return path;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace pgsluice::test
