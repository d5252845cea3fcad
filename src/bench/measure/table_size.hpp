#pragma once

#include <cstdint>

#include "pg/session.hpp"

namespace pgsluice::bench {

/// A table at one moment, its partitions counted in.
struct TableSize {
  std::int64_t heap_bytes = 0;  // without TOAST
  std::int64_t index_bytes = 0;
  std::int64_t updated = 0;  // rows, as far as sessions have reported them
  std::int64_t hot = 0;      // of them
};

/// Never waits long for somebody's lock. Throws Failure.
TableSize read_size(pg::Session& session, std::uint32_t table_oid);

/// Bytes of WAL that the server has written ever: differences count.
double wal_bytes_written(pg::Session& session);

}  // namespace pgsluice::bench
