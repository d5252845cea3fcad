#pragma once

#include <filesystem>
#include <string>

namespace pgsluice::test {

/// Who owns a folder and runs a program: this process's user, or `postgres` when this process is root (a
/// PostgreSQL server refuses to run as root).
enum class Owner { kCaller, kServer };

/// A folder /tmp/pgsluice-PID-XXXXXX (short: it holds unix sockets, whose path ends at 107 bytes), removed
/// with all its content at the end. Folders of test processes that died are removed on the way.
class TempFolder {
 public:
  explicit TempFolder(Owner owner = Owner::kCaller);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Writes a file into the folder and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

}  // namespace pgsluice::test
