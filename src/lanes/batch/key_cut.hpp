#pragma once

#include <cstdint>
#include <optional>

#include "pg/connection/session.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// Where a batch along a key ends.
struct KeyCut {
  walk::KeySlice slice;
  std::int64_t visited = 0;
  bool is_last = false;  // of its range
};

/// The end of the next `rows` rows after `from`, in the session's transaction. Throws Failure.
KeyCut find_cut(pg::Session& session, const walk::Keyset& keyset, const std::optional<pg::Key>& from,
                const pg::Key& range_upper, std::int64_t rows);

}  // namespace pgsluice::engine
