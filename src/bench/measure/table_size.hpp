#pragma once

#include <cstdint>

#include "pg/connection/session.hpp"

namespace pgsluice::bench {

/// A table at one moment, including its partitions.
struct TableSize {
  std::int64_t heap_bytes = 0;  // without TOAST
  std::int64_t index_bytes = 0;
  std::int64_t updated = 0;  // rows, as far as sessions have reported them
  std::int64_t hot = 0;      // of these
};

/// Never waits long for a lock. Throws Failure.
TableSize read_size(pg::Session& session, std::uint32_t table_oid);

/// Bytes of WAL that the server has ever written: only differences matter.
double wal_bytes_written(pg::Session& session);

}  // namespace pgsluice::bench
