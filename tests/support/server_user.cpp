#include "support/server_user.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace pgsluice::test {

namespace {

namespace fs = std::filesystem;

/// Empty when the distribution's folder is not there.
fs::path newest_packaged_folder() {
  const fs::path root = "/usr/lib/postgresql";
  fs::path newest;
  int newest_version = 0;
  std::error_code ignored;  // no such folder: another distribution
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= newest_version || !fs::exists(entry.path() / "bin" / "postgres")) continue;
    newest_version = version;
    newest = entry.path() / "bin";
  }
  return newest;
}

fs::path program_folder() {
  if (const char* given = std::getenv("PGSLUICE_PG_BIN")) return given;
  return newest_packaged_folder();
}

}  // namespace

std::optional<ServerUser> server_user() {
  if (geteuid() != 0) return std::nullopt;
  const passwd* entry = getpwnam("postgres");
  if (entry == nullptr)
    throw std::runtime_error("root cannot run a server, and there is no user \"postgres\"");
  return ServerUser{entry->pw_uid, entry->pw_gid};
}

std::string postgres_program(const std::string& name) {
  static const fs::path folder = program_folder();
  return folder.empty() ? name : (folder / name).string();
}

}  // namespace pgsluice::test
