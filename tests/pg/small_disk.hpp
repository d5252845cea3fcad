#pragma once

#include <cstdint>
#include <filesystem>

#include "support/temp_folder.hpp"

namespace pgsluice::test {

/// A file system of its own and of a few megabytes, for filling up: a tmpfs in a folder of the server's user.
/// It is mounted in a mount namespace that this process enters, so it goes with the process however that
/// ends; servers started afterwards see it. Needs root, or a kernel that lets users have namespaces; throws
/// with that reason elsewhere.
class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::filesystem::path& path() const noexcept { return folder_.path(); }

  /// Makes room; what is on it stays.
  void resize(std::uint64_t bytes);

 private:
  TempFolder folder_{Owner::kServer};
};

}  // namespace pgsluice::test
