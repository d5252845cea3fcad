#pragma once

#include <string>

namespace pgsluice::test {

// Scripts in pgbench's language for JournalTraffic. Each transaction locks the users whose rows it touches
// first, and a user goes or gets another key under one lock for all: by itself the application never meets a
// deadlock.

std::string neutral_script();

/// `is_uuid`: keys are written as uuids, otherwise as integers.
std::string shaped_script(bool is_uuid, bool with_early_children);

}  // namespace pgsluice::test
