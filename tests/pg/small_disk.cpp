#include "pg/small_disk.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/server_user.hpp"

namespace pgsluice::test {

namespace {

void write_to(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) throw std::system_error(errno, std::generic_category(), path);
}

std::string one_to_one(unsigned id) {
  return std::to_string(id) + " " + std::to_string(id) + " 1";
}

/// A user who is not root may mount in a user namespace of his own, in which he stays who he is.
void enter_namespace() {
  const auto uid = getuid();
  const auto gid = getgid();
  const int wanted = uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
  if (unshare(wanted) != 0) {
    throw std::system_error(
        errno, std::generic_category(),
        "a disk that is full needs a mount of its own: run this test as root, or allow user "
        "namespaces (sysctl kernel.unprivileged_userns_clone=1)");
  }
  if (uid != 0) {
    write_to("/proc/self/setgroups", "deny");
    write_to("/proc/self/uid_map", one_to_one(uid));
    write_to("/proc/self/gid_map", one_to_one(gid));
  }
  // Nothing that we mount is to be seen outside. The root of a chroot is no mount (EINVAL): what we mount
  // may be seen there by others until it is taken away.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 && errno != EINVAL) {
    throw std::system_error(errno, std::generic_category(), "mount --make-rprivate /");
  }
}

std::string options(std::uint64_t bytes) {
  std::string text = "mode=0700,size=" + std::to_string(bytes);
  const auto user = server_user();
  const auto uid = user ? user->uid : getuid();
  const auto gid = user ? user->gid : getgid();
  return text + ",uid=" + std::to_string(uid) + ",gid=" + std::to_string(gid);
}

}  // namespace

SmallDisk::SmallDisk(std::uint64_t bytes) {
  enter_namespace();
  if (mount("tmpfs", path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options(bytes).c_str()) != 0) {
    throw std::system_error(errno, std::generic_category(), "mount of a small tmpfs on " + path().string());
  }
}

SmallDisk::~SmallDisk() {
  umount2(path().c_str(), MNT_DETACH);
}

void SmallDisk::resize(std::uint64_t bytes) {
  const auto size = "size=" + std::to_string(bytes);
  if (mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_NOSUID | MS_NODEV, size.c_str()) != 0) {
    throw std::system_error(errno, std::generic_category(), "remount of " + path().string());
  }
}

}  // namespace pgsluice::test
