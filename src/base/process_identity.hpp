#pragma once

#include <string>

namespace pgsluice::base {

/// Who a process is, precisely enough to tell later that it is gone. Process ids repeat, so the start time is
/// part of it; so are the boot and the pid namespace, because containers share a host's name and boot.
struct ProcessIdentity {
  std::string host;
  std::string boot;  // boot id and pid namespace
  int pid = 0;
  std::string started;  // clock ticks since boot, from /proc

  bool operator==(const ProcessIdentity&) const = default;
};

ProcessIdentity this_process();

/// True only if `other` ran under this boot and pid namespace and is certainly no longer running.
bool is_certainly_gone(const ProcessIdentity& other);

}  // namespace pgsluice::base
